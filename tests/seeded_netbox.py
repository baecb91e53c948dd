"""A NetBox that holds a seeding profile, for tests of the inventory: seeded once a session and version, copied for each test.

It runs in a thread of the test (a process of its own takes five times as long to start), behind a real socket all the same.
"""

import asyncio
import contextlib
import json
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.ports import Allocation, Mark, Need, Shortage
from inventory.adapter import NetBoxResources
from inventory.client import NetBox
from inventory.profile import Profile, load_profile
from inventory.seed import seed
from inventory.session import Call, Patience
from lab.credentials import credentials
from lab.netbox.app import NetBox as StandIn
from lab.remote import Remote
from lab.standin import Endpoint, Place, running

VERSIONS = ("4.6", "4.4")
QUICK = Patience(connect=10.0, read=60.0, retries=0)


@dataclass
class SeededNetBox:
    """A running NetBox, ways to it, and what was asked of it."""

    endpoint: Endpoint
    url: str
    token: str
    token_v1: str
    version: str
    closing: ExitStack
    calls: list[Call] = field(default_factory=list)

    @property
    def remote(self) -> Remote:
        """Its control endpoint."""
        return Remote(self.endpoint)

    def client(self, *, token: str | None = None, patience: Patience = QUICK) -> NetBox:
        """A client of its own, its calls counted."""
        client = NetBox(self.url, token or self.token, patience=patience, on_call=self.calls.append)
        self.closing.callback(client.close)
        return client

    def resources(self, *, token: str | None = None, patience: Patience = QUICK) -> NetBoxResources:
        """The adapter as a process of its own would have it: it knows nothing yet."""
        adapter = NetBoxResources(self.url, token or self.token, patience=patience, on_call=self.calls.append)
        self.closing.callback(adapter.close)
        return adapter

    def rows(self, model: str) -> list[dict[str, Any]]:
        """All objects of a model as they are kept."""
        rows: list[dict[str, Any]] = self.remote.state()[model]
        return rows

    def row(self, model: str, key: int) -> dict[str, Any] | None:
        """One object as it is kept, None when it is gone."""
        return next((row for row in self.rows(model) if row["id"] == key), None)

    def marked(self) -> list[tuple[str, str]]:
        """Everything that bears the mark of an order: (model, mark)."""
        state = self.remote.state()
        return sorted(
            (model, row["custom_fields"]["order_item"])
            for model, rows in state.items()
            for row in rows
            if isinstance(row.get("custom_fields"), dict) and row["custom_fields"].get("order_item")
        )


class Templates:
    """Seeded NetBoxes, by version and profile: only their files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, version: str, profile: str = "example") -> Path:
        """The lab folder of one, seeded when it is first asked for."""
        lab = self._folder / f"{version}-{profile}"
        if not lab.exists():
            (lab / "netbox").mkdir(parents=True)
            (lab / "netbox" / "options.json").write_text(json.dumps({"version": version}))
            with in_thread(lab / "netbox") as endpoint:
                client = NetBox(endpoint.url or "", credentials(lab).netbox_token)
                seed(client, _small(load_profile(profile)))
                client.close()
        return lab


def _small(profile: Profile) -> Profile:
    """A profile with a small warehouse: thousands of ONTs take seconds to seed and prove nothing more."""
    return profile.model_copy(update={"stock": tuple(stock.model_copy(update={"count": min(stock.count, 200)}) for stock in profile.stock)})


@contextmanager
def in_thread(folder: Path) -> Iterator[Endpoint]:
    """Run the stand-in in a thread while the block runs."""
    standin = StandIn(Place("netbox", folder, folder.parent))
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    announced: list[Endpoint] = []
    ready = threading.Event()

    def announce(endpoint: Endpoint) -> None:
        announced.append(endpoint)
        ready.set()

    def serve() -> None:
        with contextlib.closing(loop):
            loop.run_until_complete(standin.serve(announce, stop))

    thread = threading.Thread(target=serve, name="netbox")
    thread.start()
    try:
        assert ready.wait(20), "NetBox did not become ready"
        yield announced[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@contextmanager
def seeded_netbox(template: Path, lab: Path, *, process: bool = False) -> Iterator[SeededNetBox]:
    """Run a copy of a seeded NetBox in the folder `lab` while the block runs; `process`: as a process, which can be killed."""
    shutil.copytree(template, lab, ignore=shutil.ignore_patterns("ports.json", "process.lock", "endpoint.json"))
    version = json.loads((lab / "netbox" / "options.json").read_text())["version"]
    known = credentials(lab)
    token = known.netbox_token if version == "4.4" else known.netbox_token_v2
    start = running("netbox", "netbox", lab / "netbox") if process else in_thread(lab / "netbox")
    with start as endpoint, ExitStack() as closing:
        yield SeededNetBox(endpoint, endpoint.url or "", token, known.netbox_token, version, closing)


def line(number: int = 7814, *, site: str = "EAST-07", ipv4: str = "EAST-RES") -> list[Need]:
    """What the resource order of one broadband line asks for, as the catalogue has it."""
    order, service = f"RO-2024-{number:05d}", f"SI-INT-{number}"
    port, vlan = Mark(order, "ROI-001", "port"), Mark(order, "ROI-002", "vlan")
    both = frozenset({port, vlan})
    return [
        Need(port, "olt-port", {"site": site}, service),
        Need(Mark(order, "ROI-001", "ont"), "stock", {"model": "HG8245H"}, service),
        Need(vlan, "vlan", {"group": f"{site}-RES"}, service, frozenset({port})),
        Need(Mark(order, "ROI-003", "ipv4"), "ipv4", {"prefix": ipv4}, service, both),
        Need(Mark(order, "ROI-003", "ipv6"), "ipv6-prefix", {"prefix": "EAST-RES-V6", "length": "64"}, service, both),
    ]


def lines(numbers: Sequence[int]) -> list[Need]:
    """The needs of several orders."""
    return [need for number in numbers for need in line(number)]


def values(results: Mapping[Mark, Allocation | Shortage]) -> list[str]:
    """What was given, in short: `LC3/P12/1`, `HWT2340098`, `1042`, `10.42.17.22`, `2001:db8:42:17::/64`; a shortage as `-<pool>`."""
    return [_value(found) for found in results.values()]


def granted(results: Mapping[Mark, Allocation | Shortage]) -> list[Allocation]:
    """What was given."""
    return [found for found in results.values() if isinstance(found, Allocation)]


def short(results: Mapping[Mark, Allocation | Shortage]) -> list[Shortage]:
    """What was not given."""
    return [found for found in results.values() if isinstance(found, Shortage)]


def _value(found: Allocation | Shortage) -> str:
    if isinstance(found, Shortage):
        return f"{'-' if found.exhausted else '('}{found.pool}"
    given = found.attributes
    place = f"{given.get('name')}/{given.get('onu')}" if found.kind == "olt-port" else None
    return str(place or given.get("serial") or given.get("vid") or given.get("address") or given.get("prefix"))
