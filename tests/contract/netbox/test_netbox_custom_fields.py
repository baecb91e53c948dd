"""Contract with NetBox: custom fields, in which the engine keeps order, item and state of each resource."""

import pytest
from netbox_world import World, at_once


def test_a_custom_field_is_null_until_it_is_set_and_patch_merges(netbox: World) -> None:
    """Every object shows all fields of its model; setting one leaves the others."""
    first, second = netbox.custom_field(), netbox.custom_field("integer")
    port = netbox.port(netbox.device())
    assert port["id"]
    path = f"/api/dcim/interfaces/{port['id']}/"
    assert {first: None, second: None}.items() <= port["custom_fields"].items()
    netbox.http.patch(path, json={"custom_fields": {first: "ROI-001"}})
    after = netbox.http.patch(path, json={"custom_fields": {second: 64}}).json()["custom_fields"]
    assert (after[first], after[second]) == ("ROI-001", 64)


def test_an_unknown_custom_field_is_refused_in_4_6_and_swallowed_in_4_4(netbox: World) -> None:
    """4.4 answers 200 and keeps nothing: seeding must have made the fields, the adapter checks that they are there."""
    port = netbox.port(netbox.device())
    answer = netbox.http.patch(f"/api/dcim/interfaces/{port['id']}/", json={"custom_fields": {"no_such_field": "x"}})
    if netbox.version >= (4, 6):
        assert answer.status_code == 400
        assert list(answer.json()) == ["custom_fields"]
    else:
        assert answer.status_code == 200
        assert "no_such_field" not in answer.json()["custom_fields"]


def test_objects_are_found_by_a_custom_field(netbox: World) -> None:
    """After a timeout the adapter looks up what carries its order item before it asks again."""
    field = netbox.custom_field()
    device = netbox.device()
    netbox.port(device, "other")
    claim = netbox.make("dcim/interfaces/", device=device["id"], name="LC1/P9/1", type="virtual", custom_fields={field: "RO-1/ROI-001"})
    assert [found["id"] for found in netbox.get("dcim/interfaces/", **{f"cf_{field}": "RO-1/ROI-001"})["results"]] == [claim["id"]]
    assert netbox.get("dcim/interfaces/", **{f"cf_{field}": "RO-1/ROI"})["count"] == 0
    found = netbox.get("dcim/interfaces/", **{f"cf_{field}": ["RO-1/ROI-001", "RO-2/ROI-001"]})
    assert found["count"] == 1


def test_a_selection_takes_its_choices_only(netbox: World) -> None:
    """The allocation state is a selection: shown as its plain value, and 400 for what is not a choice."""
    choices = netbox.make(
        "extras/custom-field-choice-sets/", name=netbox.name("set"), extra_choices=[["free", "Free"], ["reserved", "Reserved"]]
    )
    field = netbox.custom_field("select", choice_set=choices["id"])
    port = netbox.port(netbox.device())
    path = f"/api/dcim/interfaces/{port['id']}/"
    assert netbox.http.patch(path, json={"custom_fields": {field: "reserved"}}).json()["custom_fields"][field] == "reserved"
    assert netbox.http.patch(path, json={"custom_fields": {field: "no-such-state"}}).status_code == 400


@pytest.mark.parametrize(("kind", "good", "bad"), [("integer", 64, "many"), ("datetime", "2024-03-11T09:00:00+11:00", "tomorrow")])
def test_values_are_checked_against_their_type(netbox: World, kind: str, good: object, bad: object) -> None:
    """onu_capacity is a number, reserved_until a time: anything else is 400."""
    field = netbox.custom_field(kind)
    path = f"/api/dcim/interfaces/{netbox.port(netbox.device())['id']}/"
    assert netbox.http.patch(path, json={"custom_fields": {field: good}}).status_code == 200
    assert netbox.http.patch(path, json={"custom_fields": {field: bad}}).status_code == 400


def test_a_unique_custom_field_is_refused_twice_but_not_in_a_race(netbox: World) -> None:
    """Only Python checks it: one after the other is safe, at once it may be granted twice. So it is no claim."""
    field = netbox.custom_field(unique=True)
    device = netbox.device()
    ports = [netbox.port(device, f"P{number}")["id"] for number in range(20)]

    def mark(number: int) -> int:
        with netbox.client() as client:
            return client.patch(f"/api/dcim/interfaces/{ports[number]}/", json={"custom_fields": {field: "mine"}}).status_code

    answers = at_once(len(ports), mark)
    assert set(answers) <= {200, 400}
    assert answers.count(200) >= 1
    assert (
        netbox.http.patch(f"/api/dcim/interfaces/{netbox.port(device)['id']}/", json={"custom_fields": {field: "mine"}}).status_code == 400
    )
