"""What is known of ports and stock between requests: order of candidates, marks, what others took."""

import pytest

from engine.errors import InventoryIncomplete, InventoryRefused
from engine.ports import Allocation, Mark, Need, Shortage
from inventory.client import NetBox
from inventory.fields import CustomFields, message
from inventory.look import Candidate, View, look
from inventory.needs import label, obstacle, pool_of
from inventory.ports import Exchange, port_allocation
from inventory.rows import Brief, Device, Interface, natural, parse
from inventory.sites import Sites
from inventory.vlans import vlan_name

MARK = Mark("RO-1", "ROI-1", "port")
NEED = Need(MARK, "olt-port", {"site": "EAST-07"}, "SI-1")


def port(key: int, name: str, *, olt: int = 1, capacity: int | None = 1, **more: object) -> Interface:
    fields = CustomFields(onu_capacity=capacity, alloc_state=more.pop("state", None))  # type: ignore[arg-type]
    return Interface(id=key, name=name, type="gpon", device=Brief(id=olt), custom_fields=fields, **more)  # type: ignore[arg-type]


def claim(key: int, parent: Interface, name: str) -> Interface:
    return Interface(id=key, name=name, type="virtual", device=parent.device, parent=Brief(id=parent.id, name=parent.name))


def exchange(*rows: Interface, olts: dict[int, str] | None = None) -> Exchange:
    known = Exchange("EAST-07", Sites(NetBox("http://127.0.0.1:1", "x")))
    known.has(olts or {1: "OLT-A"})
    known.see(View(frozenset(known.olts), None), rows)
    return known


def places(known: Exchange, count: int, *taken: Candidate) -> list[str]:
    return [f"{known.olts[place.device]} {place.name}" for place in known.places(count, frozenset(taken))]


def test_ports_in_natural_order() -> None:
    known = exchange(*(port(10 + n, name) for n, name in enumerate(["LC3/P12", "LC10/P1", "LC3/P2", "LC3/P1"])))
    assert places(known, 9) == ["OLT-A LC3/P1/1", "OLT-A LC3/P2/1", "OLT-A LC3/P12/1", "OLT-A LC10/P1/1"]


def test_onu_ids_are_given_from_one_and_gaps_are_filled() -> None:
    busy = port(10, "LC1/P1", capacity=4)
    known = exchange(busy, claim(11, busy, "LC1/P1/1"), claim(12, busy, "LC1/P1/3"))
    assert places(known, 9) == ["OLT-A LC1/P1/2", "OLT-A LC1/P1/4"]


def test_what_is_below_a_port_under_any_name_counts() -> None:
    busy = port(10, "LC1/P1", capacity=2)
    known = exchange(busy, claim(11, busy, "subscriber-7"))
    assert places(known, 9) == ["OLT-A LC1/P1/1"]
    # a look by names shows the port and what is named after it; the other one is still known
    known.see(View(frozenset({1}), frozenset({"LC1/P1"})), [busy])
    assert places(known, 9) == ["OLT-A LC1/P1/1"]


@pytest.mark.parametrize(
    "closed",
    [
        {"enabled": False},
        {"mark_connected": True},
        {"state": "reserved"},
        {"state": "active"},
        {"state": "quarantine"},
        {"state": "releasing"},
        {"tags": frozenset({"quarantine"})},
    ],
)
def test_closed_ports(closed: dict[str, object]) -> None:
    assert places(exchange(port(10, "LC1/P1", **closed), port(11, "LC1/P2", state="free")), 9) == ["OLT-A LC1/P2/1"]


def test_a_port_without_capacity_carries_one() -> None:
    assert places(exchange(port(10, "LC1/P1", capacity=None)), 9) == ["OLT-A LC1/P1/1"]


def test_the_emptier_olt_comes_first() -> None:
    rows = [port(10, "P1"), port(20, "P1", olt=2), port(21, "P2", olt=2), port(22, "P3", olt=2)]
    known = exchange(*rows, olts={1: "OLT-A", 2: "OLT-B"})
    assert places(known, 9) == ["OLT-B P1/1", "OLT-B P2/1", "OLT-A P1/1", "OLT-B P3/1"]


def test_what_is_in_hand_is_no_candidate() -> None:
    known = exchange(port(10, "P1", capacity=2), port(11, "P2"))
    first = known.places(1, frozenset())[0]
    assert places(known, 9, first) == ["OLT-A P1/2", "OLT-A P2/1"]


def test_taken_and_freed() -> None:
    known = exchange(port(10, "P1"), port(11, "P2"))
    first, second = known.places(2, frozenset())
    known.took(first, 99)
    known.took(second, None)  # lost to somebody else
    assert places(known, 9) == []
    assert known.shortage() == "no free port on the OLTs of EAST-07 (2 ports: 0 in use or closed, 2 full)"
    known.freed(first, 99)
    assert places(known, 9) == ["OLT-A P1/1"]


def test_ports_that_are_gone_are_forgotten() -> None:
    known = exchange(port(10, "P1"), port(11, "P2"))
    known.see(View(frozenset({1}), frozenset({"P1"})), [])
    assert places(known, 9) == ["OLT-A P2/1"]
    known.has({})
    assert places(known, 9) == []
    assert known.shortage() == "no OLT of EAST-07 is active in NetBox"


@pytest.mark.parametrize(
    ("name", "slot", "number", "slug"),
    [("LC3/P12", 3, 12, "3.12"), ("gpon-0/3/12", 3, 12, "0.3.12"), ("pon7", 0, 7, "7"), ("uplink", 0, 0, "uplink")],
)
def test_names_of_ports(name: str, slot: int, number: int, slug: str) -> None:
    given = port_allocation(NEED, "OLT-A", f"{name}/5", 7).attributes
    assert (given["name"], given["slot"], given["port"], given["onu"], given["slug"], given["onu_slug"]) == (
        name,
        slot,
        number,
        5,
        slug,
        f"{slug}.5",
    )


def test_natural_order() -> None:
    assert sorted(["LC10/P1", "LC2/P10", "LC2/P9"], key=natural) == ["LC2/P9", "LC2/P10", "LC10/P1"]


def test_nothing_to_look_at_asks_nothing() -> None:
    """A filter without values would be no filter: everything would come back."""
    assert look(NetBox("http://127.0.0.1:1", "x"), [View(frozenset(), None), View(frozenset(), frozenset({"P1"}))]) == []


def test_names_of_pools() -> None:
    def need(kind: str, **pool: str) -> Need:
        return Need(MARK, kind, pool, "SI-1")

    assert label(need("olt-port", site="EAST-07")) == "olt-port:EAST-07"
    assert label(need("stock", model="HG8245H")) == "stock:HG8245H"
    assert label(need("stock", model="HG8245H", site="WH-MELB")) == "stock:HG8245H@WH-MELB"
    assert label(need("vlan", group="EAST-07-RES")) == "vlan:EAST-07-RES"
    assert pool_of(need("ipv6-prefix", prefix="EAST-RES-V6", length="64")) == "EAST-RES-V6"
    for wrong in (need("vlan"), need("vlan", group=""), need("fibre", site="x")):
        with pytest.raises(InventoryIncomplete):
            label(wrong)


def test_an_unmet_requirement_is_passed_on_with_its_pool() -> None:
    other, third = Mark("RO-1", "ROI-1", "vlan"), Mark("RO-1", "ROI-2", "ipv4")
    short = Shortage(MARK, True, "olt-port:EAST-07", "no free port")
    dependent = obstacle(Need(other, "vlan", {"group": "G"}, "", frozenset({MARK})), {MARK: short})
    assert dependent == Shortage(other, False, "olt-port:EAST-07", "not taken without port: no free port")
    assert dependent is not None
    last = obstacle(Need(third, "ipv4", {"prefix": "P"}, "", frozenset({other})), {other: dependent})
    assert last is not None
    assert (last.exhausted, last.pool) == (False, "olt-port:EAST-07")
    assert obstacle(Need(third, "ipv4", {"prefix": "P"}, "", frozenset({other})), {}) is None
    assert obstacle(NEED, {other: Allocation(other, "vlan", "", {}, ())}) is None


def test_texts_fit_into_netbox() -> None:
    long = Mark("RO-" + "1" * 90, "ROI-" + "2" * 90, "x" * 90)
    assert len(vlan_name(long)) == 64
    assert len(message("reserved", long)) == 200


def test_an_answer_that_is_not_what_netbox_documents() -> None:
    with pytest.raises(InventoryRefused, match="no Device: device_type: Field required"):
        parse(Device, {"id": 1, "site": {"id": 1}, "status": "active"})
