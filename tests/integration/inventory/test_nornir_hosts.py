"""The Nornir inventory plugin over the wire: which hosts, with what, in how many requests."""

import pytest
from nornir import InitNornir
from nornir.core.plugins.inventory import InventoryPluginRegister

from engine.errors import InventoryDenied, InventoryIncomplete, InventoryUnreachable
from inventory.nornir_plugin import ExtraHost, NetBoxInventory
from inventory.profile import load_profile
from inventory.seed import seed
from inventory.session import Patience
from tests.seeded_netbox import QUICK, SeededNetBox


def test_elements_are_hosts_and_onts_are_not(netbox: SeededNetBox) -> None:
    seed(netbox.client(), load_profile("example"), {"OLT-EAST-07": ("127.0.0.1", 40001)})
    netbox.calls.clear()
    inventory = NetBoxInventory(netbox.url, netbox.token, patience=QUICK, on_call=netbox.calls.append).load()
    assert {name: (host.hostname, host.port, host.platform) for name, host in inventory.hosts.items()} == {
        "OLT-EAST-07": ("127.0.0.1", 40001, "bbf-olt"),
        "ASW-EAST-07": ("192.0.2.8", 830, "bbf-switch"),
        "BNG-EAST-01": ("192.0.2.1", 830, "junos"),
        "DHCP-EAST-01": ("192.0.2.9", 8000, "kea"),
        "RADIUS-EAST-01": ("192.0.2.10", 1812, "freeradius"),
        "ACS-01": ("192.0.2.11", 7557, "genieacs"),
    }
    assert inventory.hosts["OLT-EAST-07"].data == {"site": "EAST-07", "role": "olt"}
    assert inventory.hosts["ACS-01"].data == {"site": "DC-MELB", "role": "acs"}
    assert len(netbox.calls) == 1
    assert "config_context" not in netbox.calls[0].path


def test_a_thousand_devices_take_two_requests(newest: SeededNetBox) -> None:
    client = newest.client()
    bng = client.read("dcim/devices", {"name": "BNG-EAST-01"})[0]
    body = {name: bng[name]["id"] for name in ("device_type", "role", "platform", "site")}
    for start in range(0, 1000, 100):
        client.create("dcim/devices", [{**body, "name": f"BNG-{number:04d}"} for number in range(start, start + 100)])
    newest.calls.clear()
    inventory = NetBoxInventory(newest.url, newest.token, patience=QUICK, on_call=newest.calls.append).load()
    assert len(inventory.hosts) == 1006
    assert len(newest.calls) == 2


def test_systems_of_the_settings_are_hosts_too_and_nornir_finds_the_plugin(newest: SeededNetBox) -> None:
    InventoryPluginRegister.auto_register()
    extra = [{"name": "cloudwifi", "platform": "openwifi", "hostname": "127.0.0.1", "port": 16001, "data": {"role": "cloud"}}]
    nornir = InitNornir(
        runner={"plugin": "serial"},
        inventory={"plugin": "turnup-netbox", "options": {"url": newest.url, "token": newest.token, "extra_hosts": extra}},
        logging={"enabled": False},
    )
    host = nornir.inventory.hosts["cloudwifi"]
    assert (host.hostname, host.port, host.platform, host["role"]) == ("127.0.0.1", 16001, "openwifi", "cloud")
    assert set(nornir.filter(platform="junos").inventory.hosts) == {"BNG-EAST-01"}


def test_only_what_is_in_service(newest: SeededNetBox) -> None:
    client = newest.client()
    switch = client.read("dcim/devices", {"name": "ASW-EAST-07"})[0]["id"]
    client.update("dcim/devices", [{"id": switch, "status": "planned"}])
    assert "ASW-EAST-07" not in NetBoxInventory(newest.url, newest.token).load().hosts
    assert set(NetBoxInventory(newest.url, newest.token, roles=["bng"]).load().hosts) == {"BNG-EAST-01"}


def test_names_must_be_unique(newest: SeededNetBox) -> None:
    with pytest.raises(InventoryIncomplete, match="OLT-EAST-07"):
        NetBoxInventory(newest.url, newest.token, extra_hosts=[ExtraHost("OLT-EAST-07", "openwifi")]).load()


def test_an_incomplete_element_is_a_host_all_the_same(newest: SeededNetBox) -> None:
    client = newest.client()
    bng = client.read("dcim/devices", {"name": "BNG-EAST-01"})[0]["id"]
    client.update("dcim/devices", [{"id": bng, "primary_ip4": None, "platform": None, "custom_fields": {"mgmt_port": None}}])
    hosts = NetBoxInventory(newest.url, newest.token).load().hosts
    assert (hosts["BNG-EAST-01"].hostname, hosts["BNG-EAST-01"].port, hosts["BNG-EAST-01"].platform) == (None, None, None)
    assert len(hosts) == 6


def test_down_or_denied(newest: SeededNetBox) -> None:
    with pytest.raises(InventoryDenied):
        NetBoxInventory(newest.url, "0" * 40, patience=QUICK).load()
    newest.remote.fail("GET /api/dcim/devices/", "hang", times=None)
    with pytest.raises(InventoryUnreachable):
        NetBoxInventory(newest.url, newest.token, patience=Patience(1.0, 0.3, 0)).load()
