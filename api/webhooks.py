"""What outside systems tell us: POST /webhooks/logistics, signed as EasyPost signs its webhooks.

`X-Hmac-Signature: hmac-sha256-hex=<HMAC-SHA256 of the raw body, key: the shared secret in NFKD>` (EasyPost's client libraries,
`validate_webhook`). A webhook is never believed for what it says: it only makes us look again, now instead of at the next poll, so that
one that is repeated, comes out of order or to another shipment's URL (which the signature does not cover) does no harm.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Callable

import structlog
from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool

from api.errors import handle_errors
from engine.errors import BadInput, ForgedCallback

log = structlog.get_logger()

LOGISTICS = "/webhooks/logistics"
SHIPMENT = "?shipment={externalId}"
"""What stands behind the URL that a carrier is given: a Tracker does not say our id of the shipment, so it comes back with the URL."""
SIGNATURE = "X-Hmac-Signature"
LIMIT = 64 * 1024
"""Bytes of a body; a carrier's event has about 3,000."""

ARRIVALS = frozenset({"delivered", "return_to_sender"})
"""What a tracker says when a parcel has come to an end of its way, one way or the other (EasyPost's statuses)."""
EVENTS = ("delivered", "returned")
"""What steps wait for. Who turned a parcel round also moves who waits for its delivery."""

Wake = Callable[[set[str]], int]
"""Wakes the steps that wait for these events and says how many lanes have work for it."""


class TooLarge(BadInput):
    """The body of a request is larger than anything we expect."""

    code = "TOO_LARGE"
    http_status = 413
    remedy = "Send one event a request."


class Tracker(BaseModel):
    """The part of EasyPost's Tracker that we read."""

    model_config = ConfigDict(extra="ignore")

    tracking_code: str | None = None
    status: str


class Event(BaseModel):
    """EasyPost's Event."""

    model_config = ConfigDict(extra="ignore")

    description: str
    result: Tracker


class Woken(BaseModel):
    """The answer: how many lanes look again. 0 when nobody waits for this shipment (any more)."""

    woken: int


def webhooks(secret: str, wake: Wake) -> FastAPI:
    """The application that listens for webhooks. `secret` is shared with the carrier; `wake` is called with
    `delivered:<shipment>` and `returned:<shipment>`: the delivery of a return is the return of a delivery."""
    app = FastAPI(title="turnup webhooks", docs_url=None, redoc_url=None, openapi_url=None)
    handle_errors(app)
    key = unicodedata.normalize("NFKD", secret).encode()

    @app.post(LOGISTICS, status_code=202)
    async def logistics(request: Request, shipment: str | None = None) -> Woken:
        body = await _body(request)
        _verify(key, body, request.headers.get(SIGNATURE, ""))
        event = _event(body)
        keys = {f"{what}:{name}" for name in (shipment, event.result.tracking_code) if name for what in EVENTS}
        if event.result.status not in ARRIVALS or not keys:
            return Woken(woken=0)
        # unknown shipments are accepted too: a carrier repeats what is refused, and learns nothing about our orders
        return Woken(woken=await run_in_threadpool(wake, keys))

    return app


def sign(secret: str, body: bytes) -> str:
    """The signature header's value for a body."""
    return _signature(unicodedata.normalize("NFKD", secret).encode(), body)


def _signature(key: bytes, body: bytes) -> str:
    return f"hmac-sha256-hex={hmac.new(key, body, hashlib.sha256).hexdigest()}"


def _verify(key: bytes, body: bytes, signature: str) -> None:
    # as bytes: compare_digest refuses text that is not ASCII, and a header may hold any
    if not hmac.compare_digest(_signature(key, body).encode(), signature.encode()):
        log.warning("forged webhook", path=LOGISTICS, signed=bool(signature), size=len(body))
        raise ForgedCallback(f"the signature in {SIGNATURE} is {'not that of the body' if signature else 'missing'}")


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT:
            raise TooLarge(f"the body is larger than {LIMIT} bytes")
    return body


def _event(body: bytes) -> Event:
    try:
        return Event.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadInput(f"not an event: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
