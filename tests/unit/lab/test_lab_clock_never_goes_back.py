"""Of two readings of the lab's clock, one after the other, by whoever, the second is never the earlier time."""

import contextlib
import itertools
import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab import clock as module
from lab.clock import LabClock
from lab.files import locked, write_atomically


class RealSeconds:
    """Stands for the machine's monotonic clock; `when_asked` happens once, while the next one waits for its answer."""

    def __init__(self) -> None:
        self.value = 1000.0
        self.when_asked: Callable[[], None] | None = None

    def __call__(self) -> float:
        happening, self.when_asked = self.when_asked, None
        if happening:
            happening()
        return self.value


@pytest.fixture
def real() -> RealSeconds:
    return RealSeconds()


@pytest.fixture
def fast(tmp_path: Path, real: RealSeconds) -> LabClock:
    """A clock that runs fast."""
    clock = LabClock(tmp_path / "clock.json", monotonic=real)
    clock.start(pace=600, time_scale=10_800)
    clock.run_fast("parcel")
    return clock


def test_who_was_not_let_run_while_the_rate_changed_does_not_go_by_the_old_one(tmp_path: Path, real: RealSeconds, fast: LabClock) -> None:
    slow = LabClock(tmp_path / "clock.json", monotonic=real)
    slow.now()

    def delivered() -> None:
        fast.run_normal("parcel")
        real.value += 1

    real.when_asked = delivered
    first = slow.now()
    assert first <= fast.now()


@pytest.mark.parametrize("ask", ["real_seconds_until", "least_seconds_until"])
def test_nor_is_a_moment_passed_by_the_old_rate(tmp_path: Path, real: RealSeconds, fast: LabClock, ask: str) -> None:
    slow = LabClock(tmp_path / "clock.json", monotonic=real)
    moment = slow.now() + timedelta(hours=1)

    def delivered() -> None:
        fast.run_normal("parcel")
        real.value += 1

    real.when_asked = delivered
    assert getattr(slow, ask)(moment) > 0
    assert fast.now() < moment


def test_who_reads_while_the_rate_changes_is_not_ahead_of_the_new_one(
    tmp_path: Path, real: RealSeconds, fast: LabClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[datetime] = []
    readers: list[threading.Thread] = []

    def write_late(path: Path, text: str, mode: int) -> None:
        """Whoever changes the clock is not let run for a second before it writes, and somebody reads."""
        real.value += 1
        begun = threading.Event()

        @contextlib.contextmanager
        def noted(path: Path) -> Iterator[object]:
            begun.set()
            with locked(path) as file:
                yield file

        def read() -> None:
            seen.append(LabClock(tmp_path / "clock.json", monotonic=real).now())
            begun.set()

        monkeypatch.setattr(module, "locked", noted)
        readers.append(threading.Thread(target=read))
        readers[-1].start()
        begun.wait()
        write_atomically(path, text, mode)

    monkeypatch.setattr(module, "write_atomically", write_late)
    fast.run_normal("parcel")
    for reader in readers:
        reader.join()
    assert seen
    assert max(seen) <= fast.now()


def test_whoever_dies_while_it_changes_the_rate_leaves_a_clock_that_goes_on(
    tmp_path: Path, real: RealSeconds, fast: LabClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_and_die(path: Path, text: str, mode: int) -> None:
        write_atomically(path, text, mode)
        raise KeyboardInterrupt

    before = fast.now()
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_atomically", write_and_die)
        with pytest.raises(KeyboardInterrupt):
            fast.run_normal("parcel")
    real.value += 1
    assert fast.now() - before == timedelta(hours=3)
    assert LabClock(tmp_path / "clock.json", monotonic=real).now() - before == timedelta(hours=3)
    fast.run_normal("parcel")
    real.value += 1
    assert fast.now() - before == timedelta(hours=3, minutes=10)


def test_it_stands_from_the_moment_at_which_it_was_stopped_and_goes_on_from_there(real: RealSeconds, fast: LabClock) -> None:
    real.value += 1
    before = fast.now()
    fast.stop()
    assert fast.now() == before
    real.value += 1
    fast.start()
    assert fast.now() == before


def test_a_change_is_seen_although_the_new_file_has_number_and_time_of_the_old_one(
    tmp_path: Path, real: RealSeconds, fast: LabClock
) -> None:
    path = tmp_path / "clock.json"
    reader = LabClock(path, monotonic=real)
    began, status = reader.now(), path.stat()
    path.write_text(path.read_text().replace("10800", "20800"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    real.value += 1
    assert reader.now() - began == timedelta(seconds=20_800)


def test_the_file_of_an_earlier_version_is_read(tmp_path: Path, real: RealSeconds, fast: LabClock) -> None:
    path = tmp_path / "clock.json"
    piece = json.loads(path.read_text())
    del piece["changing"]
    path.write_text(json.dumps(piece))
    assert LabClock(path, monotonic=real).now() == fast.now()


Turn = tuple[int, float, int]
"""Who goes on, how many real seconds later, over how many pauses."""


class Stage:
    """Lets one of its actors (threads) at a time go on, from pause to pause; which one, and how late it is then, the test says."""

    def __init__(self, actors: list[Callable[[], None]]) -> None:
        self.real = 1000.0
        self._taken = False
        self._me = threading.local()
        self._back = threading.Semaphore(0)
        self._turns = {number: threading.Semaphore(0) for number in range(len(actors))}
        self._threads = [threading.Thread(target=self._act, args=each) for each in enumerate(actors)]
        for thread in self._threads:
            thread.start()

    def play(self, turns: list[Turn]) -> None:
        """Give these turns, then turns to all until all are at their end."""
        everybody = itertools.cycle([(number, 0.001, 1) for number in self._turns])
        for number, later, pauses in itertools.chain(turns, everybody):
            if not self._turns:
                break
            self.real += later
            for _ in range(pauses):
                if number in self._turns:
                    self._turns[number].release()
                    self._back.acquire()
        for thread in self._threads:
            thread.join()

    def pause(self) -> None:
        """Let the others go on."""
        self._back.release()
        self._me.turn.acquire()

    def monotonic(self) -> float:
        self.pause()
        return self.real

    @contextlib.contextmanager
    def locked(self, _path: Path) -> Iterator[None]:
        self.pause()
        while self._taken:
            self.pause()
        self._taken = True
        try:
            yield
        finally:
            self._taken = False

    def write(self, path: Path, text: str, mode: int) -> None:
        self.pause()
        write_atomically(path, text, mode)

    def _act(self, number: int, play: Callable[[], None]) -> None:
        self._me.turn = self._turns[number]
        self._me.turn.acquire()
        play()
        del self._turns[number]
        self._back.release()


class StagedClock(LabClock):
    """Pauses before it reads its file, too."""

    def __init__(self, path: Path, stage: Stage) -> None:
        super().__init__(path, monotonic=stage.monotonic)
        self._stage = stage

    def _read(self) -> module.Piece:
        self._stage.pause()
        return super()._read()


@dataclass(frozen=True)
class Reading:
    begun: int
    ended: int
    seen: datetime


ACTS: dict[str, Callable[[LabClock], object]] = {
    "now": LabClock.now,
    "start": lambda clock: clock.start(pace=600, time_scale=10_800),
    "start at another rate": lambda clock: clock.start(pace=60, time_scale=100_000),
    "stop": LabClock.stop,
    "a on the road": lambda clock: clock.run_fast("a"),
    "a arrived": lambda clock: clock.run_normal("a"),
    "b on the road": lambda clock: clock.run_fast("b"),
    "b arrived": lambda clock: clock.run_normal("b"),
}
READERS = st.lists(st.just(["now"] * 6), min_size=1, max_size=2)
CHANGERS = st.lists(st.lists(st.sampled_from(list(ACTS)), min_size=1, max_size=5), min_size=1, max_size=2)
TURNS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 1e-6, 0.001, 0.013, 0.1, 2.0]), st.integers(1, 6)), max_size=60)


@settings(max_examples=200)
@given(parts=st.tuples(READERS, CHANGERS).map(lambda both: both[0] + both[1]), turns=TURNS)
def test_whoever_reads_and_changes_it_and_wherever_they_are_interrupted_it_does_not_go_back(
    parts: list[list[str]], turns: list[Turn]
) -> None:
    readings: list[Reading] = []
    count = itertools.count()

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "clock.json"
        LabClock(path, monotonic=lambda: 1000.0).start(pace=600, time_scale=10_800)

        def actor(part: list[str]) -> Callable[[], None]:
            def act() -> None:
                clock = StagedClock(path, stage)
                for name in part:
                    begun = next(count)
                    seen = ACTS[name](clock)
                    if isinstance(seen, datetime):
                        readings.append(Reading(begun, next(count), seen))

            return act

        stage = Stage([actor(part) for part in parts])
        patch.setattr(module, "locked", stage.locked)
        patch.setattr(module, "write_atomically", lambda path, text, mode: stage.write(path, text, mode))
        stage.play(turns)
        last = LabClock(path, monotonic=lambda: stage.real).now()
    assert len(readings) == sum(part.count("now") for part in parts)
    for one, other in itertools.product(readings, readings):
        assert one.ended > other.begun or one.seen <= other.seen
    assert max(reading.seen for reading in readings) <= last
