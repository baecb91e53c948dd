"""An ACS to talk to: the stand-in, or a GenieACS when ACS_URL, ACS_CWMP_URL and, if it asks for them, ACS_USER and ACS_PASSWORD are set."""

import os
from collections.abc import Iterator

import httpx
import pytest
from acs_under_test import AcsUnderTest

from lab.credentials import Login, credentials
from lab.standin import running


@pytest.fixture(scope="module")
def acs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AcsUnderTest]:
    if "ACS_URL" in os.environ:
        login = Login(os.environ.get("ACS_USER", ""), os.environ.get("ACS_PASSWORD", ""))
        with httpx.Client(base_url=os.environ["ACS_URL"], auth=(login.user, login.password)) as client:
            yield AcsUnderTest(client, os.environ["ACS_CWMP_URL"], login)
        return
    lab = tmp_path_factory.mktemp("lab")
    with running("acs", "ACS-01", lab / "ACS-01") as endpoint:
        known = credentials(lab)
        with httpx.Client(base_url=endpoint.url or "", auth=(known.acs.user, known.acs.password), trust_env=False) as client:
            yield AcsUnderTest(client, endpoint.urls["cwmp"], known.cwmp)
