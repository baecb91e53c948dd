"""NetBox fails, is slow, refuses; we crash between two requests. Asking again gives the same, and nothing is kept that nobody knows of."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import InventoryDenied, InventoryIncomplete, InventoryRefused, InventoryUnreachable
from engine.ports import Allocation
from inventory.adapter import NetBoxResources
from inventory.session import Patience
from tests.seeded_netbox import SeededNetBox, Templates, granted, line, lines, seeded_netbox, values

FIRST = ["LC3/P12/1", "HWT2340098", "1042", "10.42.17.22", "2001:db8:42:17::/64"]
CLAIM = "POST /api/dcim/interfaces/"
VLAN = "POST /api/ipam/vlan-groups/*"
IPV4 = "POST /api/ipam/prefixes/1/available-ips/"
IPV6 = "POST /api/ipam/prefixes/2/available-prefixes/"
IMPATIENT = Patience(connect=1.0, read=0.5, retries=0)


@pytest.mark.parametrize("operation", [CLAIM, VLAN, IPV4, IPV6])
@pytest.mark.parametrize("do", ["drop", "hang"])
def test_no_answer_to_a_request_that_took_effect(netbox: SeededNetBox, operation: str, do: str) -> None:
    """The request was carried out, its answer is lost: the next attempt finds what was taken, in this process and in another."""
    resources = netbox.resources(patience=IMPATIENT)
    netbox.remote.fail(operation, do, when="after")
    with pytest.raises(InventoryUnreachable):
        resources.reserve(line())
    taken = netbox.marked()
    assert taken
    assert values(resources.reserve(line())) == FIRST  # this process knows that it asked before
    assert values(netbox.resources().reserve(line(), again=True)) == FIRST  # another is told
    assert len(netbox.marked()) == 5
    assert set(taken) <= set(netbox.marked())


@pytest.mark.parametrize("operation", [CLAIM, VLAN, IPV4, IPV6])
def test_no_answer_to_a_request_that_was_not_carried_out(newest: SeededNetBox, operation: str) -> None:
    resources = newest.resources()
    newest.remote.fail(operation, "drop", when="before")
    with pytest.raises(InventoryUnreachable):
        resources.reserve(line())
    assert values(resources.reserve(line(), again=True)) == FIRST
    assert len(newest.marked()) == 5


DIES = """
import os, sys
sys.path.insert(0, ".")
from inventory.adapter import NetBoxResources
from tests.seeded_netbox import line
url, token, last = sys.argv[1:]
calls = []
def on_call(call):
    calls.append(call)
    if call.method == "POST" and last in call.path:
        os._exit(9)
NetBoxResources(url, token, on_call=on_call).reserve(line())
"""


@pytest.mark.parametrize("last", ["dcim/interfaces", "available-vlans", "available-ips", "available-prefixes"])
def test_killed_after_a_request_then_asked_again(netbox: SeededNetBox, last: str) -> None:
    died = subprocess.run([sys.executable, "-c", DIES, netbox.url, netbox.token, last], timeout=60, check=False)
    assert died.returncode == 9
    left = netbox.marked()
    assert left
    netbox.calls.clear()
    assert values(netbox.resources().reserve(line(), again=True)) == FIRST
    assert set(left) <= set(netbox.marked())
    assert len(netbox.marked()) == 5


def test_asked_again_without_being_told(netbox: SeededNetBox) -> None:
    """A new process that does not know of the earlier attempt: the VLAN's name gives it away, and nothing is kept twice."""
    netbox.resources().reserve(line())
    assert values(netbox.resources().reserve(line())) == FIRST
    assert len(netbox.marked()) == 5


def test_the_same_needs_twice_give_the_same(netbox: SeededNetBox) -> None:
    resources = netbox.resources()
    first = resources.reserve(lines([1, 2]))
    assert resources.reserve(lines([1, 2])) == first
    assert resources.reserve(lines([2, 3])) != first
    assert len(netbox.marked()) == 15


def test_an_ask_again_that_finds_nothing_costs_four_requests_more(newest: SeededNetBox) -> None:
    resources = newest.resources()
    resources.reserve(line(1))
    newest.calls.clear()
    resources.reserve(lines(range(2, 6)), again=True)
    assert len(newest.calls) == 5 + 4


def test_what_was_taken_twice_is_given_back(newest: SeededNetBox) -> None:
    """Two attempts that did not know of each other, on the same needs without a VLAN."""
    needs = [need for need in line() if need.kind in ("olt-port", "stock")]
    first = granted(newest.resources().reserve(needs))
    newest.resources().reserve(needs)
    assert len(newest.marked()) == 4
    assert granted(newest.resources().reserve(needs, again=True)) == first
    assert len(newest.marked()) == 2


def test_lost_claims_go_to_the_next_candidate(netbox: SeededNetBox) -> None:
    """Between our look and our claim somebody takes port 12, then ONT 99."""
    resources, other = netbox.resources(), netbox.client()
    port = other.read("dcim/interfaces", {"name": "LC3/P12"})[0]
    ont = other.read("dcim/devices", {"asset_tag": "HWT2340099"})[0]["id"]
    rivals = iter(
        [
            {"device": port["device"]["id"], "name": "LC3/P12/1", "type": "virtual", "parent": port["id"]},
            {"device": ont, "name": "claim", "type": "virtual"},
        ]
    )
    create = resources.client.create

    def beaten(path: str, bodies: list[dict[str, object]]) -> list[dict[str, object]]:
        rival = next(rivals, None)
        if rival is not None:
            other.create("dcim/interfaces", [rival])
        return create(path, bodies)

    resources.client.create = beaten  # type: ignore[method-assign]
    results = resources.reserve(lines([1, 2]))
    assert values(results)[:2] == ["LC3/P13/1", "HWT2340098"]
    assert values(results)[5:7] == ["LC3/P14/1", "HWT2340100"]
    assert len(netbox.marked()) == 10


def test_a_race_that_only_the_database_saw_is_lost_too(netbox: SeededNetBox) -> None:
    """HTTP 500 with IntegrityError is not a failure of the server, and does not say which claim was lost."""
    resources = netbox.resources()
    body = {"error": "duplicate key value violates unique constraint", "exception": "IntegrityError", "netbox_version": netbox.version}
    netbox.remote.fail(CLAIM, "refuse", status=500, error=body)
    assert values(resources.reserve(line())) == FIRST
    netbox.remote.fail(CLAIM, "refuse", status=500, error=body, times=None)
    with pytest.raises(InventoryRefused, match="duplicate key"):
        resources.reserve(line(2))


def test_a_vlan_that_somebody_took_by_hand_at_the_same_moment(newest: SeededNetBox) -> None:
    body = {"error": "duplicate key value violates unique constraint", "exception": "IntegrityError"}
    newest.remote.fail(VLAN, "refuse", status=500, error=body, times=2)
    assert values(newest.resources().reserve(line())) == FIRST


@pytest.mark.parametrize("operation", [VLAN, IPV4, IPV6])
def test_a_pool_that_says_it_is_empty(newest: SeededNetBox, operation: str) -> None:
    resources = newest.resources()
    newest.remote.fail(operation, "exhaust")
    results = resources.reserve(line())
    assert [value for value in values(results) if value.startswith("-")] == [
        {VLAN: "-vlan:EAST-07-RES", IPV4: "-ipv4:EAST-RES", IPV6: "-ipv6-prefix:EAST-RES-V6"}[operation]
    ]
    assert len(newest.marked()) == len(granted(results))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (502, InventoryUnreachable),
        (503, InventoryUnreachable),
        (429, InventoryUnreachable),
        (403, InventoryDenied),
        (400, InventoryRefused),
    ],
)
def test_refused_on_the_way(newest: SeededNetBox, status: int, error: type[Exception]) -> None:
    """What cannot be retried gives everything back; what can is found again."""
    resources = newest.resources()
    newest.remote.fail(IPV4, "refuse", status=status, error={"detail": "not today"})
    with pytest.raises(error, match="not today") as caught:
        resources.reserve(line())
    assert newest.token not in str(caught.value)
    assert len(newest.marked()) == (3 if error is InventoryUnreachable else 0)
    assert values(resources.reserve(line())) == FIRST


def test_netbox_is_down(templates: Templates, tmp_path: Path) -> None:
    with seeded_netbox(templates.get("4.6"), tmp_path / "lab", process=True) as netbox:
        netbox.remote.kill()
        with pytest.raises(InventoryUnreachable, match="No connection to NetBox") as caught:
            netbox.resources().reserve(line())
        assert caught.value.may_retry
        with pytest.raises(InventoryUnreachable):
            netbox.resources().site("EAST-07")
        with pytest.raises(InventoryUnreachable):
            netbox.resources().expected(line())


def test_netbox_is_slow(newest: SeededNetBox) -> None:
    newest.remote.fail("GET /api/ipam/prefixes/", "hang", times=None)
    with pytest.raises(InventoryUnreachable, match="did not answer in time"):
        newest.resources(patience=IMPATIENT).reserve(line())
    assert newest.marked() == []


def test_a_read_is_repeated_a_write_is_not(newest: SeededNetBox) -> None:
    patient = Patience(connect=1.0, read=5.0, retries=2)
    newest.remote.fail("GET /api/dcim/*", "drop", times=2)
    newest.remote.fail("GET /api/ipam/*", "refuse", status=503, times=1)
    assert values(newest.resources(patience=patient).reserve(line())) == FIRST
    newest.remote.fail(CLAIM, "drop", when="before", times=1)
    with pytest.raises(InventoryUnreachable):
        newest.resources(patience=patient).reserve(line(2))


def test_wrong_token(netbox: SeededNetBox) -> None:
    wrong = "nbt_abcdefabcdef." + "0" * 40 if netbox.version == "4.6" else "0" * 40
    with pytest.raises(InventoryDenied) as caught:
        netbox.resources(token=wrong).reserve(line())
    assert "403" in caught.value.message
    assert wrong not in caught.value.message


def test_a_token_that_may_only_read(netbox: SeededNetBox) -> None:
    client = netbox.client()
    client.version  # noqa: B018  the first request decides nothing
    readers = netbox.client().create(
        "users/tokens", [{"user": 1, "write_enabled": False, **({"version": 1} if netbox.version == "4.6" else {})}]
    )
    token = readers[0]["token" if netbox.version == "4.6" else "key"]
    with pytest.raises(InventoryDenied, match="permission"):
        netbox.resources(token=token).reserve(line())
    assert netbox.marked() == []


def test_both_kinds_of_token(newest: SeededNetBox) -> None:
    assert newest.client(token=newest.token_v1).version == newest.client().version == (4, 6)
    assert values(newest.resources(token=newest.token_v1).reserve(line())) == FIRST


def test_a_missing_custom_field_is_said_and_nothing_is_kept(netbox: SeededNetBox) -> None:
    """4.6 refuses an unknown custom field, 4.4 drops it in silence: then nothing could ever be found again."""
    client = netbox.client()
    field = client.read("extras/custom-fields", {"name": "order_item"})[0]["id"]
    client.delete("extras/custom-fields", {field: "a slip"})
    with pytest.raises(InventoryIncomplete, match="order_item"):
        netbox.resources().reserve(line())
    assert [row["name"] for row in netbox.rows("dcim.interface") if row["name"] in ("claim", "LC3/P12/1")] == []


def test_a_filter_by_a_custom_field_that_is_not_there_is_noticed(netbox: SeededNetBox) -> None:
    """NetBox ignores such a filter and returns everything: everything would be taken for ours."""
    client = netbox.client()
    field = client.read("extras/custom-fields", {"name": "order_id"})[0]["id"]
    client.delete("extras/custom-fields", {field: "a slip"})
    with pytest.raises(InventoryIncomplete, match="order_id"):
        netbox.resources().reserve(line(), again=True)


def test_not_netbox(newest: SeededNetBox) -> None:
    for url, error in (
        (f"{newest.url}/somewhere", InventoryRefused),
        ("http://127.0.0.1:1", InventoryUnreachable),
        ("no url", InventoryRefused),
        ("ftp://127.0.0.1", InventoryRefused),
    ):
        adapter = NetBoxResources(url, newest.token, patience=IMPATIENT)
        with pytest.raises(error):
            adapter.reserve(line())
        adapter.close()


def test_an_object_that_changes_while_it_is_activated(newest: SeededNetBox) -> None:
    """If-Match on 4.6: what somebody changed between our read and our write is read again."""
    resources = newest.resources()
    given: list[Allocation] = granted(resources.reserve(line()))
    newest.remote.fail("PATCH /api/ipam/vlans/", "refuse", status=412, error={"detail": "Precondition failed."})
    resources.activate(given)
    assert next(row for row in newest.rows("ipam.vlan") if row["vid"] == 1042)["status"] == "active"
    newest.remote.fail("PATCH /api/ipam/vlans/", "refuse", status=412, error={"detail": "Precondition failed."}, times=None)
    other = granted(resources.reserve(line(2)))
    with pytest.raises(InventoryUnreachable, match="keeps changing"):
        resources.activate(other)
