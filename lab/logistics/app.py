"""The stand-in for warehouse and carrier."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar

import httpx
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lab.auth import has_key
from lab.credentials import credentials
from lab.documents import Documents
from lab.fault_injection import Answers, Call
from lab.faults import Fault, Faults
from lab.logistics.carrier import Carrier
from lab.logistics.customer import Customer
from lab.logistics.model import Parcel, Status
from lab.logistics.shelf import Conflict, Shelf
from lab.logistics.webhooks import Webhooks
from lab.standin import Endpoint, Place
from lab.web import Site, serve_site

BASE = "/tmf-api/shippingOrder/v4.0"

Handler = Callable[[Request], Awaitable[Response]]


class Logistics:
    """`Endpoint.url` is TMF700's API root (.../v4.0); header X-API-KEY.

    POST /shippingOrder, GET /shippingOrder?externalId=&status=&offset=&limit=, GET, PATCH {"status": "cancelled" | "recalled"} and
    DELETE (as cancelled) /shippingOrder/{id}, GET /tracker/{code}. An order whose item has the action `delete` is a return.
    Webhooks go to the order's characteristic `callbackUrl`. Exhausted means: out of stock.
    A fault's `on` is "POST */shippingOrder" and so on, or for webhooks "webhook delivered", by the tracker's status.
    POST <control>/hours {"hoursUntilDelivered": 40, "hoursUntilHandedIn": null, ...} changes the hours of orders from now on.
    GET <control>/state: {"parcels": [lab.logistics.model.Parcel, ...], "webhooks": [...], "hours": {...}}.
    """

    kind: ClassVar[str] = "logistics"

    def __init__(self, place: Place) -> None:
        """Open the state in the folder."""
        self._place = place
        self._known = credentials(place.lab)
        self._clock = place.clock
        self._documents = Documents(place.folder / "logistics.db")
        self._shelf = Shelf(self._documents)
        self._faults = Faults()

    async def serve(self, ready: Callable[[Endpoint], None], stop: asyncio.Event) -> None:
        """Serve, and move the parcels, until told to stop."""
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            webhooks = Webhooks(self._documents, self._known.logistics_webhook_secret, client, self._faults)
            self._carrier = Carrier(self._documents, self._shelf, self._clock, webhooks, Customer(self._place.lab, client))
            self._webhooks = webhooks
            self._carrier.start()
            hours = Route("/hours", self._hours, methods=["POST"])
            site = Site(self._app(), self._state, self._faults, Answers(exhausted=_out_of_stock), control=[hours])
            try:
                await serve_site(self._place, self.kind, site, ready, stop, path=BASE)
            finally:
                self._carrier.stop()

    def _app(self) -> Starlette:
        one, tracker = f"{BASE}/shippingOrder/{{id}}", f"{BASE}/tracker/{{code}}"
        return Starlette(
            routes=[
                Route(f"{BASE}/shippingOrder", self._guarded(self._order), methods=["POST"]),
                Route(f"{BASE}/shippingOrder", self._guarded(self._list), methods=["GET"]),
                Route(one, self._guarded(self._get), methods=["GET"]),
                Route(one, self._guarded(self._patch), methods=["PATCH"]),
                Route(one, self._guarded(self._delete), methods=["DELETE"]),
                Route(tracker, self._guarded(self._track), methods=["GET"]),
            ]
        )

    def _guarded(self, handler: Handler) -> Handler:
        """Ask for the key first, and tell what cannot be done."""

        async def guarded(request: Request) -> Response:
            if not has_key(request, "x-api-key", self._known.logistics_api_key):
                return _error(401, "unauthorized", "Unauthorized", "the header X-API-KEY is missing or wrong")
            try:
                return await handler(request)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                where = ".".join(str(part) for part in first["loc"])
                return _error(400, "invalidBody", "Bad Request", f"{where}: {first['msg']}")
            except Conflict as conflict:
                return _error(409, conflict.code, conflict.reason, str(conflict))
            except ValueError as error:
                return _error(400, "invalidBody", "Bad Request", str(error))

        return guarded

    async def _order(self, request: Request) -> Response:
        parcel = self._shelf.accept(_object(await request.body()), self._clock.now())
        self._carrier.take(parcel)
        shown = self._shown(parcel, request)
        return JSONResponse(shown, 201, {"Location": shown["href"]})

    async def _list(self, request: Request) -> Response:
        wanted = {name: value for name, value in request.query_params.items() if name in ("id", "externalId", "status")}
        offset, limit = (int(request.query_params.get(name, default)) for name, default in (("offset", 0), ("limit", 100)))
        parcels: Iterable[Parcel | None] = self._shelf
        if "externalId" in wanted:  # asked for often, and found at once
            parcels = [await self._now(self._shelf.by_external_id(wanted["externalId"]))]
        found = [shown for parcel in parcels if parcel and wanted.items() <= (shown := self._shown(parcel, request)).items()]
        page = found[offset : offset + limit]
        return JSONResponse(page, headers={"X-Total-Count": str(len(found)), "X-Result-Count": str(len(page))})

    async def _get(self, request: Request) -> Response:
        parcel = await self._asked_for(request)
        return JSONResponse(self._shown(parcel, request)) if parcel else _not_found()

    async def _patch(self, request: Request) -> Response:
        given = _object(await request.body())
        if given not in ({"status": Status.CANCELLED}, {"status": Status.RECALLED}):
            raise ValueError('of a shipping order only its status can be changed: to "cancelled" or "recalled"')
        parcel = await self._asked_for(request)
        if parcel is None:
            return _not_found()
        change = self._carrier.cancel if given["status"] == Status.CANCELLED else self._carrier.recall
        return JSONResponse(self._shown(change(parcel), request))

    async def _delete(self, request: Request) -> Response:
        parcel = await self._asked_for(request)
        if parcel is None:
            return _not_found()
        self._carrier.cancel(parcel)
        return Response(status_code=204)

    async def _track(self, request: Request) -> Response:
        parcel = await self._now(self._shelf.by_tracking_code(request.path_params["code"]))
        return JSONResponse(parcel.tracker()) if parcel else _not_found()

    async def _asked_for(self, request: Request) -> Parcel | None:
        return await self._now(self._shelf.get(request.path_params["id"]))

    async def _now(self, parcel: Parcel | None) -> Parcel | None:
        return await self._carrier.up_to_date(parcel) if parcel else None

    def _shown(self, parcel: Parcel, request: Request) -> dict[str, Any]:
        return parcel.shown(str(request.url.replace(path=BASE, query="")))

    async def _hours(self, request: Request) -> Response:
        try:
            self._shelf.set_hours(_object(await request.body()))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return Response(status_code=204)

    def _state(self) -> dict[str, Any]:
        parcels = [parcel.model_dump(mode="json") for parcel in self._shelf]
        return {"parcels": parcels, "webhooks": self._webhooks.state(), "hours": self._shelf.hours()}


def _object(body: bytes) -> dict[str, Any]:
    given = json.loads(body)
    if not isinstance(given, dict):
        raise ValueError("an object is expected")
    return given


def _error(status: int, code: str, reason: str, message: str) -> JSONResponse:
    """Return an error as TMF630 has it."""
    return JSONResponse({"@type": "Error", "code": code, "reason": reason, "message": message, "status": str(status)}, status)


def _not_found() -> JSONResponse:
    return _error(404, "notFound", "Not Found", "there is no such shipping order")


def _out_of_stock(fault: Fault, _: Call) -> Response:
    return _error(fault.status or 409, "outOfStock", "Conflict", str((fault.error or {}).get("message", "the warehouse has none left")))
