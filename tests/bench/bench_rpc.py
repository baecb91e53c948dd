"""NETCONF and Junos on loopback: latency of an RPC, of a transaction, and how a transaction grows with what it carries.

Against the lab's own stand-ins in their own processes; stock ncclient on the same server stands beside ours.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from ncclient import manager
from ncclient.manager import Manager
from nornir.core.inventory import Host

from engine.ports import Change
from lab.credentials import credentials
from tasks.change import for_platform
from tasks.connections.netconf import netconf_of
from tasks.netconf.session import NetconfSession, config_text
from tasks.render import render
from tasks.transaction import Deadline
from tests.bench.bench import Bench, Scale
from tests.bench.devices import OLT, OURS, TEMPLATES, bng, confirmed, host, olt, port_of
from tests.bench.figure import Figure, Goal, of_samples, p95, timed
from tests.bench.line import line

_IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
_STOCK = f"lab OLT, stock ncclient {version('ncclient')}"
_ONE_INTERFACE = f'<interfaces xmlns="{_IF}"><interface><name>uplink-1</name></interface></interfaces>'


def _rpcs(scale: Scale) -> Iterator[Figure]:
    """One small get-config, and the six RPCs of a transaction, on an open session."""
    texts = (f"bench {number}" for number in itertools.count())
    with olt() as (lab, device):
        with netconf_of(device).use() as ours:
            samples = timed(lambda: _get(ours), scale.of(500, 50), warm_up=20)
            yield of_samples("NETCONF RPC", samples, "ms", OURS, Goal("<=", 2))
            yield p95("NETCONF RPC", samples, "ms", OURS)
            session = NetconfSession(ours, OLT, Deadline(600))
            samples = timed(lambda: six(session, _described(text := next(texts)), text), scale.of(100, 10), warm_up=5)
            yield of_samples("six-RPC transaction", samples, "ms", OURS, Goal("<=", 15))
            yield p95("six-RPC transaction", samples, "ms", OURS)
        with stock(lab) as theirs:
            samples = timed(lambda: _get(theirs), scale.of(20, 3))
            yield of_samples("NETCONF RPC, stock ncclient", samples, "ms", _STOCK)
            yield p95("NETCONF RPC, stock ncclient", samples, "ms", _STOCK)
            samples = timed(lambda: six_stock(theirs, _described(text := next(texts)), text), scale.of(10, 2))
            yield of_samples("six-RPC transaction, stock ncclient", samples, "ms", _STOCK)


def _get(session: Manager) -> None:
    session.get_config("running", filter=("subtree", _ONE_INTERFACE))


def _described(text: str) -> str:
    return f'<interfaces xmlns="{_IF}"><interface><name>uplink-1</name><description>{text}</description></interface></interfaces>'


def six(session: NetconfSession, edit: str, name: str) -> None:
    """Lock, edit, validate, commit confirmed by this name, confirm, unlock."""
    session.lock()
    session.edit_config(edit)
    session.validate()
    session.commit_confirmed(60, name)
    session.confirm(name)
    session.unlock()


def six_stock(session: Manager, edit: str, name: str) -> None:
    """The same as stock ncclient is used."""
    session.lock("candidate")
    session.edit_config(config_text(edit), target="candidate", error_option="rollback-on-error", test_option="test-then-set")
    session.validate("candidate")
    session.commit(confirmed=True, timeout="60", persist=name)
    session.commit(persist_id=name)
    session.unlock("candidate")


def stock(lab: Path) -> Manager:
    """A session of stock ncclient with the lab's OLT."""
    login = credentials(lab, OLT).devices[OLT]
    return manager.connect(
        host="127.0.0.1",
        port=port_of(lab, OLT),
        username=login.user,
        password=login.password,
        hostkey_verify=False,
        allow_agent=False,
        look_for_keys=False,
    )


def _batches(scale: Scale) -> Iterator[Figure]:
    """Whole transactions, as the engine pushes them: N bearers are created in one, and taken away in another."""
    against = f"{OURS}, bearers as the template renders them"
    with olt() as (_, device):
        for count, runs in ((1, scale.of(20, 2)), (10, scale.of(10, 2)), (100, scale.of(3, 1))):
            created, removed = _create_and_remove(device, _bearers(count), runs)
            yield of_samples(f"transaction that creates {count} bearers", created, "ms", against)
            yield of_samples(f"transaction that removes {count} bearers", removed, "ms", against)
    unit = "interfaces ge-0/0/1 unit 1042"
    with bng() as device:
        created, removed = _create_and_remove(device, Change(f"set {unit} vlan-id 1042", f"delete {unit}"), scale.of(20, 2))
    yield of_samples("transaction, one unit of the BNG", created + removed, "ms", "lab Junos, stock NAPALM driver on our session")


def _create_and_remove(device: Host, change: Change, runs: int) -> tuple[list[float], list[float]]:
    created, removed = [], []
    for number in range(runs + 1):
        created += timed(lambda: confirmed(device, change), 1, warm_up=0)
        removed += timed(lambda: confirmed(device, Change(change.reverse, change.forward)), 1, warm_up=0)
        if number == 0:  # the first one opens the session
            created, removed = [], []
    return created, removed


def _bearers(count: int) -> Change:
    """Return the change that creates `count` bearers, as the templates render them, 64 on a port."""
    places = (divmod(number, 64) for number in range(count))
    lines = [line(slot=2, port=port + 1, onu=onu + 1, serial=64 * port + onu) for port, onu in places]
    texts = [render("bbf-olt", "gpon-bearer", one, TEMPLATES) for one in lines]
    return for_platform("bbf-olt").change([], texts, {})


def _idle(scale: Scale) -> Iterator[Figure]:
    """What a hundred sessions cost that nobody uses."""
    with olt() as (lab, _):
        hosts = [host(lab, OLT, "bbf-olt") for _ in range(100)]
        try:
            for one in hosts:
                netconf_of(one)
            samples = [_load(scale.of(4.0, 0.5)) for _ in range(scale.of(3, 1))]
        finally:
            for one in hosts:
                one.close_connections()
    yield of_samples("100 idle sessions", samples, "% of a core", OURS, Goal("<=", 1))


def _load(seconds: float) -> float:
    """Return what this process uses of a core while it does nothing."""
    cpu, wall = time.process_time(), time.perf_counter()
    time.sleep(seconds)
    return 100 * (time.process_time() - cpu) / (time.perf_counter() - wall)


BENCHES = (Bench("rpc", _rpcs), Bench("batch transactions", _batches), Bench("idle sessions", _idle))
