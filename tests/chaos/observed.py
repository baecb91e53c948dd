"""What a world holds, read from the outside: NetBox by REST, devices by NETCONF, systems from what they hold, our own tables as rows.

No part of the program that is looked at is used for it, but for the notation of a fragment (`tasks.change`: text -> statements) and
the key that opens what is sealed in the tables.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import sqlalchemy as sa
from lxml import etree
from napalm import get_network_driver
from ncclient import manager

from engine.store import schema
from engine.store.database import Database
from engine.vault import Vault
from tasks.change import for_platform
from tests.chaos.world import World

Row = Mapping[str, Any]
Statement = tuple[str, str]
"""Path and value of what a device holds."""

XML_DEVICES = {"OLT-EAST-07": "bbf-olt", "ASW-EAST-07": "bbf-switch"}
ROUTER = "BNG-EAST-01"
DEVICES = {**XML_DEVICES, ROUTER: "junos"}
_NETBOX = ("dcim/devices", "dcim/interfaces", "ipam/vlans", "ipam/ip-addresses", "ipam/prefixes")
_TABLES = (
    schema.orders,
    schema.items,
    schema.steps,
    schema.allocations,
    schema.instances,
    schema.transactions,
    schema.transaction_steps,
    schema.events,
    schema.cases,
)


@dataclass(frozen=True)
class Observed:
    """Everything that is compared."""

    tables: Mapping[str, list[Row]]
    """Name -> rows; events in the order of their numbers."""
    netbox: Mapping[str, list[Row]]
    """Path of the API -> objects."""
    devices: Mapping[str, Counter[Statement]]
    applied: Mapping[str, frozenset[Statement]]
    """Per device what the applied configurations say together, without what was there before us."""
    documents: Mapping[str, list[tuple[str, Row]]]
    """Per system what it holds: `kind/key` and body. A key may be there twice."""
    wanted: Mapping[str, Mapping[str, Row]]
    """Per system what the applied configurations say together, by `kind/key`."""
    keys: Mapping[str, frozenset[str]]
    """Per target the keys under which something was applied."""
    came_back: frozenset[str] = frozenset()
    """Of the documents those of parcels that were sent back, and have arrived: what was in them may be anywhere."""


def observe(world: World) -> Observed:
    """Look at everything."""
    database, vault = Database(world.database), Vault.from_file(world.settings.key_file)
    try:
        tables, texts = tables_of(database, vault)
    finally:
        database.close()
    applied = {name: frozenset(statements(DEVICES[name], texts[name].values())) for name in DEVICES}
    parcels = world.remote("logistics").state()["parcels"]
    documents = dict(_documents(world, parcels))
    wanted = {
        name: {f"{one['kind']}/{one['key']}": one["body"] for text in texts[name].values() for one in json.loads(text)}
        for name in documents
    }
    keys = {name: frozenset(found) for name, found in texts.items()}
    return Observed(tables, dict(_netbox(world)), devices(world), applied, documents, wanted, keys, frozenset(_came_back(parcels)))


def devices(world: World) -> dict[str, Counter[Statement]]:
    """What each device holds now."""
    with ThreadPoolExecutor(len(DEVICES)) as pool:  # each is mostly waited for
        texts = pool.map(lambda name: _set_lines(world) if name == ROUTER else _running(world, name), DEVICES)
        return {name: Counter(statements(platform, [text])) for (name, platform), text in zip(DEVICES.items(), texts, strict=True)}


def statements(platform: str, texts: Iterable[str]) -> Iterator[Statement]:
    """The statements of fragments."""
    return ((node.path, node.value) for text in texts for node in for_platform(platform).nodes(text))


def _running(world: World, name: str) -> str:
    endpoint, login = world.lab.endpoints[name], world.lab.credentials.devices[name]
    with manager.connect(
        host=endpoint.host,
        port=endpoint.port,
        username=login.user,
        password=login.password,
        hostkey_verify=False,
        look_for_keys=False,
        allow_agent=False,
    ) as session:
        data = session.get_config("running").data_ele
    return "".join(etree.tostring(element, encoding="unicode") for element in data)


def _set_lines(world: World) -> str:
    endpoint, login = world.lab.endpoints[ROUTER], world.lab.credentials.devices[ROUTER]
    driver = get_network_driver("junos")(
        endpoint.host, login.user, login.password, timeout=20, optional_args={"port": endpoint.port, "ssh_config_file": "/dev/null"}
    )
    driver.open()
    try:
        return str(driver.get_config(retrieve="running", format="set")["running"])
    finally:
        driver.close()


def _netbox(world: World) -> Iterator[tuple[str, list[Row]]]:
    headers = {"Authorization": f"Token {world.lab.credentials.netbox_token}"}
    with httpx.Client(base_url=world.lab.endpoints["netbox"].url or "", headers=headers, trust_env=False, timeout=60) as client:
        for path in _NETBOX:
            rows: list[Row] = []
            while len(
                page := client.get(f"/api/{path}/", params={"limit": 1000, "offset": len(rows)}).raise_for_status().json()["results"]
            ):
                rows += page
            yield path, rows


def _documents(world: World, parcels: list[Row]) -> Iterator[tuple[str, list[tuple[str, Row]]]]:
    kea = world.remote("DHCP-EAST-01").state()
    yield (
        "DHCP-EAST-01",
        [
            (f"reservation{version}/{row['subnet-id']}/{row.get('duid') or row.get('hw-address')}", row)
            for version in (4, 6)
            for row in kea[f"dhcp{version}"]["reservations"]
        ],
    )
    radius = world.remote("RADIUS-EAST-01").state()
    keys = {"radcheck": ("username", "attribute"), "radreply": ("username", "attribute"), "radusergroup": ("username", "groupname")}
    keys |= {"radgroupcheck": ("groupname", "attribute"), "radgroupreply": ("groupname", "attribute")}
    yield "RADIUS-EAST-01", [(f"{t}/{row[a]}/{row[b]}", row) for t, (a, b) in keys.items() for row in radius[t]]
    acs = world.remote("ACS-01").state()
    held = {"preset": acs["presets"], "provision": acs["provisions"]}
    yield "ACS-01", [(f"{kind}/{row['_id']}", row) for kind, rows in held.items() for row in rows]
    yield "cloudwifi", [(f"inventory/{row['serialNumber']}", row) for row in world.remote("cloudwifi").state()["inventory"]]
    yield "logistics", list(_parcels(parcels))


def _parcels(parcels: list[Row]) -> Iterator[tuple[str, Row]]:
    """Shipping orders and returns that were not taken back."""
    for row in parcels:
        order, status = row["order"], row["status"]
        if order["shippingOrderItem"][0]["action"] == "delete":
            if status != "cancelled":
                yield f"returnOrder/{order['externalId']}", order
        elif status not in ("cancelled", "recalled", "returned"):
            yield f"shippingOrder/{order['externalId']}", order


def _came_back(parcels: list[Row]) -> Iterator[str]:
    """Returns that have arrived, and the deliveries that they brought back."""
    for row in parcels:
        if row["order"]["shippingOrderItem"][0]["action"] == "delete" and row["status"] == "returned":
            name = row["order"]["externalId"]
            yield from (f"returnOrder/{name}", f"shippingOrder/{name.removesuffix('/return')}")


def tables_of(database: Database, vault: Vault) -> tuple[Mapping[str, list[Row]], Mapping[str, Mapping[str, str]]]:
    """The tables' rows, and what was applied to each target: key -> text."""
    held = schema.configurations
    ours = (
        sa.select(schema.targets.c.name, held.c.key, held.c.text_sealed)
        .join(held, held.c.target == schema.targets.c.id)
        .where(held.c.key != "day-0")
    )
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    with database.read() as tx:
        found: dict[str, list[Row]] = {
            table.name: [dict(row) for row in tx.execute(sa.select(table).order_by(*table.primary_key)).mappings()] for table in _TABLES
        }
        for name, key, text in tx.execute(ours):
            texts[name][key] = vault.open(text)
    return found, texts
