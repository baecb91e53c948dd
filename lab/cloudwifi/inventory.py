"""The registered devices: OpenWiFi's InventoryTag (openapi 2.5.0), and the number that our platform gives each."""

import re
import uuid
from datetime import datetime
from typing import Any

from lab.cloudwifi.errors import Wrong
from lab.documents import Document, Documents

DEVICE_TYPES = frozenset({"HG8245H", "HG8245Q2", "HG8247H5", "EG8145V5"})
"""The models that the platform knows."""
FIRST_NUMBER = 89_012
"""The worked example's router becomes CW-89012."""

_CLASSES = ("any", "venue", "entity", "subscriber")
_KEPT = ("id", "deviceId", "created", "serialNumber")  # what a PUT cannot change


class Refused(Exception):
    """A request that owprov answers with 400."""

    def __init__(self, wrong: Wrong) -> None:
        """Take the reason."""
        super().__init__(wrong.value[1])
        self.wrong = wrong


def normal_serial(text: str) -> str:
    """Return a serial number as owprov keeps it: the MAC's 12 hex digits. Raises Refused when it is none (HWT2340098 is none)."""
    digits = re.sub(r"[:\-]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise Refused(Wrong.SERIAL)
    return digits


class Inventory:
    """The devices by serial number; on disk."""

    def __init__(self, documents: Documents) -> None:
        """Use the documents of the stand-in."""
        self._documents = documents

    def all(self) -> list[Document]:
        """Return every tag."""
        return [tag for _, tag in self._documents.all("tag")]

    def get(self, serial: str) -> Document | None:
        """Return the tag of a device."""
        return self._documents.get("tag", serial.lower())

    def register(self, serial: str, given: dict[str, Any], now: datetime) -> Document:
        """Register a device and return its tag with `id` (owprov's UUID) and `deviceId` (ours: CW-89012, CW-89013, ...).

        Raises Refused in the order in which owprov looks: serial number, duplicate, mismatch, class, name, model.
        """
        key = normal_serial(serial)
        if self.get(key) is not None:
            raise Refused(Wrong.EXISTS)
        if normal_serial(str(given.get("serialNumber", ""))) != key:
            raise Refused(Wrong.MISMATCH)
        _check(given)
        tag = {
            "devClass": "any",
            **given,
            "serialNumber": key,
            "id": str(uuid.uuid4()),
            "deviceId": f"CW-{self._documents.next_number('device', FIRST_NUMBER)}",
            "created": int(now.timestamp()),
            "modified": int(now.timestamp()),
        }
        self._documents.put("tag", key, tag)
        return tag

    def change(self, serial: str, given: dict[str, Any], now: datetime) -> Document | None:
        """Change what is given of a device and return its tag, None when there is no such device. Raises Refused as `register` does."""
        tag = self.get(serial)
        if tag is None:
            return None
        changed = {**tag, **given, **{name: tag[name] for name in _KEPT}, "modified": int(now.timestamp())}
        _check(changed)
        self._documents.put("tag", tag["serialNumber"], changed)
        return changed

    def delete(self, serial: str) -> bool:
        """Forget a device; its number is not given again. False when there is no such device."""
        return self._documents.delete("tag", serial.lower())


def _check(tag: dict[str, Any]) -> None:
    if tag.get("devClass", "any") not in _CLASSES:
        raise Refused(Wrong.DEVICE_CLASS)
    if not tag.get("name"):
        raise Refused(Wrong.NAME)
    if tag.get("deviceType") not in DEVICE_TYPES:
        raise Refused(Wrong.DEVICE_TYPE)
