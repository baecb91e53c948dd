"""Seeding: brings a NetBox to what a profile says. Idempotent; what orders hold is not touched.

A second run creates nothing and changes only what differs: endpoints that moved, capacities, descriptions.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from itertools import islice

from engine.errors import InventoryIncomplete
from inventory.client import NetBox
from inventory.fields import IMPORTED, AllocState, JsonObject
from inventory.profile import Element, Pool, Profile, Stock, VlanGroup, load_model
from inventory.seed_model import Ids, seed_model
from inventory.upsert import Counts, Progress, Upsert, Wanted

Endpoints = Mapping[str, tuple[str, int]]
"""Name of an element -> address and TCP port of its management interface."""
MANAGEMENT = "mgmt0"
SHARED_ROLE = "anycast"
"""Role of a management address that several elements share (the embedded lab's loopback): NetBox refuses doubles without such a role."""
IMPORTED_YEAR = 2023
SERVICE_BASE = 3000
"""Imported services are numbered from here on."""
NOTHING: frozenset[str] = frozenset()
"""Fields kept of what orders change: seeded once, then left alone."""


def seed(
    client: NetBox,
    profile: Profile,
    endpoints: Endpoints | None = None,
    *,
    order_url: str = "http://127.0.0.1:8000/orders/",
    progress: Progress | None = None,
) -> Counts:
    """Bring NetBox to what the profile says; returns what was done.

    `endpoints` replaces the profile's management addresses and ports, also those that an earlier run wrote. `order_url`: what comes
    before the order's id in the links on NetBox's pages. Raises InventoryError.
    """
    upsert = Upsert(client, progress)
    ids = seed_model(upsert, load_model(), order_url)
    _sites(upsert, profile, ids)
    devices = _elements(upsert, profile, ids)
    _management(upsert, profile, devices, endpoints or {})
    for element in profile.elements:
        if element.cards:
            _cards(upsert, profile, element, devices[element.name]["id"], ids)
    _vlans(upsert, profile.vlan_groups, ids)
    _pools(upsert, profile.pools, ids)
    for stock in profile.stock:
        _stock(upsert, stock, ids)
    return upsert.counts


def _sites(upsert: Upsert, profile: Profile, ids: Ids) -> None:
    sites, locations = [], []
    for site in profile.sites:
        body = {"slug": site.slug, "name": site.name, "status": "active", "facility": site.facility, "physical_address": site.address}
        sites.append(Wanted(site.slug, body))
    ids.learn("site", upsert.many("dcim/sites", sites))
    for site in profile.sites:
        for slug, name in site.locations.items():
            locations.append(Wanted(slug, {"slug": slug, "name": name, "site": ids["site", site.slug], "status": "active"}))
    upsert.many("dcim/locations", locations)


def _elements(upsert: Upsert, profile: Profile, ids: Ids) -> dict[str, JsonObject]:
    wanted = []
    for element in profile.elements:
        body = {
            "name": element.name,
            "device_type": ids["device_type", element.type],
            "role": ids["role", element.role],
            "platform": ids["platform", element.platform],
            "site": ids["site", element.site],
            "status": "active",
        }
        wanted.append(Wanted(element.name, body, keep=frozenset({"role", "platform", "site"})))
    return {str(name): row for name, row in upsert.many("dcim/devices", wanted, by="name").items()}


def _management(upsert: Upsert, profile: Profile, devices: Mapping[str, JsonObject], endpoints: Endpoints) -> None:
    """Interface, address and port of management. The address that an element has is changed; only one that has none gets a new one."""
    where = {element.name: endpoints.get(element.name, (element.address, element.port)) for element in profile.elements}
    names = {row["id"]: name for name, row in devices.items()}
    interfaces = [Wanted(key, {"device": key, "name": MANAGEMENT, "type": "1000base-t", "mgmt_only": True}, keep=NOTHING) for key in names]
    ports = upsert.many(
        "dcim/interfaces", interfaces, within={"device_id": sorted(names), "name": MANAGEMENT}, key=lambda row: row["device"]["id"]
    )
    hosts = [address for address, _ in where.values()]
    wanted = []
    for key, name in names.items():
        host = where[name][0]
        body = {
            "address": ipaddress.ip_interface(host).with_prefixlen,
            "status": "active",
            "role": SHARED_ROLE if hosts.count(host) > 1 else None,
            "assigned_object_type": "dcim.interface",
            "assigned_object_id": ports[key]["id"],
            "dns_name": f"{name.lower()}.example.net",
        }
        wanted.append(Wanted(ports[key]["id"], body))
    addresses = upsert.many("ipam/ip-addresses", wanted, within={"device_id": sorted(names)}, key=lambda row: row["assigned_object_id"])
    changes = []
    for key, name in names.items():
        address, port = addresses[ports[key]["id"]]["id"], where[name][1]
        row, family = devices[name], "primary_ip6" if ":" in where[name][0] else "primary_ip4"
        if ((row.get(family) or {}).get("id"), row["custom_fields"].get("mgmt_port")) != (address, port):
            changes.append({"id": key, family: address, "custom_fields": {"mgmt_port": port}})
    upsert.patch("dcim/devices", changes)


def _cards(upsert: Upsert, profile: Profile, element: Element, device: int, ids: Ids) -> None:
    """Line cards bring their ports with them, as their type says. The ports get their capacity, those in use the marks of imports."""
    bays = {row["name"]: row["id"] for row in upsert.client.read("dcim/module-bays", {"device_id": device})}
    missing = sorted(element.cards.keys() - bays.keys())
    if missing:
        raise InventoryIncomplete(f"{element.name} has no module bay {', '.join(missing)}", remedy="Correct its device type in NetBox.")
    wanted = []
    for bay, card in element.cards.items():
        body = {"device": device, "module_bay": bays[bay], "module_type": ids["module_type", card], "status": "active"}
        wanted.append(Wanted(bays[bay], body, keep=NOTHING))
    upsert.many("dcim/modules", wanted, within={"device_id": device}, key=lambda row: row["module_bay"]["id"])
    changes: list[JsonObject] = []
    used = profile.used(element.name)
    for row in upsert.client.read("dcim/interfaces", {"device_id": device, "type": sorted(ids.port_types)}):
        fields: JsonObject = {"onu_capacity": profile.onu_capacity}
        body = {"id": row["id"], "custom_fields": fields}
        if row["custom_fields"].get("alloc_state") is None:  # seen for the first time
            imported = _imported(len(changes)) if row["name"] in used else {"custom_fields": {"alloc_state": AllocState.FREE.value}}
            body |= imported | {"custom_fields": imported["custom_fields"] | fields}
        elif row["custom_fields"].get("onu_capacity") == profile.onu_capacity:
            continue
        changes.append(body)
    upsert.patch("dcim/interfaces", changes)


def _vlans(upsert: Upsert, groups: Sequence[VlanGroup], ids: Ids) -> None:
    wanted = []
    for group in groups:
        body = {"slug": group.slug, "name": group.name, "vid_ranges": [list(group.vids)], "description": group.description}
        wanted.append(Wanted(group.slug, {**body, "scope_type": "dcim.site", "scope_id": ids["site", group.site]}))
    rows = upsert.many("ipam/vlan-groups", wanted)
    for group in groups:
        if group.used is None:
            continue
        fixed = {"group": rows[group.slug]["id"], "status": "active", "role": ids["prefix_role", "res-internet"]}
        first, last = group.used
        bodies = ({"vid": vid, "name": f"RES-{vid}", **fixed, **_imported(vid - first)} for vid in range(first, last + 1))
        vlans = [Wanted(body["vid"], body, keep=NOTHING) for body in bodies]
        upsert.many("ipam/vlans", vlans, within={"group_id": rows[group.slug]["id"]}, key=lambda row: row["vid"])


def _pools(upsert: Upsert, pools: Sequence[Pool], ids: Ids) -> None:
    wanted = []
    for pool in pools:
        body = {
            "prefix": pool.prefix,
            "status": "container" if pool.network.version == 6 else "active",
            "role": ids["prefix_role", pool.role],
            "description": pool.name,
            "custom_fields": {"gateway": pool.gateway, "dhcp_subnet_id": pool.subnet_id},
        }
        wanted.append(Wanted(pool.prefix, body))
    upsert.many("ipam/prefixes", wanted, by="prefix")
    for pool in pools:
        if pool.network.version == 4:
            _used_addresses(upsert, pool)
        elif pool.used:
            _used_prefixes(upsert, pool, ids)


def _used_addresses(upsert: Upsert, pool: Pool) -> None:
    length = pool.network.prefixlen
    wanted = []
    if pool.gateway:
        body = {"address": f"{pool.gateway}/{length}", "status": "active", "description": f"{pool.name} gateway"}
        wanted.append(Wanted(body["address"], body, keep=frozenset({"description"})))
    hosts = (f"{host}/{length}" for host in pool.network.hosts() if str(host) != pool.gateway)
    for number, address in enumerate(islice(hosts, pool.used)):
        wanted.append(Wanted(address, {"address": address, "status": "active", **_imported(number)}, keep=NOTHING))
    upsert.many("ipam/ip-addresses", wanted, by="address")


def _used_prefixes(upsert: Upsert, pool: Pool, ids: Ids) -> None:
    fixed = {"status": "active", "role": ids["prefix_role", "res-internet"]}
    networks = (str(network) for network in islice(pool.network.subnets(new_prefix=64), pool.used))
    wanted = [Wanted(network, {"prefix": network, **fixed, **_imported(number)}, keep=NOTHING) for number, network in enumerate(networks)]
    upsert.many("ipam/prefixes", wanted, by="prefix")


def _stock(upsert: Upsert, stock: Stock, ids: Ids) -> None:
    site = ids["site", stock.site]
    fixed = {"device_type": ids["device_type", stock.type], "role": ids["role", "ont"], "site": site, "status": "inventory"}
    wanted = []
    for number in range(stock.first, stock.first + stock.count):
        tail = f"{number:06d}"[-6:]
        fields = {
            "alloc_state": AllocState.FREE.value,
            "pon_serial": f"HWTC{number:08d}",
            "mac_address": f"48:57:54:{tail[:2]}:{tail[2:4]}:{tail[4:]}",
            "oui": stock.oui,
        }
        serial = f"HWT{number}"
        body = {"name": f"ONT-{serial}", "asset_tag": serial, "serial": serial, **fixed, "custom_fields": fields}
        wanted.append(Wanted(serial, body, keep=NOTHING))
    # not by site: an ONT that was shipped may stand somewhere else by now
    upsert.many("dcim/devices", wanted, within={"role": "ont", "fields": "id,asset_tag"}, key=lambda row: row["asset_tag"])


def _imported(number: int) -> JsonObject:
    """The marks of what serves a customer that was not provisioned by us."""
    fields = {
        "alloc_state": AllocState.ACTIVE.value,
        "order_id": f"RO-{IMPORTED_YEAR}-{number:05d}",
        "service_id": f"SI-INT-{SERVICE_BASE + number}",
    }
    return {"tags": [{"slug": IMPORTED}], "custom_fields": fields}
