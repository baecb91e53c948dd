"""Computing a change on a device that few and that 30,000 services share: it must cost the service's own size, not their number."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.ports import Change, Fragment, Node
from engine.store.configurations import Configurations, Entry
from engine.store.database import Database
from engine.store.migrate import migrate
from engine.store.store import Store
from engine.vault import Vault
from tasks.change import for_platform
from tasks.render import render
from tests.bench.bench import Bench, Scale
from tests.bench.devices import BNG, TEMPLATES
from tests.bench.figure import Figure, of_samples
from tests.bench.line import line
from tests.null_world import TestClock

_OWN = ("vlan-service", "ip-profile", "qos-profile")
_SHARED = "qos-policy"
_UNIT, _PREFIX = "990042", "2001:db8:9900:42::/64"
"""Of the service that all others are copies of: replaced by their own."""
_JUNOS = for_platform("junos")
_AT_ONCE = 500


def _changes(scale: Scale) -> Iterator[Figure]:
    few, many = 10, scale.of(30_000, 1_000)
    against = "BNG as templates render it, SQLite"
    medians = []
    with tempfile.TemporaryDirectory() as folder:
        device = _Device(Path(folder))
        for services in (few, many):
            device.fill(services)
            samples = [device.change() for _ in range(scale.of(40, 5))][1:]
            medians.append(statistics.median(samples))
            yield of_samples(f"computing a change, {services:,} services share the device", samples, "ms", against)
        device.close()
    ratio = medians[1] / medians[0]
    yield Figure(f"the same, {many:,} services against {few}", ratio, "times", 1, ratio, ratio, against)


class _Device:
    """A BNG in a store of its own, and the services on it."""

    def __init__(self, folder: Path) -> None:
        database = Database(f"sqlite:///{folder / 'turnup.db'}")
        migrate(database)
        self._store = Store(database, Vault.from_file(folder / "secret.key"), TestClock())
        self._configurations = Configurations(self._store)
        context = line(vid=_UNIT, prefix=_PREFIX)
        self._texts = {name: render("junos", name, context, TEMPLATES) for name in (*_OWN, _SHARED)}
        self._nodes = {name: _JUNOS.nodes(text) for name, text in self._texts.items()}
        self._services = 0
        self._next = itertools.count(900_000)

    def fill(self, services: int) -> None:
        """Let the device have so many services."""
        while self._services < services:
            numbers = range(self._services, min(services, self._services + _AT_ONCE))
            stated = {Entry(fragment.key, fragment): nodes for number in numbers for fragment, nodes in self._of(number)}
            with self._store.database.write() as tx:
                target = self._configurations.target_id(tx, BNG, "junos")
                self._configurations.apply(tx, target, None, stated)
            self._services = numbers.stop

    def _of(self, number: int) -> Iterator[tuple[Fragment, Sequence[Node]]]:
        """What a service states, with its nodes: those of the first with another number, for parsing each would take minutes."""
        for name in _OWN:
            nodes = [Node(_numbered(node.path, number), _numbered(node.value, number)) for node in self._nodes[name]]
            yield Fragment(BNG, f"SI-INT-{number}/{name}", _numbered(self._texts[name], number)), nodes
        yield Fragment(BNG, f"policy/{_SHARED}", self._texts[_SHARED]), self._nodes[_SHARED]

    def change(self) -> float:
        """Compute the change of one more service as the engine does; milliseconds. Nothing is kept of it."""
        number = next(self._next)
        wanted = [fragment for fragment, _ in self._of(number)]
        keys = [fragment.key for fragment in wanted]
        began = time.perf_counter()
        with self._store.database.read() as tx:
            applied = self._configurations.applied(tx, BNG, keys)
            stated = [node for fragment in (*applied.values(), *wanted) for node in _JUNOS.nodes(fragment.text)]
            others = self._configurations.others(tx, BNG, keys, stated)
        change = _JUNOS.change([fragment.text for fragment in applied.values()], [fragment.text for fragment in wanted], others)
        took = (time.perf_counter() - began) * 1000
        _must_be_the_service_alone(change, number)
        return took

    def close(self) -> None:
        self._store.database.close()


def _numbered(text: str, number: int) -> str:
    return text.replace(_UNIT, str(number)).replace(_PREFIX, f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::/64")


def _must_be_the_service_alone(change: Change, number: int) -> None:
    """What others have is not sent again. Raises RuntimeError: a fast wrong answer is no figure."""
    lines = change.forward.splitlines()
    if not lines or not all(str(number) in line for line in lines):
        raise RuntimeError(f"not the change of one service: {change.forward}")


BENCHES = (Bench("change", _changes),)
