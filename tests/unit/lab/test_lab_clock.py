"""The lab's clock."""

import asyncio
import math
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lab import clock as module
from lab.clock import BEGINNING, LabClock


class RealSeconds:
    """Stands for the machine's monotonic clock."""

    def __init__(self) -> None:
        self.value = 1000.0

    def __call__(self) -> float:
        return self.value


@pytest.fixture
def real() -> RealSeconds:
    return RealSeconds()


@pytest.fixture
def clock(tmp_path: Path, real: RealSeconds) -> LabClock:
    return LabClock(tmp_path / "clock.json", monotonic=real)


def passed(clock: LabClock) -> timedelta:
    return clock.now() - BEGINNING


def test_it_begins_in_melbourne_in_march_2024_and_stands_until_it_is_started(clock: LabClock, real: RealSeconds) -> None:
    real.value += 100
    assert clock.now() == datetime.fromisoformat("2024-03-11T09:00:00+11:00")
    assert clock.real_seconds_until(BEGINNING + timedelta(seconds=1)) == math.inf


def test_it_runs_at_its_pace_and_fast_while_any_parcel_is_on_the_road(clock: LabClock, real: RealSeconds) -> None:
    clock.start(pace=600, time_scale=10_800)
    real.value += 1
    assert passed(clock) == timedelta(minutes=10)
    clock.run_fast("a")
    clock.run_fast("b")
    clock.run_fast("b")
    real.value += 1
    assert passed(clock) == timedelta(hours=3, minutes=10)
    clock.run_normal("b")
    real.value += 1
    assert passed(clock) == timedelta(hours=6, minutes=10)
    clock.run_normal("a")
    real.value += 1
    assert passed(clock) == timedelta(hours=6, minutes=20)


def test_it_stands_still_while_the_lab_is_down(clock: LabClock, real: RealSeconds, tmp_path: Path) -> None:
    clock.start(pace=60)
    real.value += 2
    clock.stop()
    real.value += 1000
    again = LabClock(tmp_path / "clock.json", monotonic=real)
    again.start()
    real.value += 1
    assert passed(again) == timedelta(minutes=3)


def test_a_second_start_does_not_turn_it_back(clock: LabClock, real: RealSeconds) -> None:
    clock.start(pace=60)
    real.value += 1
    clock.start(pace=3600)
    assert passed(clock) == timedelta(minutes=1)
    real.value += 1
    assert passed(clock) == timedelta(hours=1, minutes=1)


def test_a_reboot_restarts_the_real_seconds_but_not_the_lab(clock: LabClock, real: RealSeconds, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.start(pace=60)
    real.value += 1
    clock.run_normal("none")  # writes a new piece
    path = clock._path
    real.value = 3.0
    monkeypatch.setattr(module, "_boot", lambda: "another")
    rebooted = LabClock(path, monotonic=real)
    assert passed(rebooted) == timedelta(minutes=1)
    rebooted.start()
    real.value += 1
    assert passed(rebooted) == timedelta(minutes=2)


def test_every_process_sees_a_change_at_once(clock: LabClock, real: RealSeconds, tmp_path: Path) -> None:
    other = LabClock(tmp_path / "clock.json", monotonic=real)
    clock.start(pace=60)
    assert other.real_seconds_until(BEGINNING + timedelta(minutes=2)) == 2.0
    clock.run_fast("parcel")
    assert other.real_seconds_until(BEGINNING + timedelta(hours=6)) == 2.0
    assert other.real_seconds_until(BEGINNING) == 0.0


def test_a_sleeper_wakes_when_the_moment_comes_earlier_than_it_looked(tmp_path: Path) -> None:
    clock = LabClock(tmp_path / "clock.json")
    moment = BEGINNING + timedelta(days=365)

    async def sleep_and_hurry() -> None:
        clock.start(pace=1)
        sleeper = asyncio.create_task(clock.sleep_until(moment))
        await asyncio.sleep(0)
        LabClock(tmp_path / "clock.json").start(pace=1e9)
        await sleeper

    asyncio.run(sleep_and_hurry())
    assert clock.now() >= moment


def test_who_sleeps_wakes_in_the_order_of_the_moments(tmp_path: Path) -> None:
    clock = LabClock(tmp_path / "clock.json")
    clock.start(pace=3600)
    woken: list[int] = []

    async def sleep(hours: int) -> None:
        await clock.sleep_until(BEGINNING + timedelta(hours=hours / 10))
        woken.append(hours)

    async def all_sleep() -> None:
        gone = asyncio.create_task(sleep(1))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(*(sleep(hours) for hours in (4, 2, 3)))

    asyncio.run(all_sleep())
    assert woken == [2, 3, 4]


def test_the_least_seconds_until_a_moment_are_those_at_the_faster_rate(clock: LabClock) -> None:
    clock.start(pace=60, time_scale=3600)
    assert clock.least_seconds_until(BEGINNING + timedelta(hours=2)) == 2.0
    assert clock.least_seconds_until(BEGINNING - timedelta(hours=2)) == 0.0
    clock.stop()
    assert clock.least_seconds_until(BEGINNING + timedelta(hours=2)) == 2.0
