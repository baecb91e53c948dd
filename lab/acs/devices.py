"""The devices that the ACS knows: flat in the store, as a tree in the words of GenieACS' northbound interface."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from lab.documents import Document, Documents


@dataclass(frozen=True)
class Identity:
    """Who a CPE says it is (TR-069, DeviceIdStruct)."""

    manufacturer: str
    oui: str
    product_class: str
    serial: str

    @property
    def device_id(self) -> str:
        """GenieACS' id: OUI-ProductClass-Serial, what is neither letter, digit nor `_` percent-encoded."""
        parts = (self.oui, self.product_class, self.serial)
        return "-".join(quote(part, safe="").replace("-", "%2D").replace(".", "%2E").replace("~", "%7E") for part in parts)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a CPE, as the ACS last heard of it."""

    value: str
    type: str = "xsd:string"
    writable: bool = False
    timestamp: str = ""


def timestamp(moment: datetime) -> str:
    """Return a time as GenieACS writes it: 2024-03-12T10:30:00.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Devices:
    """The devices by id; on disk."""

    def __init__(self, documents: Documents) -> None:
        """Use the documents of the stand-in."""
        self._documents = documents
        self._by_serial: dict[str, set[str]] = {}
        for key, document in documents.all("device"):
            self._by_serial.setdefault(document["_deviceId"]["_SerialNumber"], set()).add(key)

    def __iter__(self) -> Iterator[Document]:
        """Give every device as the northbound interface shows it."""
        return (_shown(document) for _, document in self._documents.all("device"))

    def get(self, device_id: str) -> Document | None:
        """Return a device as the northbound interface shows it."""
        document = self._documents.get("device", device_id)
        return _shown(document) if document else None

    def by_serial(self, serial: str) -> list[Document]:
        """Return the devices with this serial number: one, unless vendors happen to number alike."""
        return [device for key in sorted(self._by_serial.get(serial, ())) if (device := self.get(key))]

    def inform(self, identity: Identity, events: Iterable[str], parameters: Mapping[str, Parameter], now: datetime) -> None:
        """Take note of an Inform; who informs for the first time is registered by it."""
        time = timestamp(now)
        document = self._documents.get("device", identity.device_id) or {
            "_id": identity.device_id,
            "_deviceId": {
                "_Manufacturer": identity.manufacturer,
                "_OUI": identity.oui,
                "_ProductClass": identity.product_class,
                "_SerialNumber": identity.serial,
            },
            "_registered": time,
            "_tags": [],
            "parameters": {},
        }
        document["_lastInform"] = time
        for event, name in (("0 BOOTSTRAP", "_lastBootstrap"), ("1 BOOT", "_lastBoot")):
            if event in events:
                document[name] = time
        self._documents.put("device", identity.device_id, document)
        self._by_serial.setdefault(identity.serial, set()).add(identity.device_id)
        self.learn(identity.device_id, parameters, now)

    def learn(self, device_id: str, parameters: Mapping[str, Parameter], now: datetime) -> None:
        """Take note of what a device's parameters are."""
        document = self._documents.get("device", device_id)
        if document is not None:
            known = {path: {**asdict(parameter), "timestamp": timestamp(now)} for path, parameter in parameters.items()}
            self._documents.put("device", device_id, {**document, "parameters": {**document["parameters"], **known}})

    def values(self, device_id: str) -> dict[str, str]:
        """Return what is known of a device's parameters, by path."""
        document = self._documents.get("device", device_id) or {"parameters": {}}
        return {path: parameter["value"] for path, parameter in document["parameters"].items()}

    def tag(self, device_id: str, tag: str, *, present: bool) -> bool:
        """Set or remove a tag; False when there is no such device."""
        document = self._documents.get("device", device_id)
        if document is None:
            return False
        tags = {*document["_tags"]} | {tag} if present else {*document["_tags"]} - {tag}
        self._documents.put("device", device_id, {**document, "_tags": sorted(tags)})
        return True

    def delete(self, device_id: str) -> None:
        """Forget a device; with its next Inform it is a new one."""
        self._documents.delete("device", device_id)


def _shown(document: Document) -> Document:
    shown: dict[str, Any] = {name: value for name, value in document.items() if name != "parameters"}
    for path, parameter in document["parameters"].items():
        *above, name = path.split(".")
        node = shown
        for part in above:
            node = node.setdefault(part, {"_object": True, "_writable": False})
        node[name] = {
            "_value": parameter["value"],
            "_type": parameter["type"],
            "_writable": parameter["writable"],
            "_object": False,
            "_timestamp": parameter["timestamp"],
        }
    return shown
