"""Contract with NetBox: conditional writes. Only 4.6 has them; 4.4 ignores the header, and so claims must not rest on it."""

from netbox_world import World, at_once

STALE = 'W/"2020-01-01T00:00:00.000000+00:00"'


def test_4_6_gives_an_etag_made_of_last_updated(netbox: World) -> None:
    """The ETag can be built from a list, which has none of its own; its absence tells a 4.4."""
    device = netbox.device()
    headers = netbox.http.get(f"/api/dcim/devices/{device['id']}/").headers
    if netbox.version >= (4, 6):
        assert headers["ETag"] == f'W/"{device["last_updated"].removesuffix("Z")}+00:00"'
    else:
        assert "ETag" not in headers


def test_a_stale_if_match_is_412_in_4_6_and_ignored_in_4_4(netbox: World) -> None:
    """412 and nothing changed, or (4.4) changed all the same."""
    device = netbox.device()
    path = f"/api/dcim/devices/{device['id']}/"
    answer = netbox.http.patch(path, json={"serial": "S2"}, headers={"If-Match": STALE})
    if netbox.version >= (4, 6):
        assert answer.status_code == 412
        assert answer.headers["ETag"] == netbox.http.get(path).headers["ETag"]
        assert netbox.http.request("DELETE", path, headers={"If-Match": STALE}).status_code == 412
        assert netbox.http.get(path).json()["serial"] == ""
    else:
        assert answer.status_code == 200
        assert answer.json()["serial"] == "S2"


def test_a_change_that_changes_nothing_moves_the_etag(netbox: World) -> None:
    """Whoever patches without need makes others fail: the adapter does not."""
    device = netbox.device(serial="S")
    changed = netbox.http.patch(f"/api/dcim/devices/{device['id']}/", json={"serial": "S"}).json()
    assert changed["last_updated"] != device["last_updated"]


def test_one_stale_etag_refuses_a_bulk_change_in_4_6(netbox: World) -> None:
    """If-Match with several tags guards a bulk change; one stale: 412 and all is taken back."""
    a, b = netbox.device(), netbox.device()
    tags = f'W/"{a["last_updated"].removesuffix("Z")}+00:00", {STALE}'
    body = [{"id": a["id"], "serial": "S3"}, {"id": b["id"], "serial": "S3"}]
    answer = netbox.http.patch("/api/dcim/devices/", json=body, headers={"If-Match": tags})
    serials = [netbox.get(f"dcim/devices/{each['id']}/")["serial"] for each in (a, b)]
    if netbox.version >= (4, 6):
        assert (answer.status_code, serials) == (412, ["", ""])
    else:
        assert (answer.status_code, serials) == (200, ["S3", "S3"])


def test_of_many_who_patch_with_the_same_etag_one_wins_in_4_6(netbox: World) -> None:
    """On 4.6 a PATCH with If-Match can be a claim; on 4.4 every one of them believes to have won."""
    device = netbox.device()
    path = f"/api/dcim/devices/{device['id']}/"
    condition = {"If-Match": f'W/"{device["last_updated"].removesuffix("Z")}+00:00"'}

    def claim(number: int) -> int:
        with netbox.client(**condition) as client:
            return client.patch(path, json={"serial": f"claimed-{number}"}).status_code

    answers = at_once(20, claim)
    if netbox.version >= (4, 6):
        assert sorted(set(answers)) == [200, 412]
        assert answers.count(200) == 1
    else:
        assert set(answers) == {200}
