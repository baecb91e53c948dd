"""Contract with NetBox: lists, their filters and pages."""

import pytest
from netbox_world import PON, World


@pytest.fixture(scope="module")
def olt(netbox: World) -> dict[str, object]:
    """A device with ports P1 to P12 and a claim on the first."""
    device = netbox.device()
    ports = [{"device": device["id"], "name": f"LC1/P{number}", "type": PON} for number in (12, 1, 2, 10, 3, 4, 5, 6, 7, 8, 9, 11)]
    made = netbox.post("dcim/interfaces/", ports).json()
    netbox.make("dcim/interfaces/", device=device["id"], name="LC1/P1/1", type="virtual", parent=made[1]["id"])
    return device


def _names(answer: dict[str, object]) -> list[str]:
    return [result["name"] for result in answer["results"]]  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def tags(netbox: World) -> str:
    """60 tags whose names begin with the text that is returned."""
    start = netbox.name("page")
    assert netbox.post("extras/tags/", [{"name": f"{start}-{n}", "slug": f"{start}-{n}"} for n in range(60)]).status_code == 201
    return start


def test_a_page_has_50_unless_it_is_said(netbox: World, tags: str) -> None:
    """Whoever reads one page only sees 50: the adapter follows `next`."""
    answer = netbox.get("extras/tags/", name__isw=tags)
    assert (answer["count"], len(answer["results"]), answer["previous"]) == (60, 50, None)
    following = netbox.http.get(answer["next"]).json()
    assert (len(following["results"]), following["next"]) == (10, None)
    assert following["previous"] is not None


def test_limit_0_means_the_largest_page(netbox: World, tags: str) -> None:
    """limit=0 asks for as many as the server gives at once (1000), not for none and not for all."""
    assert len(netbox.get("extras/tags/", name__isw=tags, limit=0)["results"]) == 60


def test_a_page_has_1000_at_most(netbox: World) -> None:
    """A larger limit is cut without a word; seen where it costs nothing, at the free ids of a VLAN group."""
    group = netbox.vlan_group(1, 4094)
    for limit in (0, 4000):
        assert len(netbox.get(f"ipam/vlan-groups/{group['id']}/available-vlans/", limit=limit)) == 1000


def test_offset_and_limit_walk_through(netbox: World, tags: str) -> None:
    """Pages neither overlap nor leave out."""
    pages = [_names(netbox.get("extras/tags/", name__isw=tags, limit=25, offset=offset)) for offset in (0, 25, 50)]
    assert len({name for page in pages for name in page}) == 60


def test_start_is_a_cursor_in_4_6_and_ignored_in_4_4(netbox: World, tags: str) -> None:
    """4.6: ids from `start` on, without a count; 4.4 takes it for an unknown parameter."""
    answer = netbox.get("extras/tags/", name__isw=tags, start=0, limit=10)
    if netbox.version >= (4, 6):
        assert answer["count"] is None
        first = [result["id"] for result in answer["results"]]
        second = [result["id"] for result in netbox.http.get(answer["next"]).json()["results"]]
        assert max(first) < min(second)
    else:
        assert answer["count"] == 60


def test_unknown_filters_are_ignored_and_everything_comes(netbox: World, olt: dict[str, object]) -> None:
    """A misspelt filter returns all: the adapter never deletes what a list gave without comparing each object with what it asked for."""
    everything = netbox.get("dcim/interfaces/", limit=1)["count"]
    assert netbox.get("dcim/interfaces/", limit=1, no_such_filter="x")["count"] == everything
    assert netbox.get("dcim/interfaces/", limit=1, cf_no_such_field="x")["count"] == everything


def test_an_illegal_value_of_a_filter_is_refused(netbox: World) -> None:
    """400, at least for choices and references: a state that does not exist is not an empty list."""
    assert netbox.http.get("/api/dcim/devices/", params={"status": "no-such-state"}).status_code == 400
    assert netbox.http.get("/api/dcim/devices/", params={"role": "no-such-role"}).status_code == 400
    assert netbox.http.get("/api/dcim/interfaces/", params={"device_id": 999_999_999}).status_code == 400


def test_ports_are_found_by_device_and_type(netbox: World, olt: dict[str, object]) -> None:
    """Candidates for a claim: the PON ports of an OLT, in natural order, P2 before P10."""
    answer = netbox.get("dcim/interfaces/", device_id=olt["id"], type=PON)
    assert _names(answer) == [f"LC1/P{number}" for number in range(1, 13)]
    assert _names(netbox.get("dcim/interfaces/", device=olt["name"], type=PON)) == _names(answer)


def test_claims_are_found_by_parent(netbox: World, olt: dict[str, object]) -> None:
    """Which ports are taken: `parent_id`, several in one request."""
    ports = {port["name"]: port["id"] for port in netbox.get("dcim/interfaces/", device_id=olt["id"], type=PON)["results"]}
    found = netbox.get("dcim/interfaces/", parent_id=[ports["LC1/P1"], ports["LC1/P2"]])
    assert _names(found) == ["LC1/P1/1"]


def test_values_of_one_filter_are_alternatives_and_filters_add_up(netbox: World, olt: dict[str, object]) -> None:
    """One request finds several names on one device."""
    found = netbox.get("dcim/interfaces/", device_id=olt["id"], name=["LC1/P2", "LC1/P3", "nobody"])
    assert _names(found) == ["LC1/P2", "LC1/P3"]


@pytest.mark.parametrize(
    ("lookup", "value", "count"),
    [("name__ic", "lc1/p1", 5), ("name__isw", "LC1/P1", 5), ("name__iew", "/1", 1), ("name__n", "LC1/P1/1", 12), ("name__ie", "lc1/p2", 1)],
)
def test_names_may_be_compared_in_other_ways(netbox: World, olt: dict[str, object], lookup: str, value: str, count: int) -> None:
    """Contains, begins, ends, is not, is whatever the case: used by audit and clean-up."""
    assert netbox.get("dcim/interfaces/", device_id=olt["id"], **{lookup: value})["count"] == count


def test_ids_may_be_compared(netbox: World, olt: dict[str, object]) -> None:
    """`id__gt` is how a feed goes on where it stopped."""
    found = netbox.get("dcim/interfaces/", device_id=olt["id"], type=PON, ordering="id")["results"]
    later = netbox.get("dcim/interfaces/", device_id=olt["id"], id__gt=found[5]["id"], type=PON)
    assert later["count"] == 6


def test_devices_are_found_by_what_they_refer_to(netbox: World, olt: dict[str, object]) -> None:
    """The Nornir inventory asks by role, stock by site, type and state."""
    known = {"role": netbox.role["slug"], "site": netbox.site["slug"], "manufacturer": netbox.manufacturer["slug"], "status": "active"}
    found = netbox.get("dcim/devices/", **known)
    assert olt["name"] in _names(found)
    assert {device["role"]["slug"] for device in found["results"]} == {netbox.role["slug"]}
    by_id = netbox.get("dcim/devices/", role_id=netbox.role["id"], site_id=netbox.site["id"], device_type_id=netbox.device_type["id"])
    assert by_id["count"] == found["count"]
    assert netbox.get("dcim/interfaces/", site=netbox.site["slug"], name="LC1/P7")["count"] >= 1


def test_objects_are_found_by_tag(netbox: World) -> None:
    """Pools are marked by a tag."""
    name = netbox.name("tag")
    netbox.make("extras/tags/", name=name, slug=name)
    site = netbox.name("site")
    made = netbox.make("dcim/sites/", name=site, slug=site, tags=[{"slug": name}])
    assert [found["id"] for found in netbox.get("dcim/sites/", tag=name)["results"]] == [made["id"]]


def test_prefixes_are_found_by_where_they_lie(netbox: World) -> None:
    """`within` leaves the prefix itself out, `within_include` does not, `contains` looks up; `parent` is for addresses."""
    vrf = netbox.vrf["id"]
    top, low = netbox.prefix("10.200.0.0/16", status="container"), netbox.prefix("10.200.7.0/24")
    netbox.prefix("10.201.0.0/16")
    address = netbox.make("ipam/ip-addresses/", address="10.200.7.1/24", vrf=vrf)

    def ids(**filters: object) -> list[int]:
        return [found["id"] for found in netbox.get("ipam/prefixes/", vrf_id=vrf, **filters)["results"]]

    assert ids(within="10.200.0.0/16") == [low["id"]]
    assert ids(within_include="10.200.0.0/16") == [top["id"], low["id"]]
    assert ids(contains="10.200.7.9") == [top["id"], low["id"]]
    assert ids(prefix="10.200.7.0/24") == [low["id"]]
    found = netbox.get("ipam/ip-addresses/", vrf_id=vrf, parent=["10.200.7.0/24", "192.0.2.0/24"])["results"]
    assert [each["id"] for each in found] == [address["id"]]
    assert netbox.get("ipam/ip-addresses/", vrf_id=vrf, address="10.200.7.1")["count"] == 1


def test_brief_shows_what_references_show(netbox: World, olt: dict[str, object]) -> None:
    """brief=1 for lists of which only id and name are needed."""
    (found,) = netbox.get("dcim/devices/", name=olt["name"], brief=1)["results"]
    assert {"id", "url", "display", "name"} <= found.keys()
    assert "site" not in found


def test_fields_shows_what_is_named(netbox: World, olt: dict[str, object]) -> None:
    """fields= keeps answers small."""
    (found,) = netbox.get("dcim/devices/", name=olt["name"], fields="id,name")["results"]
    assert found.keys() == {"id", "name"}


def test_ordering_may_be_turned(netbox: World, olt: dict[str, object]) -> None:
    """ordering=-id: the last first."""
    ids = [found["id"] for found in netbox.get("dcim/interfaces/", device_id=olt["id"], ordering="-id")["results"]]
    assert ids == sorted(ids, reverse=True)
