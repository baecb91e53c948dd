"""A lab with a database, in a folder of its own: what orders are thrown at while processes die."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engine.acceptance import Acceptance
from engine.batch import Workplace
from engine.cancel import cancel
from engine.catalogue.catalogue import Catalogue
from engine.catalogue.loader import load as load_catalogue
from engine.errors import CancelDenied, OrderEnded
from inventory.client import NetBox
from inventory.profile import load_profile
from inventory.seed import seed
from lab import control
from lab.control import Lab
from lab.remote import Remote
from tests.null_world import ROOT, superfibre
from turnup.seeding import endpoints
from turnup.settings import Settings, load
from turnup.wiring import Wiring

PROFILE = "bench"
FIRST_CUSTOMER = 5000
INJECTED = "injected by chaos"
"""Part of every permanent refusal that is injected: an order may be held for it."""

_SETTINGS = {
    "TURNUP_LAB__PROFILE": PROFILE,
    # a day and a half in less than a second
    "TURNUP_LAB__TIME_SCALE": "200000",
    "TURNUP_LAB__PACE": "1500",
    "TURNUP_NETBOX__TIMEOUT": "2",
    "TURNUP_TARGETS__*__TIMEOUT": "2",
    "TURNUP_WORKER__SWEEP": "0.2",
    "TURNUP_WORKER__THREADS": "8",
}


@dataclass(frozen=True)
class World:
    """A lab that is up, and how processes reach it and its database."""

    folder: Path
    database: str
    lab: Lab

    @property
    def settings(self) -> Settings:
        """The program's settings in this world."""
        return settings_of(self.folder, self.database)

    def remote(self, name: str) -> Remote:
        """The control endpoint of a stand-in."""
        return Remote(self.lab.endpoints[name])

    def heal(self) -> None:
        """No stand-in fails any more."""
        for name in self.lab.endpoints:
            self.remote(name).heal()


def settings_of(folder: Path, database: str) -> Settings:
    """The program's settings for this folder and database, whatever this process' environment says."""
    for name in [name for name in os.environ if name.startswith("TURNUP_")]:
        del os.environ[name]
    os.environ.update(_SETTINGS, DATABASE_URL=database)
    return load(folder)


@contextlib.contextmanager
def world(folder: Path, database: str | None = None, orders: int = 200) -> Iterator[World]:
    """Bring a lab up that has room for this many orders, take it down afterwards."""
    settings = settings_of(folder, database or f"sqlite:///{folder / 'turnup.db'}")
    folder.mkdir(parents=True, exist_ok=True)
    lab = control.up(settings.lab_folder, time_scale=settings.lab.time_scale, pace=settings.lab.pace, profile=PROFILE)
    try:
        _seed(settings, lab, orders)
        yield World(folder, settings.database, lab)
    finally:
        control.down(settings.lab_folder)


def _seed(settings: Settings, lab: Lab, orders: int) -> None:
    """The bench profile with less in stock: 4,000 routers take longer to seed than a short run lasts."""
    found = load_profile(PROFILE)
    stock = tuple(part.model_copy(update={"count": orders + 10}) for part in found.stock)
    client = NetBox(lab.endpoints["netbox"].url or "", lab.credentials.netbox_token)
    try:
        seed(client, found.model_copy(update={"stock": stock}), endpoints(lab))
    finally:
        client.close()
    # as turnup.seeding notes it: or the first worker would seed the whole profile
    memory = json.dumps({"profile": PROFILE, "endpoints": endpoints(lab)}, sort_keys=True)
    (settings.lab_folder / "seeded.json").write_text(memory, "utf-8")


def patient(catalogue: Catalogue) -> Catalogue:
    """The same catalogue, retrying soon and as long as it takes: faults that pass must not hold an order."""
    rules = tuple(rule.model_copy(update={"backoff": 0.2, "backoff_max": 1.0, "limit": 10_000}) for rule in catalogue.failure_policy)
    return replace(catalogue, failure_policy=rules)


class Submitter:
    """Submits one order after the other, and takes some back, as a portal beside the workers would."""

    def __init__(self, wiring: Wiring) -> None:
        at = Workplace(wiring.store, wiring.inventory, wiring.targets)
        self._at, self._acceptance = at, Acceptance(at, patient(load_catalogue(ROOT / "catalog", ROOT / "templates")))
        self.accepted: list[str] = []
        self.taken_back: set[str] = set()

    def submit(self, count: int) -> None:
        """Have this many more accepted."""
        for _ in range(count):
            self.accepted.append(self._acceptance.submit(superfibre(FIRST_CUSTOMER + len(self.accepted))).id)

    def cancel(self, order: str, *, recall: bool) -> None:
        """Take an order back, unless it has ended or what it has sent is on its way."""
        with contextlib.suppress(CancelDenied, OrderEnded):
            cancel(self._at, order, "somebody changed their mind", recall=recall)
            self.taken_back.add(order)
