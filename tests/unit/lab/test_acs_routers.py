"""Routers and the lab's clock."""

import asyncio
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from lab.acs import routers as module
from lab.acs.cpe import Cpe, factory_settings
from lab.acs.devices import Identity
from lab.acs.routers import Routers
from lab.clock import LabClock
from lab.credentials import Login
from lab.documents import Documents

ROUTER = Identity("Huawei", "00259E", "HG8245H", "HWT2340098")


@pytest.mark.parametrize(("calm", "calls_again"), [(0.0, True), (3600.0, False)])
def test_however_fast_the_lab_clock_is_a_router_does_not_call_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calm: float, calls_again: bool
) -> None:
    monkeypatch.setattr(module, "_CALM", calm)
    clock = LabClock(tmp_path / "clock.json")
    clock.start(pace=timedelta(days=365) / timedelta(seconds=1))  # 730 Informs a second
    calls: list[str] = []
    third = asyncio.Event()

    async def session(_self: Cpe, _url: str, _login: Login, events: list[str], _time: str) -> None:
        calls.extend(events)
        if calls.count("2 PERIODIC") == 3:
            third.set()

    monkeypatch.setattr(Cpe, "session", session)

    async def live() -> None:
        routers = Routers(documents, clock, Login("cpe", "x"))
        routers.start("http://acs.invalid")
        routers.plug_in(ROUTER, factory_settings(ROUTER, "48:57:54:34:00:98"))
        try:
            await asyncio.wait_for(third.wait(), 10 if calls_again else 0.3)
        except TimeoutError:
            assert not calls_again
        finally:
            await routers.stop()

    with closing(Documents(tmp_path / "acs.db")) as documents:
        asyncio.run(live())
    assert calls[:2] == ["0 BOOTSTRAP", "1 BOOT"]
    assert ("2 PERIODIC" in calls) is calls_again
