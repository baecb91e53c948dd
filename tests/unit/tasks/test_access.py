"""Access laid over an inventory."""

from __future__ import annotations

from pathlib import Path

import pytest
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory

from engine.errors import SettingsInvalid
from tasks.access import Access, access_of, apply


def inventory_of(*hosts: Host) -> Inventory:
    return Inventory(Hosts({host.name: host for host in hosts}), Groups(), Defaults())


def test_the_hosts_name_counts_before_its_platform_before_all() -> None:
    inventory = inventory_of(
        Host("OLT-1", platform="bbf-olt"), Host("OLT-2", platform="bbf-olt"), Host("BNG-1", platform="junos"), Host("X")
    )
    apply(inventory, {"OLT-1": Access(username="one"), "bbf-olt": Access(username="olts"), "*": Access(username="all")})
    assert [host.username for host in inventory.hosts.values()] == ["one", "olts", "all", "all"]


def test_what_access_does_not_say_stays_as_the_inventory_has_it() -> None:
    inventory = inventory_of(Host("OLT-1", hostname="192.0.2.1", port=830, username="somebody", platform="bbf-olt"))
    apply(inventory, {"OLT-1": Access(password="pw", port=8300)})
    host = inventory.hosts["OLT-1"]
    assert (host.hostname, host.port, host.username, host.password) == ("192.0.2.1", 8300, "somebody", "pw")


def test_a_host_without_an_entry_stays_as_it_is() -> None:
    inventory = inventory_of(Host("OLT-1", hostname="192.0.2.1", username="somebody", password="pw", platform="bbf-olt"))
    apply(inventory, {"BNG-1": Access(username="other")})
    assert access_of(inventory.hosts["OLT-1"]) == Access(username="somebody", password="pw", hostname="192.0.2.1")


def test_the_address_of_the_inventory_is_part_of_the_access() -> None:
    inventory = inventory_of(Host("OLT-1", hostname="192.0.2.1", port=830, platform="bbf-olt"))
    apply(inventory, {"*": Access(username="u", password="p", known_hosts=Path("known"))})
    found = access_of(inventory.hosts["OLT-1"])
    assert (found.hostname, found.port, found.username, found.known_hosts) == ("192.0.2.1", 830, "u", Path("known"))


def test_a_missing_url_is_a_fault_of_the_settings_that_names_the_target() -> None:
    with pytest.raises(SettingsInvalid, match="'dhcp6' for DHCP-1"):
        Access(urls={"dhcp4": "http://x"}).url("dhcp6", target="DHCP-1")


def test_no_secret_is_in_its_repr() -> None:
    access = Access(username="u", password="pw-1", api_key="key-1", urls={"": "postgresql://u:pw-2@host/db"})
    assert not [secret for secret in ("pw-1", "pw-2", "key-1") if secret in repr(access)]
