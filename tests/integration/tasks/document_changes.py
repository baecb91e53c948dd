"""Documents of one line as the templates render them, and changes made of them."""

from __future__ import annotations

import json
from typing import Any

from engine.ports import Change

Body = dict[str, Any]


def put(kind: str, key: str, body: Body, was: Body | None = None) -> dict[str, Any]:
    return {"op": "put", "kind": kind, "key": key, "body": body, **({"was": was} if was else {})}


def delete(kind: str, key: str, was: Body) -> dict[str, Any]:
    return {"op": "delete", "kind": kind, "key": key, "was": was}


def change(*operations: dict[str, Any]) -> Change:
    """A change with its exact reverse, as tasks.change.documents computes it."""
    return Change(json.dumps(operations), json.dumps([_inverse(operation) for operation in reversed(operations)]))


def _inverse(operation: dict[str, Any]) -> dict[str, Any]:
    kind, key = operation["kind"], operation["key"]
    if operation["op"] == "delete":
        return put(kind, key, operation["was"])
    if "was" in operation:
        return put(kind, key, operation["was"], operation["body"])
    return delete(kind, key, operation["body"])


def mac(number: int) -> str:
    return f"48:57:54:34:00:{number:02x}"


def reservation4(number: int, address: str | None = None) -> tuple[str, str, Body]:
    return (
        "reservation4",
        f"42/{mac(number)}",
        {"subnet-id": 42, "hw-address": mac(number), "ip-address": address or f"10.42.17.{number}", "hostname": f"si-{number}"},
    )


def reservation6(number: int) -> tuple[str, str, Body]:
    duid = f"00:03:00:01:{mac(number)}"
    return ("reservation6", f"42/{duid}", {"subnet-id": 42, "duid": duid, "prefixes": [f"2001:db8:42:{number}::/64"]})


def radcheck(user: str, password: str) -> tuple[str, str, Body]:
    return ("radcheck", f"{user}/Cleartext-Password", {"op": ":=", "value": password})


def radreply(user: str, address: str) -> tuple[str, str, Body]:
    return ("radreply", f"{user}/Framed-IP-Address", {"op": ":=", "value": address})


def provision(name: str) -> tuple[str, str, Body]:
    script = 'declare("InternetGatewayDevice.DeviceInfo.ProvisioningCode", {value: 1}, {value: args[0]});'
    return ("provision", name, {"script": script})


def preset(serial: str, name: str, *arguments: str) -> tuple[str, str, Body]:
    return (
        "preset",
        serial,
        {
            "weight": 10,
            "channel": "default",
            "precondition": json.dumps({"DeviceID.SerialNumber": serial}),
            "events": {},
            "configurations": [{"type": "provision", "name": name, "args": list(arguments)}],
        },
    )


def tag(number: int, model: str = "HG8245H") -> tuple[str, str, Body]:
    digits = mac(number).replace(":", "")
    return ("inventory", digits, {"serialNumber": digits, "name": f"HWT{number}", "deviceType": model, "devClass": "subscriber"})


def parcel(external_id: str, serial: str, hours: float = 36.0, **other_hours: float | None) -> tuple[str, str, Body]:
    return ("shippingOrder", external_id, _order(external_id, serial, "add", {"hoursUntilDelivered": hours, **other_hours}))


def parcel_back(external_id: str, serial: str, **hours: float | None) -> tuple[str, str, Body]:
    return (
        "returnOrder",
        external_id,
        {**_order(external_id, serial, "delete", hours), "placeFrom": {"role": "customerAddress", "name": "42 Fibre Lane"}},
    )


def _order(external_id: str, serial: str, action: str, hours: dict[str, float | None]) -> Body:
    item = {"sku": "HG8245H", "product": {"productSerialNumber": serial, "productCharacteristic": [{"name": "ssid", "value": "SmithHome"}]}}
    return {
        "externalId": external_id,
        "shippingOrderCharacteristic": [{"name": name, "value": value} for name, value in hours.items()],
        "shippingOrderItem": [{"id": "1", "action": action, "shipment": {"shipmentItem": [{"id": "1", **item}]}}],
    }
