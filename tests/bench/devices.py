"""The lab's devices, each in a process of its own, as Nornir hosts that our connection plugins reach."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory

from engine.ports import Change, CheckRequest, Outcome, Push, TransactionState
from lab.credentials import credentials
from lab.registry import endpoint_of
from lab.standin import running
from tasks.access import Access, apply
from tasks.kinds import for_platform as kind_of
from tests.bench.machine import ROOT

OLT, BNG = "OLT-EAST-07", "BNG-EAST-01"
OURS = "lab OLT, netconf plugin"
TEMPLATES: Mapping[str, str] = {
    str(path.relative_to(ROOT / "templates")): path.read_text("utf-8") for path in sorted((ROOT / "templates").rglob("*.j2"))
}


@contextmanager
def olt(*, onts: int = 0) -> Iterator[tuple[Path, Host]]:
    """The lab's OLT, with so many lines on it already: the lab's folder, and the host."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Path(folder)
        (lab / OLT).mkdir()
        (lab / OLT / "options.json").write_text(json.dumps({"onts": onts}), encoding="utf-8")
        with _device(lab, "olt", OLT, "bbf-olt") as host:
            yield lab, host


@contextmanager
def bng() -> Iterator[Host]:
    """The lab's BNG."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / BNG).mkdir()
        with _device(Path(folder), "junos", BNG, "junos") as host:
            yield host


@contextmanager
def _device(lab: Path, kind: str, name: str, platform: str) -> Iterator[Host]:
    with running(kind, name, lab / name, lab=lab):
        found = host(lab, name, platform)
        try:
            yield found
        finally:
            found.close_connections()


def host(lab: Path, name: str, platform: str) -> Host:
    """Another host for the same device: with connections of its own."""
    login = credentials(lab, name).devices[name]
    made = Host(name, platform=platform)
    access = Access(login.user, login.password, "127.0.0.1", port_of(lab, name), known_hosts=lab / "known_hosts", timeout=30)
    apply(Inventory(Hosts({name: made}), Groups(), Defaults()), {name: access})
    return made


def port_of(lab: Path, name: str) -> int:
    """Where a device of the lab listens."""
    endpoint = endpoint_of(lab, name)
    if endpoint is None:
        raise RuntimeError(f"{name} is not there")
    return endpoint.port


def confirmed(device: Host, change: Change, checks: tuple[CheckRequest, ...] = ()) -> None:
    """One transaction as the engine pushes it. Raises RuntimeError unless it ends confirmed: then there is nothing to measure."""
    outcome: Outcome = kind_of(device.platform or "").push(Push("bench", device.name, change, checks, timeout=120), device)
    if outcome.state is not TransactionState.CONFIRMED:
        raise RuntimeError(f"{device.name}: {outcome}")
