"""Contract with NetBox as pynetbox sees it: the library that the adapter uses, unmodified."""

import pynetbox
import pytest
from netbox_world import PON, World


def test_it_finds_out_the_version(netbox: World) -> None:
    """By the API-Version header."""
    assert netbox.nb.version == f"{netbox.version[0]}.{netbox.version[1]}"
    assert netbox.nb.status()["netbox-version"].startswith(netbox.nb.version)


def test_it_creates_reads_changes_and_deletes(netbox: World) -> None:
    """Records, their lazy references, and changes by save()."""
    made = netbox.device()
    device = netbox.nb.dcim.devices.get(made["id"])
    assert device.site.slug == netbox.site["slug"]
    assert device.device_type.manufacturer.name == netbox.manufacturer["name"]
    device.status = "planned"
    assert device.save()
    assert netbox.nb.dcim.devices.get(name=made["name"]).status.value == "planned"
    assert device.delete()
    assert netbox.nb.dcim.devices.get(made["id"]) is None


def test_it_walks_through_pages(netbox: World) -> None:
    """filter() follows `next` by itself."""
    device = netbox.device()
    netbox.nb.dcim.interfaces.create([{"device": device["id"], "name": f"P{n}", "type": PON} for n in range(75)])
    found = netbox.nb.dcim.interfaces.filter(device_id=device["id"], limit=20)
    assert len(found) == 75
    assert [port.name for port in found] == [f"P{n}" for n in range(75)]


def test_it_changes_and_deletes_in_bulk(netbox: World) -> None:
    """update() and delete() with lists."""
    device = netbox.device()
    ports = netbox.nb.dcim.interfaces.create([{"device": device["id"], "name": f"P{n}", "type": PON} for n in range(3)])
    changed = netbox.nb.dcim.interfaces.update([{"id": port.id, "label": "x"} for port in ports])
    assert {port.label for port in changed} == {"x"}
    assert netbox.nb.dcim.interfaces.delete([port.id for port in ports])
    assert netbox.nb.dcim.interfaces.count(device_id=device["id"]) == 0


def test_it_takes_what_is_next(netbox: World) -> None:
    """available_ips, available_prefixes and available_vlans of a record."""
    pool = netbox.nb.ipam.prefixes.get(netbox.prefix("10.50.0.0/24")["id"])
    assert pool.available_ips.create({"description": "x"}).address == "10.50.0.1/24"
    assert [made.address for made in pool.available_ips.create([{}, {}])] == ["10.50.0.2/24", "10.50.0.3/24"]
    top = netbox.nb.ipam.prefixes.get(netbox.prefix("2001:db8:50::/48")["id"])
    assert top.available_prefixes.create({"prefix_length": 64}).prefix == "2001:db8:50::/64"
    group = netbox.nb.ipam.vlan_groups.get(netbox.vlan_group(10, 11)["id"])
    made = group.available_vlans.create({"name": "v"})
    assert made.vid == 10
    for prefix in netbox.nb.ipam.prefixes.filter(vrf_id=netbox.vrf["id"], within="2001:db8:50::/48"):
        prefix.delete()
    for address in netbox.nb.ipam.ip_addresses.filter(vrf_id=netbox.vrf["id"], parent="10.50.0.0/24"):
        address.delete()
    made.delete()


def test_an_exhausted_pool_is_an_error_of_its_own(netbox: World) -> None:
    """409 -> AllocationError; everything else that is refused -> RequestError with the status."""
    group = netbox.nb.ipam.vlan_groups.get(netbox.vlan_group(10, 10)["id"])
    made = group.available_vlans.create({"name": "v"})
    with pytest.raises(pynetbox.AllocationError):
        group.available_vlans.create({"name": "w"})
    made.delete()
    with pytest.raises(pynetbox.RequestError) as error:
        netbox.nb.dcim.sites.create(name="no slug")
    assert error.value.req.status_code == 400


def test_it_shows_choices(netbox: World) -> None:
    """choices() reads them by OPTIONS."""
    assert PON in {choice["value"] for choice in netbox.nb.dcim.interfaces.choices()["type"]}


def test_strict_filters_tell_of_unknown_ones(netbox: World) -> None:
    """pynetbox can check filters against the schema, which NetBox itself never does; custom fields pass."""
    strict = pynetbox.api(netbox.url, token=netbox.token, strict_filters=True)
    assert strict.dcim.interfaces.count(name__ic="x") >= 0
    list(strict.dcim.interface_templates.filter(device_type_id=netbox.device_type["id"]))
    with pytest.raises(pynetbox.ParameterValidationError):
        list(strict.dcim.interfaces.filter(no_such_filter="x"))
    strict.http_session.close()
