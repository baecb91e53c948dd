"""A machine with turnup and its lab, on which things go wrong: commands in this process, stand-ins over real sockets, copies to break."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from lxml import etree

from engine.documents import OrderDocument
from lab import control
from lab.credentials import Credentials, credentials
from lab.registry import EMBEDDED, endpoint_of
from lab.remote import Remote
from lab.standin import Endpoint
from tests.netconf_wire import canonical
from turnup.cli import main
from turnup.logs import logging_to
from turnup.playbook import load as read_playbook
from turnup.running import Run, RunDocument
from turnup.settings import load as read_settings
from turnup.wiring import Wiring

ROOT = Path(__file__).parents[3]
PLAYBOOK = ROOT / "playbooks" / "superfibre-200.yaml"
OLT, SWITCH, BNG, DHCP, ACS = "OLT-EAST-07", "ASW-EAST-07", "BNG-EAST-01", "DHCP-EAST-01", "ACS-01"
NETBOX, LOGISTICS = "netbox", "logistics"
NAMES = tuple(listing.name for listing in EMBEDDED)
DEVICES = (OLT, SWITCH, BNG)
NETWORK, CPE = ("ROI-001", "ROI-002", "ROI-003", "ROI-004"), ("ROI-005", "ROI-006", "ROI-007")
"""Items of the two branches."""
FAST = {
    "TURNUP_LAB__TIME_SCALE": "200000",
    "TURNUP_LAB__PACE": "3000",
    "TURNUP_WORKER__SWEEP": "0.1",
    "TURNUP_WORKER__PAUSE": "0.2",
}
"""A day and a half in less than a second, and no target that did not answer is left alone for long."""


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its JSON document: all of stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The error that it ended with."""
        found: dict[str, str] = self.document["error"]
        return found


@dataclass
class Machine:
    """turnup with a home folder of its own. Its failure policy is the catalogue's, with its patience cut short."""

    folder: Path
    said: list[str] = field(default_factory=list)
    """All that was printed."""
    broken: set[str] = field(default_factory=set)
    """Stand-ins that do not work as they should."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(5001))

    # -- the program ---------------------------------------------------------------------------------------------------
    @property
    def home(self) -> Path:
        """Its state."""
        return self.folder / "home"

    def __call__(self, *arguments: str | Path, **more: str) -> Done:
        """Run a command to its end, in this process: everything but the start of an interpreter. `more`: environment variables."""
        out, err = io.StringIO(), io.StringIO()
        with self._environment(more), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(argument) for argument in arguments])
        return self._done(code, out.getvalue(), err.getvalue())

    def process(self, *arguments: str | Path, **more: str) -> Done:
        """Run a command to its end as a process of its own. This process's environment stays as it is: threads may do this at a time."""
        command = [sys.executable, "-m", "turnup", *map(str, arguments)]
        environment = self._variables(more)
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False)
        return self._done(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def wired(self, **more: str) -> Iterator[Wiring]:
        """The parts of the program, with the lab up and every target known: what happens from here on it must find out by itself."""
        with self._environment(more):
            settings = read_settings()
        wiring = Wiring(settings)
        try:
            with logging_to(self.home / "turnup.log"):
                _ = wiring.nornir
                yield wiring
        finally:
            wiring.close()

    def run(
        self,
        playbook: Path,
        wiring: Wiring,
        *,
        begun: Callable[[], None] = lambda: None,
        seen: Callable[[OrderDocument], None] = lambda _: None,
    ) -> RunDocument:
        """Order and follow; `begun` is called when the order is accepted, `seen` with every change."""
        document = Run(wiring, lambda _accepted, _working: begun(), seen).order(read_playbook(playbook))
        self.said.append(document.model_dump_json())
        return document

    def _done(self, code: int, out: str, err: str) -> Done:
        self.said += [out, err]
        assert "Traceback" not in err + out, err + out
        return Done(code, out, err)

    def _variables(self, more: Mapping[str, str]) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TURNUP_", "DATABASE_URL"))}
        here = {"TURNUP_HOME": str(self.home), "TURNUP_CATALOGUE": str(self.impatient)}
        return {**clean, **FAST, **here, **more}

    @contextlib.contextmanager
    def _environment(self, more: Mapping[str, str]) -> Iterator[None]:
        with patch.dict(os.environ, self._variables(more), clear=True):
            yield

    # -- what it is given ----------------------------------------------------------------------------------------------
    def playbook(self, change: Callable[[dict[str, Any]], object] = lambda _: None) -> Path:
        """The worked example's order for a customer that nobody has had yet, changed."""
        number = next(self._numbers)
        order = yaml.safe_load(PLAYBOOK.read_text("utf-8"))
        order["externalId"] = f"SF200-CUST-{number}"
        order["customer"] = {"id": f"CUST-{number}", "name": f"Customer {number}", "account": f"ACC-{number}"}
        change(order)
        path = self.folder / f"order-{number}.yaml"
        path.write_text(yaml.safe_dump(order, sort_keys=False), "utf-8")
        return path

    @property
    def impatient(self) -> Path:
        """The catalogue with retries that follow one another at once."""
        folder = self.folder / "catalogue"
        if not folder.exists():
            shutil.copytree(ROOT / "catalog", folder)
            policy = folder / "failure-policy.yaml"
            rules = yaml.safe_load(policy.read_text("utf-8"))
            for rule in rules["failure_policy"]:
                if rule["then"] == "retry":
                    rule |= {"backoff": 0.05, "backoff_max": 0.2}
            policy.write_text(yaml.safe_dump(rules), "utf-8")
        return folder

    def copied(self, name: str, file: str, old: str, new: str) -> Path:
        """A copy of the folder `catalog` or `templates` in which one piece of one file reads differently."""
        source = self.impatient if name == "catalog" else ROOT / name
        folder = self.folder / f"{name}-{next(self._numbers)}"
        shutil.copytree(source, folder)
        path = folder / file
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{file} has {text.count(old)} times {old!r}"
        path.write_text(text.replace(old, new), "utf-8")
        return folder

    # -- what is around it ---------------------------------------------------------------------------------------------
    @property
    def lab(self) -> Path:
        """The lab's folder."""
        return self.home / "lab"

    @property
    def credentials(self) -> Credentials:
        """The lab's."""
        return credentials(self.lab)

    def endpoint(self, name: str) -> Endpoint:
        """Where a stand-in is reached."""
        found = endpoint_of(self.lab, name)
        assert found is not None, f"{name} is not ready"
        return found

    def stand_in(self, name: str) -> Remote:
        """The control endpoint of a stand-in."""
        return Remote(self.endpoint(name))

    def fail(self, name: str, on: str, do: str, **more: Any) -> None:
        """Let a stand-in fail (`lab.remote.Remote.fail`) until the test is over."""
        self.broken.add(name)
        self.stand_in(name).fail(on, do, **more)

    def kill(self, name: str) -> None:
        """End a stand-in as `kill -9` does, until the test is over."""
        self.broken.add(name)
        self.stand_in(name).kill()

    def heal(self) -> None:
        """Everything works again."""
        if self.broken:
            control.up(self.lab)
        for name in self.broken:
            self.stand_in(name).heal()
        self.broken.clear()

    def holds(self, *names: str) -> dict[str, Any]:
        """Everything that the stand-ins hold (default: all of them), but what customers' routers show and tell by themselves."""
        found = {name: self.stand_in(name).state() for name in names or NAMES}
        for name, of_customers in ((ACS, ("devices", "routers")), (OLT, ("onts",))):
            for key in of_customers:
                found.get(name, {}).pop(key, None)
        if LOGISTICS in found:  # when a customer plugs a router in, and whether a webhook was taken yet, is no part of it
            for webhook in found[LOGISTICS]["webhooks"]:
                del webhook["state"], webhook["attempts"]
            for parcel in found[LOGISTICS]["parcels"]:
                parcel.pop("plugged_in")
        for name in (OLT, SWITCH):
            if name in found:  # a device that was started again lists the same in another order
                found[name]["running"] = canonical(etree.fromstring(f"<running>{found[name]['running']}</running>"))
        return found

    def orders(self) -> list[str]:
        """The ids of the orders that there are."""
        return [order["id"] for order in self("orders", "--json").document["orders"]]
