"""Warehouse and carrier to talk to: the stand-in, or others when LOGISTICS_URL (TMF700's API root) and LOGISTICS_API_KEY are set."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lab.clock import LabClock
from lab.credentials import credentials
from lab.standin import Endpoint, running


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    if "LOGISTICS_URL" in os.environ:
        with httpx.Client(base_url=os.environ["LOGISTICS_URL"], headers={"X-API-KEY": os.environ["LOGISTICS_API_KEY"]}) as client:
            yield client
        return
    lab = tmp_path_factory.mktemp("lab")
    with running("logistics", "logistics", lab / "logistics") as endpoint:
        headers = {"X-API-KEY": credentials(lab).logistics_api_key}
        with httpx.Client(base_url=endpoint.url or "", headers=headers, trust_env=False) as client:
            yield client


@pytest.fixture
def clock(tmp_path: Path) -> LabClock:
    """The clock of a lab in which a day and a half of shipping is over in a second."""
    clock = LabClock(tmp_path / "clock.json")
    clock.start(pace=3600, time_scale=100_000)
    return clock


@pytest.fixture
def endpoint(tmp_path: Path, clock: LabClock) -> Iterator[Endpoint]:
    """The stand-in of that lab."""
    with running("logistics", "logistics", tmp_path / "logistics") as endpoint:
        yield endpoint
