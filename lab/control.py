"""The lab from the outside: `up`, `down`, `status`. What the command line and the tests use.

The lab itself is another process (`lab.supervisor`) that goes on when the caller ends.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lab.clock import LabClock
from lab.credentials import Credentials, credentials
from lab.files import is_locked, locked, wait_unlocked
from lab.process import send
from lab.registry import PROFILES, Listing, named
from lab.standin import PROCESS, SECONDS_TO_STOP, Endpoint, read_endpoint
from lab.supervisor import SECONDS_TO_START, SUPERVISOR, Child, Report, Wish

_DEFAULT = "example"


class LabError(RuntimeError):
    """The lab is not up: what failed, and where its log is."""


class State(StrEnum):
    """What became of a stand-in."""

    READY = "ready"
    STARTING = "starting"
    DEAD = "dead"
    """It ended although the lab is up: `up` starts it again."""
    DOWN = "down"


@dataclass(frozen=True)
class StandInStatus:
    """One stand-in, as it is now."""

    name: str
    kind: str
    state: State
    pid: int | None = None
    endpoint: Endpoint | None = None
    detail: str = ""
    """Why it is not ready, for a person."""


@dataclass(frozen=True)
class Lab:
    """A lab that is up."""

    folder: Path
    endpoints: Mapping[str, Endpoint]
    """By name of the stand-in."""
    credentials: Credentials
    clock: LabClock

    @property
    def known_hosts(self) -> Path:
        """The devices' host keys, in OpenSSH's format."""
        return self.folder / "known_hosts"


def up(
    folder: Path,
    *,
    time_scale: float | None = None,
    pace: float | None = None,
    profile: str | None = None,
    names: Collection[str] | None = None,
) -> Lab:
    """Start the lab in `folder`, or what is missing of it, and return when all of it is ready.

    `time_scale` and `pace` are lab seconds a real second with and without a parcel on the road (`lab.clock`); `profile` ("example" if
    none was chosen before) is the lab's for good; `names` starts a part only. Calling it again, or twice at once, changes nothing.
    Raises LabError when something does not become ready, ValueError for an unknown name or another profile than the lab was made with.
    """
    folder = folder.resolve()
    with locked(folder / "up"):
        _wish(folder, profile, names)
        if not _call_supervisor(folder):
            _start_supervisor(folder)
        unready = [one for one in status(folder) if one.state is not State.READY]
        if unready:
            raise LabError("; ".join(f"{one.name} is {one.state}: {one.detail}" for one in unready))
        clock = LabClock(folder / "clock.json")
        clock.start(pace=pace, time_scale=time_scale)
    return Lab(folder, {one.name: one.endpoint for one in status(folder) if one.endpoint}, credentials(folder), clock)


def down(folder: Path) -> None:
    """End the lab in `folder`, keep its state, and return when none of its processes is left. Lab time stands still from here."""
    folder = folder.resolve()
    with locked(folder / "up"):
        report = Report.read(folder)
        if report is not None:
            if is_locked(folder / SUPERVISOR):
                send(report.pid, signal.SIGTERM)
                if not wait_unlocked(folder / SUPERVISOR, SECONDS_TO_STOP + 5):
                    send(report.pid, signal.SIGKILL)
            # of a supervisor that was killed the children are still ending
            for child in report.children:
                if not wait_unlocked(folder / child.name / PROCESS, SECONDS_TO_STOP + 5):
                    raise LabError(f"{child.name} does not end")
        LabClock(folder / "clock.json").stop()


def status(folder: Path) -> list[StandInStatus]:
    """Return what became of each stand-in of the lab in `folder`."""
    folder = folder.resolve()
    report = Report.read(folder) if is_locked(folder / SUPERVISOR) else None
    children = {child.name: child for child in report.children} if report else {}
    try:
        wish = Wish.read(folder)
        listings = named(wish.names, wish.profile)
    except FileNotFoundError:
        listings = list(PROFILES[_DEFAULT])
    return [_status(folder, listing, children.get(listing.name)) for listing in listings]


def _status(folder: Path, listing: Listing, child: Child | None) -> StandInStatus:
    if child is None:
        return StandInStatus(listing.name, listing.kind, State.DOWN, detail="not started")
    log = folder / listing.name / "log.txt"
    if child.exit is not None or not is_locked(folder / listing.name / PROCESS):
        how = "just now" if child.exit is None else f"with {child.exit}"
        return StandInStatus(listing.name, listing.kind, State.DEAD, child.pid, detail=f"ended {how}; its log is {log}")
    endpoint = read_endpoint(folder / listing.name)
    if endpoint is None or endpoint.pid != child.pid:
        return StandInStatus(listing.name, listing.kind, State.STARTING, child.pid, detail=f"not ready yet; its log is {log}")
    return StandInStatus(listing.name, listing.kind, State.READY, child.pid, endpoint)


def _wish(folder: Path, profile: str | None, names: Collection[str] | None) -> None:
    """Note what the lab shall be: what it was, and what is asked for now."""
    if profile is not None and profile not in PROFILES:
        raise ValueError(f"no profile {profile!r}; there are: {', '.join(PROFILES)}")
    try:
        old = Wish.read(folder)
    except FileNotFoundError:
        old = Wish(profile or _DEFAULT, ())
    if profile is not None and profile != old.profile:
        raise ValueError(f"the lab in {folder} has the profile {old.profile}: a lab of profile {profile} needs a folder of its own")
    members = PROFILES[old.profile]
    wanted = members if names is None else named(names, old.profile)
    alive = old.names if is_locked(folder / SUPERVISOR) else ()
    together = {*alive, *(listing.name for listing in wanted)}
    Wish(old.profile, tuple(listing.name for listing in members if listing.name in together)).write(folder)


def _call_supervisor(folder: Path) -> bool:
    """Have the supervisor start what is missing and wait until it has; False when there is no supervisor."""
    before = Report.read(folder)
    if before is None or not is_locked(folder / SUPERVISOR):
        return False
    if all(one.state is State.READY for one in status(folder)):
        return True
    send(before.pid, signal.SIGHUP)
    deadline = time.monotonic() + SECONDS_TO_START + 5
    while (now := Report.read(folder)) is None or now.served == before.served:
        if not is_locked(folder / SUPERVISOR):
            return False
        if time.monotonic() > deadline:
            raise LabError(f"the supervisor does not answer; its log is {folder / 'supervisor.log'}")
        time.sleep(0.01)  # it answers by a file, and is another process: nothing tells us when
    return True


def _start_supervisor(folder: Path) -> None:
    """Start the supervisor; it returns to us when it has become a daemon and all is ready."""
    command = [sys.executable, "-m", "lab.supervisor", str(folder)]
    log = folder / "supervisor.log"
    with log.open("ab") as output:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, check=False)
    if done.returncode:
        raise LabError(f"the lab's supervisor did not start; its log is {log}")
