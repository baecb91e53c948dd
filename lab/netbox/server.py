"""The ASGI application: reads a request, finds the model, does it in one transaction, answers with NetBox' headers.

Requests are done one after the other, so each is atomic. Between its arrival and its turn a request waits for one round of the event loop,
so that requests that come together are seen to race (`lab.netbox.unique`).
"""

import asyncio
import json
import logging
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lab.netbox import auth
from lab.netbox.errors import PYTHON_OF_NETBOX, ApiError, invalid, server_error
from lab.netbox.operations import Answer, Request, not_there, perform
from lab.netbox.render import Renderer
from lab.netbox.session import Session, Stamps
from lab.netbox.store import Row, Store
from lab.netbox.tables import Registry
from lab.netbox.unique import Races

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Server:
    """NetBox' REST API on a store. An ASGI application."""

    def __init__(self, registry: Registry, store: Store, races: Races) -> None:
        """Serve what `store` holds."""
        self._registry = registry
        self._store = store
        self._races = races
        self._renderer = Renderer(registry)
        self._stamps = Stamps()
        self._fields: dict[str, dict[str, Row]] = {}

    def session(self, base: str = "") -> Session:
        """Return a session, for one request or for the program itself."""
        return Session(self._store, self._registry, self._stamps, base=base, arrived=self._races.kept, fields=self._fields)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request (ASGI)."""
        request = HttpRequest(scope, receive)
        session = self.session(f"{request.url.scheme}://{request.url.netloc}")
        body = await request.body()
        await asyncio.sleep(0)
        answer = self._answer(session, request, body)
        await self._response(session, answer, request.method)(scope, receive, send)

    def _answer(self, session: Session, request: HttpRequest, body: bytes) -> Answer:
        try:
            return self._routed(session, request, body)
        except ApiError as error:
            return Answer(error.status, error.body, error.headers)
        except Exception as error:
            # as NetBox does with whatever breaks within it; here it is a defect, and the log says which
            logging.getLogger(__name__).exception("%s %s", request.method, request.url.path)
            return Answer(500, server_error(type(error).__name__, str(error), self._registry.api.minor, self._registry.api.release))

    def _routed(self, session: Session, request: HttpRequest, body: bytes) -> Answer:
        path = request.url.path
        if not path.startswith("/api/"):
            raise ApiError(404, {"detail": "Not found."})
        if not path.endswith("/"):
            return Answer(301, None, {"Location": f"{path}/" + (f"?{request.url.query}" if request.url.query else "")})
        parts = path.removeprefix("/api/").rstrip("/").split("/")
        if parts == ["schema"]:
            return Answer(200, self._registry.api.document())
        auth.authenticate(session, request.headers.get("authorization"), request.method)
        if parts in ([""], ["status"]) or len(parts) == 1:
            return self._about(session, parts[0])
        resource = self._registry.by_path.get("/".join(parts[:2]))
        if resource is None:
            raise not_there(self._registry.api, "/".join(parts))
        parameters = parse_qs(request.url.query, keep_blank_values=True)
        known = Request(session, self._renderer, self._races, resource, path, parameters, _decoded(body), request.headers.get("if-match"))
        return self._performed(known, request.method, parts[2:])

    def _performed(self, request: Request, method: str, rest: list[str]) -> Answer:
        if method in _READS:
            return perform(request, "GET" if method == "HEAD" else method, rest)
        try:
            with self._store.transaction():
                answer = perform(request, method, rest)
        except Exception:  # whatever it was, it goes on to who asked
            self._fields.clear()  # may hold what was just taken back
            raise
        self._races.note(request.written)
        return answer

    def _about(self, session: Session, name: str) -> Answer:
        api = self._registry.api
        if name == "status":
            versions = {"netbox-version": api.release, "netbox-full-version": api.release, "python-version": PYTHON_OF_NETBOX[api.minor]}
            return Answer(200, {**versions, "hostname": "netbox", "installed-apps": {}, "plugins": {}, "rq-workers-running": 0})
        apps = sorted({path.split("/")[0] for path in self._registry.by_path})
        if name == "":
            urls = {app: f"{session.base}/api/{app}/" for app in [*apps, "plugins", "status"]}
            return Answer(200, urls)
        if name not in apps:
            raise ApiError(404, {"detail": "Not found."})
        paths = sorted(path.split("/")[1] for path in self._registry.by_path if path.split("/")[0] == name)
        return Answer(200, {path: f"{session.base}/api/{name}/{path}/" for path in paths})

    def _response(self, session: Session, answer: Answer, method: str) -> Response:
        headers = {
            "API-Version": self._registry.api.minor,
            "X-Request-ID": session.request_id,
            "Vary": "HX-Request, Accept, Cookie",
            **answer.headers,
        }
        if answer.body is None:
            return Response(status_code=answer.status, headers=headers)
        content = json.dumps(answer.body, separators=(",", ":"), ensure_ascii=False).encode()
        return Response(content if method != "HEAD" else b"", answer.status, headers, "application/json")


def _decoded(body: bytes) -> Any:
    if not body:
        return {}
    try:
        return json.loads(body)
    except ValueError as error:
        raise invalid({"detail": f"JSON parse error - {error}"}) from None
