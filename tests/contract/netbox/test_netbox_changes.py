"""Contract with NetBox: the change log, by which the engine catches up with what others did."""

from netbox_world import World


def _last(netbox: World) -> int:
    return int(netbox.get("core/object-changes/", limit=1, ordering="-id")["results"][0]["id"])


def test_every_write_is_a_change_that_names_its_request(netbox: World) -> None:
    """X-Request-ID of the answer finds the changes of that request: drop our own events by it."""
    name = netbox.name("tag")
    answer = netbox.post("extras/tags/", {"name": name, "slug": name})
    request = answer.headers["X-Request-ID"]
    (change,) = netbox.get("core/object-changes/", request_id=request)["results"]
    assert change["action"] == {"value": "create", "label": "Created"}
    assert (change["changed_object_type"], change["changed_object_id"]) == ("extras.tag", answer.json()["id"])
    assert change["postchange_data"]["name"] == name
    assert change["prechange_data"] is None


def test_a_request_id_of_the_client_is_ignored(netbox: World) -> None:
    """There is no idempotency key: NetBox makes the id."""
    name = netbox.name("tag")
    mine = "00000000-0000-4000-8000-000000000000"
    answer = netbox.http.post("/api/extras/tags/", json={"name": name, "slug": name}, headers={"X-Request-ID": mine})
    netbox.note(answer)
    assert answer.headers["X-Request-ID"] != mine


def test_changes_are_a_feed_by_id(netbox: World) -> None:
    """id__gt with ordering=id goes on where it stopped, in order, with what was before and after."""
    port = netbox.port(netbox.device())
    start = _last(netbox)
    path = f"/api/dcim/interfaces/{port['id']}/"
    netbox.http.patch(path, json={"label": "one"})
    netbox.http.patch(path, json={"label": "two"})
    netbox.http.delete(path)
    feed = netbox.get("core/object-changes/", id__gt=start, ordering="id", changed_object_type="dcim.interface")["results"]
    mine = [change for change in feed if change["changed_object_id"] == port["id"]]
    assert [change["action"]["value"] for change in mine] == ["update", "update", "delete"]
    assert [change["prechange_data"]["label"] for change in mine] == ["", "one", "two"]
    assert mine[0]["postchange_data"]["label"] == "one"
    assert mine[2]["postchange_data"] is None
    assert all(change["id"] > start for change in feed)


def test_a_change_carries_our_message(netbox: World) -> None:
    """changelog_message says which order a write was for, in creations, changes, deletions and available-*."""
    device = netbox.device()
    body = {"device": device["id"], "name": "p", "type": "virtual", "changelog_message": "RO-1 reserve"}
    port = netbox.post("dcim/interfaces/", body)
    path = f"/api/dcim/interfaces/{port.json()['id']}/"
    patched = netbox.http.patch(path, json={"label": "x", "changelog_message": "RO-1 activate"})
    deleted = netbox.http.request("DELETE", path, json={"changelog_message": "RO-1 release"})
    pool = netbox.prefix("10.40.0.0/29")
    given = netbox.post(f"ipam/prefixes/{pool['id']}/available-ips/", {"changelog_message": "RO-1 reserve"})
    for answer, message in [(port, "RO-1 reserve"), (patched, "RO-1 activate"), (deleted, "RO-1 release"), (given, "RO-1 reserve")]:
        (change,) = netbox.get("core/object-changes/", request_id=answer.headers["X-Request-ID"])["results"]
        assert change["message"] == message


def test_what_goes_with_an_object_is_in_the_log_too(netbox: World) -> None:
    """A port that vanished with its device is seen as deleted."""
    device = netbox.device()
    port = netbox.port(device)
    answer = netbox.http.delete(f"/api/dcim/devices/{device['id']}/")
    changes = netbox.get("core/object-changes/", request_id=answer.headers["X-Request-ID"])["results"]
    assert {("dcim.device", device["id"]), ("dcim.interface", port["id"])} <= {
        (change["changed_object_type"], change["changed_object_id"]) for change in changes
    }
    assert {change["action"]["value"] for change in changes} == {"delete"}


def test_what_was_refused_is_not_in_the_log(netbox: World) -> None:
    """All or none: the objects of a refused list leave no trace."""
    device = netbox.device()
    start = _last(netbox)
    netbox.post("dcim/interfaces/", [{"device": device["id"], "name": "a", "type": "virtual"}] * 2)
    feed = netbox.get("core/object-changes/", id__gt=start, changed_object_type="dcim.interface")["results"]
    assert [change for change in feed if (change["postchange_data"] or {}).get("device") == device["id"]] == []
