"""The carrier's webhooks: signed, and repeated until they are taken (EasyPost's way)."""

import asyncio
import hashlib
import hmac
import json
import logging
import unicodedata
import uuid
from typing import Any

import httpx

from lab.documents import Document, Documents
from lab.faults import Do, Fault, Faults, When
from lab.logistics.model import Parcel

SIGNATURE = "X-Hmac-Signature"
_BACKOFF = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Real seconds before each further attempt; after the last the carrier gives up."""

_log = logging.getLogger(__name__)


def signature(secret: str, body: bytes) -> str:
    """Return the value of the header X-Hmac-Signature: the HMAC-SHA256 of the raw body, the key being the NFKD form of the secret."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return f"hmac-sha256-hex={hmac.new(key, body, hashlib.sha256).hexdigest()}"


class Webhooks:
    """The webhooks of one carrier, on disk until they are taken or given up; those of a parcel in their order."""

    def __init__(self, documents: Documents, secret: str, client: httpx.AsyncClient, faults: Faults) -> None:
        """Sign with `secret`, send with `client`. A webhook is an operation named `webhook delivered`, by the tracker's status."""
        self._faults = faults
        self._documents = documents
        self._secret = secret
        self._client = client
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Go on with what was not taken."""
        for parcel_id in {hook["parcel"] for _, hook in self._documents.all("webhook") if hook["state"] == "waiting"}:
            self._go_on(parcel_id)

    def stop(self) -> None:
        """Send nothing more for now."""
        for task in self._tasks.values():
            task.cancel()

    def send(self, parcel: Parcel) -> None:
        """Tell who ordered a parcel what has become of it, if there is where to tell it."""
        if parcel.callback is None:
            return
        event = {
            "id": f"evt_{uuid.uuid4().hex}",
            "object": "Event",
            "description": "tracker.updated",
            "mode": "production",
            "created_at": parcel.history[-1][1].isoformat(),
            "result": parcel.tracker(),
        }
        key = f"{parcel.id}/{self._documents.next_number('webhook', 1):08}"
        # the very text is kept: the signature is over its bytes
        hook = {"parcel": parcel.id, "url": parcel.callback, "body": json.dumps(event), "attempts": 0, "state": "waiting"}
        self._documents.put("webhook", key, hook)
        self._go_on(parcel.id)

    def state(self) -> list[Document]:
        """Return every webhook: {parcel, url, body, attempts, state: waiting | taken | given up}."""
        return [hook for _, hook in self._documents.all("webhook")]

    def _go_on(self, parcel_id: str) -> None:
        task = self._tasks.get(parcel_id)
        if task is None or task.done():
            self._tasks[parcel_id] = asyncio.create_task(self._deliver(parcel_id), name=f"webhooks of {parcel_id}")

    async def _deliver(self, parcel_id: str) -> None:
        while waiting := [(key, hook) for key, hook in self._documents.all("webhook", f"{parcel_id}/") if hook["state"] == "waiting"]:
            key, hook = waiting[0]
            hook["state"] = await self._attempt(hook)
            hook["attempts"] += 1
            self._documents.put("webhook", key, hook)
            if hook["state"] == "waiting":
                await asyncio.sleep(_BACKOFF[hook["attempts"] - 1])

    async def _attempt(self, hook: Document) -> str:
        """Send it once, or show the fault that waits for it, and return its state."""
        name = f"webhook {json.loads(hook['body'])['result']['status']}"
        again = "given up" if hook["attempts"] >= len(_BACKOFF) else "waiting"
        match self._faults.take(name):
            case Fault(do=Do.REFUSE | Do.EXHAUST):
                return "given up"  # the carrier does not tell at all
            case Fault(do=Do.DROP | Do.HANG):
                return again
            case Fault(do=Do.SLOW, seconds=seconds):
                await asyncio.sleep(seconds)
        taken = await self._is_taken(hook)
        if self._faults.take(name, when=When.AFTER):  # it was taken, and the carrier does not know
            return again
        return "taken" if taken else again

    async def _is_taken(self, hook: dict[str, Any]) -> bool:
        body = hook["body"].encode()
        headers = {"Content-Type": "application/json", "User-Agent": "LabPost/1", SIGNATURE: signature(self._secret, body)}
        try:
            answer = await self._client.post(hook["url"], content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _log.warning("webhook of %s to %s: %r", hook["parcel"], hook["url"], error)
            return False
        return bool(answer.is_success)
