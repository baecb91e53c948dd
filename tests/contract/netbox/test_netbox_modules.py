"""Contract with NetBox: line cards."""

from typing import Any

import pytest
from netbox_world import PON, World


@pytest.fixture(scope="module")
def card(netbox: World) -> dict[str, Any]:
    """A type of line card with four PON ports."""
    kind = netbox.make("dcim/module-types/", manufacturer=netbox.manufacturer["id"], model=netbox.name("card"))
    ports = [{"module_type": kind["id"], "name": f"LC{{module}}/P{port}", "type": PON} for port in range(1, 5)]
    assert netbox.post("dcim/interface-templates/", ports).status_code == 201
    return kind


@pytest.fixture
def chassis(netbox: World) -> dict[str, Any]:
    """A device of a type with the bays LC1 to LC3 and an uplink."""
    name = netbox.name("chassis")
    kind = netbox.make("dcim/device-types/", manufacturer=netbox.manufacturer["id"], model=name, slug=name, u_height=6)
    for number in (1, 2, 3):
        netbox.make("dcim/module-bay-templates/", device_type=kind["id"], name=f"LC{number}", position=str(number))
    netbox.make("dcim/interface-templates/", device_type=kind["id"], name="uplink0", type="100gbase-x-qsfp28")
    return netbox.device(device_type=kind["id"])


def _bays(netbox: World, chassis: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = netbox.get("dcim/module-bays/", device_id=chassis["id"])["results"]
    return found


def _fit(netbox: World, chassis: dict[str, Any], bay: dict[str, Any], card: dict[str, Any]) -> dict[str, Any]:
    return netbox.make("dcim/modules/", device=chassis["id"], module_bay=bay["id"], module_type=card["id"], status="active")


def test_a_device_gets_the_components_of_its_type(netbox: World, chassis: dict[str, Any]) -> None:
    """Seeding makes the type once; each OLT then has its bays and uplink."""
    assert [bay["name"] for bay in _bays(netbox, chassis)] == ["LC1", "LC2", "LC3"]
    assert [port["name"] for port in netbox.get("dcim/interfaces/", device_id=chassis["id"])["results"]] == ["uplink0"]


def test_a_card_brings_its_ports_named_after_the_bay(netbox: World, chassis: dict[str, Any], card: dict[str, Any]) -> None:
    """`LC{module}/P1` in the bay at position 3 is LC3/P1: new ports are what held orders wait for."""
    module = _fit(netbox, chassis, _bays(netbox, chassis)[2], card)
    ports = netbox.get("dcim/interfaces/", device_id=chassis["id"], type=PON)["results"]
    assert [port["name"] for port in ports] == ["LC3/P1", "LC3/P2", "LC3/P3", "LC3/P4"]
    assert {port["module"]["id"] for port in ports} == {module["id"]}
    assert _bays(netbox, chassis)[2]["installed_module"]["id"] == module["id"]


def test_new_ports_are_seen_in_the_change_log(netbox: World, chassis: dict[str, Any], card: dict[str, Any]) -> None:
    """Who waits for capacity is woken by the object changes of the new interfaces, all of one request."""
    last = netbox.get("core/object-changes/", limit=1, ordering="-id")["results"][0]["id"]
    _fit(netbox, chassis, _bays(netbox, chassis)[0], card)
    found = netbox.get("core/object-changes/", id__gt=last, changed_object_type="dcim.interface", action="create", ordering="id")["results"]
    mine = [change for change in found if change["postchange_data"]["device"] == chassis["id"]]
    assert [change["postchange_data"]["name"] for change in mine] == [f"LC1/P{port}" for port in range(1, 5)]
    assert len({change["request_id"] for change in mine}) == 1


def test_a_bay_takes_one_card(netbox: World, chassis: dict[str, Any], card: dict[str, Any]) -> None:
    """Seeding twice is refused rather than doubled."""
    bay = _bays(netbox, chassis)[0]
    _fit(netbox, chassis, bay, card)
    again = netbox.post("dcim/modules/", {"device": chassis["id"], "module_bay": bay["id"], "module_type": card["id"]})
    assert again.status_code == 400


def test_a_card_takes_its_ports_along_unless_one_is_claimed(netbox: World, chassis: dict[str, Any], card: dict[str, Any]) -> None:
    """409 while a line is on it: a card in use cannot be removed from the inventory."""
    module = _fit(netbox, chassis, _bays(netbox, chassis)[0], card)
    port = netbox.get("dcim/interfaces/", device_id=chassis["id"], type=PON)["results"][0]
    claim = netbox.make("dcim/interfaces/", device=chassis["id"], name="LC1/P1/1", type="virtual", parent=port["id"])
    path = f"/api/dcim/modules/{module['id']}/"
    assert netbox.http.delete(path).status_code == 409
    assert netbox.http.delete(f"/api/dcim/interfaces/{claim['id']}/").status_code == 204
    assert netbox.http.delete(path).status_code == 204
    assert netbox.get("dcim/interfaces/", device_id=chassis["id"], type=PON)["count"] == 0
