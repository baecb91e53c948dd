"""A cloud WiFi platform to talk to: the stand-in, or an owprov when CLOUDWIFI_URL (with /api/v1) and CLOUDWIFI_API_KEY are set."""

import os
from collections.abc import Iterator

import httpx
import pytest

from lab.credentials import credentials
from lab.standin import running


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    if "CLOUDWIFI_URL" in os.environ:
        with httpx.Client(base_url=os.environ["CLOUDWIFI_URL"], headers={"X-API-KEY": os.environ["CLOUDWIFI_API_KEY"]}) as client:
            yield client
        return
    lab = tmp_path_factory.mktemp("lab")
    with running("cloudwifi", "cloudwifi", lab / "cloudwifi") as endpoint:
        headers = {"X-API-KEY": credentials(lab).cloudwifi_api_key}
        with httpx.Client(base_url=endpoint.url or "", headers=headers, trust_env=False) as client:
            yield client
