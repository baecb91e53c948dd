"""What the losers of a race for a unique value see."""

from collections import Counter
from typing import Any

from netbox_in_process import NetBoxInProcess, netbox_in_process


def _codes(netbox: NetBoxInProcess, path: str, bodies: list[dict[str, Any]]) -> Counter[int]:
    return Counter(answer.status_code for answer in netbox.ask_together([("POST", path, body) for body in bodies]))


def test_of_the_losers_of_a_race_most_get_400_and_some_500() -> None:
    with netbox_in_process(integrity_error_every=5) as netbox:
        claim = {"device": netbox.device("OLT-1")["id"], "name": "LC1/P1/1", "type": "virtual"}
        answers = netbox.ask_together([("POST", "dcim/interfaces/", claim)] * 20)
        assert Counter(answer.status_code for answer in answers) == {201: 1, 400: 15, 500: 4}
        failed = next(answer for answer in answers if answer.status_code == 500).json()
        assert failed["exception"] == "IntegrityError"
        assert "dcim_interface_unique_device_name" in failed["error"]
        assert failed["netbox_version"] == "4.6.8"


def test_who_comes_after_the_race_always_gets_400() -> None:
    with netbox_in_process(integrity_error_every=1) as netbox:
        claim = {"device": netbox.device("OLT-1")["id"], "name": "LC1/P1/1", "type": "virtual"}
        assert [netbox.ask("POST", "dcim/interfaces/", claim).status_code for _ in range(4)] == [201, 400, 400, 400]


def test_every_loser_can_be_made_to_see_the_500() -> None:
    with netbox_in_process(integrity_error_every=1) as netbox:
        claim = {"device": netbox.device("OLT-1")["id"], "name": "LC1/P1/1", "type": "virtual"}
        assert _codes(netbox, "dcim/interfaces/", [claim] * 10) == {201: 1, 500: 9}


def test_a_prefix_posted_in_a_race_is_there_up_to_three_times() -> None:
    with netbox_in_process() as netbox:
        assert _codes(netbox, "ipam/prefixes/", [{"prefix": "10.0.0.0/24"}] * 20) == {201: 3, 400: 17}
        assert netbox.ask("POST", "ipam/prefixes/", {"prefix": "10.0.0.0/24"}).status_code == 400


def test_an_address_posted_in_a_race_is_there_once() -> None:
    with netbox_in_process() as netbox:
        assert _codes(netbox, "ipam/ip-addresses/", [{"address": "10.0.0.1/24"}] * 20) == {201: 1, 400: 19}


def test_a_vrf_that_does_not_insist_takes_an_address_twice() -> None:
    with netbox_in_process() as netbox:
        vrf = netbox.make("ipam/vrfs/", name="shared", enforce_unique=False)["id"]
        for _ in range(2):
            netbox.make("ipam/ip-addresses/", address="10.0.0.1/24", vrf=vrf)
            netbox.make("ipam/prefixes/", prefix="10.0.0.0/24", vrf=vrf)


def test_a_custom_field_marked_unique_is_granted_more_than_once_in_a_race() -> None:
    with netbox_in_process() as netbox:
        netbox.make("extras/custom-fields/", name="onu", type="text", object_types=["dcim.interface"], unique=True)
        device = netbox.device("OLT-1")["id"]
        bodies = [{"device": device, "name": f"P{n}", "type": "gpon", "custom_fields": {"onu": "1"}} for n in range(12)]
        assert _codes(netbox, "dcim/interfaces/", bodies) == {201: 3, 400: 9}


def test_what_available_gives_is_different_for_all_who_ask_together() -> None:
    with netbox_in_process() as netbox:
        pool = netbox.make("ipam/prefixes/", prefix="10.0.0.0/28")["id"]
        answers = netbox.ask_together([("POST", f"ipam/prefixes/{pool}/available-ips/", {})] * 20)
        assert Counter(answer.status_code for answer in answers) == {201: 14, 409: 6}
        assert len({answer.json()["address"] for answer in answers if answer.status_code == 201}) == 14
