"""NETCONF and Junos on loopback: latency of an RPC, of a transaction, and how a transaction grows with what it carries.

Against the lab's own stand-ins in their own processes; stock ncclient on the same server stands beside ours.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil
from ncclient import manager
from ncclient.manager import Manager
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory

from engine.ports import Change, Outcome, Push, TransactionState
from lab.credentials import credentials
from lab.registry import endpoint_of
from lab.standin import running
from tasks.access import Access, apply
from tasks.change import for_platform
from tasks.connections.netconf import netconf_of
from tasks.kinds import for_platform as kind_of
from tasks.netconf.session import NetconfSession
from tasks.render import render
from tasks.transaction import Deadline
from tests.bench.figure import Figure, of_samples, timed

_ROOT = Path(__file__).parents[2]
_IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
_OLT, _BNG = "OLT-EAST-07", "BNG-EAST-01"
_OURS = "lab OLT, netconf plugin"
_STOCK = "lab OLT, stock ncclient 0.7.0"
_ONE_INTERFACE = f'<interfaces xmlns="{_IF}"><interface><name>uplink-1</name></interface></interfaces>'
_SECONDS_IDLE = 5.0


def figures() -> Iterator[Figure]:
    """Yield all figures of this file, each as soon as it is known. Starts and ends its own stand-ins."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        lab = Path(folder)
        for kind, name in (("olt", _OLT), ("junos", _BNG)):
            (lab / name).mkdir()
            stack.enter_context(running(kind, name, lab / name, lab=lab))
        olt, bng = _host(lab, _OLT, "bbf-olt"), _host(lab, _BNG, "junos")
        stack.callback(olt.close_connections)
        stack.callback(bng.close_connections)
        yield from _rpcs(lab, olt)
        yield from _pushes(olt, bng)
        yield from _idle(lab)


def _rpcs(lab: Path, olt: Host) -> Iterator[Figure]:
    """One small get-config, and the six RPCs of a transaction, on an open session."""
    texts = (f"bench {number}" for number in itertools.count())
    with netconf_of(olt).use() as ours:
        yield of_samples("NETCONF RPC", timed(lambda: _get(ours), 300, warm_up=20), "ms", _OURS)
        session = NetconfSession(ours, _OLT, Deadline(600))
        yield of_samples("six-RPC transaction", timed(lambda: _six(session, next(texts)), 50, warm_up=5), "ms", _OURS)
    with _stock(lab) as stock:
        yield of_samples("NETCONF RPC, stock ncclient", timed(lambda: _get(stock), 20), "ms", _STOCK)
        yield of_samples("six-RPC transaction, stock ncclient", timed(lambda: _six_stock(stock, next(texts)), 5), "ms", _STOCK)


def _get(session: Manager) -> None:
    session.get_config("running", filter=("subtree", _ONE_INTERFACE))


def _described(text: str) -> str:
    return f'<interfaces xmlns="{_IF}"><interface><name>uplink-1</name><description>{text}</description></interface></interfaces>'


def _six(session: NetconfSession, text: str) -> None:
    session.lock()
    session.edit_config(_described(text))
    session.validate()
    session.commit_confirmed(60, text)
    session.confirm(text)
    session.unlock()


def _six_stock(session: Manager, text: str) -> None:
    session.lock("candidate")
    config = f'<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{_described(text)}</config>'
    session.edit_config(config, target="candidate", error_option="rollback-on-error", test_option="test-then-set")
    session.validate("candidate")
    session.commit(confirmed=True, timeout="60", persist=text)
    session.commit(persist_id=text)
    session.unlock("candidate")


def _pushes(olt: Host, bng: Host) -> Iterator[Figure]:
    """Whole transactions, as the engine pushes them: N bearers are created, and taken away again."""
    for count, runs in ((1, 20), (10, 10), (100, 3)):
        created, removed = _create_and_remove(olt, _bearers(count), runs)
        against = f"{_OURS}, bearers as the template renders them"
        yield of_samples(f"transaction, ONTs created: {count}", created, "ms", against)
        yield of_samples(f"transaction, ONTs taken away: {count}", removed, "ms", against)
    unit = "interfaces ge-0/0/1 unit 1042"
    created, removed = _create_and_remove(bng, Change(f"set {unit} vlan-id 1042", f"delete {unit}"), 20)
    yield of_samples("transaction, one unit of the BNG", created + removed, "ms", "lab Junos, stock NAPALM driver on our session")


def _create_and_remove(host: Host, change: Change, runs: int) -> tuple[list[float], list[float]]:
    created, removed = [], []
    for number in range(runs + 1):
        created += timed(lambda: _confirmed(host, change), 1, warm_up=0)
        removed += timed(lambda: _confirmed(host, Change(change.reverse, change.forward)), 1, warm_up=0)
        if number == 0:  # the first one opens the session
            created, removed = [], []
    return created, removed


def _confirmed(host: Host, change: Change) -> None:
    outcome: Outcome = kind_of(host.platform or "").push(Push("bench", host.name, change, timeout=120), host)
    if outcome.state is not TransactionState.CONFIRMED:
        raise RuntimeError(f"{host.name}: {outcome}")


def _bearers(count: int) -> Change:
    """Return the change that creates `count` bearers, as the templates render them, 64 on a port."""
    templates = {str(path.relative_to(_ROOT / "templates")): path.read_text() for path in (_ROOT / "templates").rglob("*.j2")}
    texts = [render("bbf-olt", "gpon-bearer", _line(number), templates) for number in range(count)]
    return for_platform("bbf-olt").change([], texts, {})


def _line(number: int) -> Mapping[str, object]:
    port, onu = divmod(number, 64)
    slug = f"2.{port + 1}"
    return {
        "port": {"device": _OLT, "slot": 2, "port": port + 1, "onu": onu + 1, "slug": slug, "onu_slug": f"{slug}.{onu + 1}"},
        "ont": {"pon_serial": f"HWTC{number:08X}", "model": "HG8245H", "serial": f"HWT{number}"},
        "service": {"id": f"SI-INT-{number}"},
        "c": {"uploadSpeed": 50},
    }


def _idle(lab: Path) -> Iterator[Figure]:
    """What a hundred sessions cost that nobody uses."""
    hosts = [_host(lab, _OLT, "bbf-olt") for _ in range(100)]
    try:
        for host in hosts:
            netconf_of(host)
        process = psutil.Process()
        before = sum(process.cpu_times()[:2])
        time.sleep(_SECONDS_IDLE)
        used = 100 * (sum(process.cpu_times()[:2]) - before) / _SECONDS_IDLE
    finally:
        for host in hosts:
            host.close_connections()
    yield Figure("100 idle sessions", used, "% of a core", 1, used, used, _OURS)


def _host(lab: Path, name: str, platform: str) -> Host:
    login = credentials(lab, name).devices[name]
    host = Host(name, platform=platform)
    access = Access(login.user, login.password, "127.0.0.1", _port(lab, name), known_hosts=lab / "known_hosts", timeout=30)
    apply(Inventory(Hosts({name: host}), Groups(), Defaults()), {name: access})
    return host


def _stock(lab: Path) -> Manager:
    login = credentials(lab, _OLT).devices[_OLT]
    return manager.connect(
        host="127.0.0.1",
        port=_port(lab, _OLT),
        username=login.user,
        password=login.password,
        hostkey_verify=False,
        allow_agent=False,
        look_for_keys=False,
    )


def _port(lab: Path, name: str) -> int:
    endpoint = endpoint_of(lab, name)
    if endpoint is None:
        raise RuntimeError(f"{name} is not there")
    return endpoint.port
