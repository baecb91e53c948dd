"""Contract with NetBox: several objects in one request."""

from netbox_world import PON, World


def _ports(netbox: World, device: int, *names: str) -> list[dict[str, object]]:
    return [{"device": device, "name": name, "type": PON} for name in names]


def test_a_list_is_created_in_its_order(netbox: World) -> None:
    """The claims of an order are one POST: the answers stand in the order of the requests."""
    device = netbox.device()
    answer = netbox.post("dcim/interfaces/", _ports(netbox, device["id"], "b", "a", "c"))
    assert answer.status_code == 201
    assert [made["name"] for made in answer.json()] == ["b", "a", "c"]


def test_one_bad_object_refuses_the_list_and_the_errors_stand_at_its_place(netbox: World) -> None:
    """All or none; the body is a list aligned with the request, so a lost claim is known and a batch can be split."""
    device = netbox.device()
    ports = _ports(netbox, device["id"], "a", "b", "c")
    ports[2]["type"] = "no-such-type"
    answer = netbox.post("dcim/interfaces/", ports)
    assert answer.status_code == 400
    first, second, third = answer.json()
    assert (first, second, list(third)) == ({}, {}, ["type"])
    assert netbox.get("dcim/interfaces/", device_id=device["id"])["count"] == 0


def test_a_name_that_is_taken_refuses_the_list(netbox: World) -> None:
    """A claim that was lost before the request came takes the others of the list with it: nothing is half reserved."""
    device = netbox.device()
    netbox.port(device, "taken")
    answer = netbox.post("dcim/interfaces/", _ports(netbox, device["id"], "free", "taken"))
    assert answer.status_code == 400
    assert answer.json()[0] == {}
    assert answer.json()[1] != {}
    assert netbox.get("dcim/interfaces/", device_id=device["id"])["count"] == 1


def test_two_of_the_same_in_one_list_are_a_server_error(netbox: World) -> None:
    """500 with IntegrityError in the body, nothing created: 500 is not always a failure of the server."""
    device = netbox.device()
    answer = netbox.post("dcim/interfaces/", _ports(netbox, device["id"], "a", "a"))
    assert answer.status_code == 500
    assert answer.json()["exception"] == "IntegrityError"
    assert netbox.get("dcim/interfaces/", device_id=device["id"])["count"] == 0


def test_a_bulk_change_skips_ids_that_are_not_there(netbox: World) -> None:
    """200 without a word: the adapter compares the ids that came back with those it sent."""
    port = netbox.port(netbox.device())
    answer = netbox.http.patch("/api/dcim/interfaces/", json=[{"id": port["id"], "label": "x"}, {"id": 999_999_999, "label": "y"}])
    assert answer.status_code == 200
    assert [changed["id"] for changed in answer.json()] == [port["id"]]


def test_a_bulk_change_is_all_or_none_and_shows_the_first_error_only(netbox: World) -> None:
    """One bad change takes back the others; the error is not aligned with the request as that of a creation is."""
    device = netbox.device()
    a, b = netbox.port(device, "a"), netbox.port(device, "b")
    answer = netbox.http.patch("/api/dcim/interfaces/", json=[{"id": a["id"], "label": "x"}, {"id": b["id"], "type": "no-such-type"}])
    assert answer.status_code == 400
    assert list(answer.json()) == ["type"]
    assert netbox.get(f"dcim/interfaces/{a['id']}/")["label"] == ""


def test_a_bulk_deletion_skips_ids_that_are_not_there(netbox: World) -> None:
    """204 without a word: compensation may name what was never made."""
    device = netbox.device()
    a, b = netbox.port(device, "a"), netbox.port(device, "b")
    answer = netbox.http.request("DELETE", "/api/dcim/interfaces/", json=[{"id": a["id"]}, {"id": 999_999_999}, {"id": b["id"]}])
    assert answer.status_code == 204
    assert netbox.get("dcim/interfaces/", device_id=device["id"])["count"] == 0


def test_a_bulk_deletion_is_all_or_none(netbox: World) -> None:
    """409 for one that others need, and none is deleted."""
    device = netbox.device()
    a, b = netbox.port(device, "a"), netbox.port(device, "b")
    netbox.make("dcim/interfaces/", device=device["id"], name="b/1", type="virtual", parent=b["id"])
    answer = netbox.http.request("DELETE", "/api/dcim/interfaces/", json=[{"id": a["id"]}, {"id": b["id"]}])
    assert answer.status_code == 409
    assert netbox.http.get(f"/api/dcim/interfaces/{a['id']}/").status_code == 200
