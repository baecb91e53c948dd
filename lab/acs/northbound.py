"""GenieACS' northbound interface (lib/nbi.ts, v1.2): methods, status codes and shapes."""

import json
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lab.acs.devices import Devices, timestamp
from lab.acs.presets import BadPreset, Presets
from lab.acs.query import BadQuery, matches, projected, value_at
from lab.acs.routers import Routers
from lab.acs.scripts import ScriptError
from lab.acs.sessions import Sessions
from lab.auth import is_logged_in
from lab.clock import LabClock
from lab.credentials import Login
from lab.documents import Document, Documents

VERSION = "1.2.16"

_COLLECTIONS = {"tasks": "task", "presets": "preset", "provisions": "provision", "files": "file", "faults": "fault"}
_PATIENCE = 3.0  # seconds for a connection request, GenieACS' DEVICE_ONLINE_THRESHOLD

Handler = Callable[[Request], Awaitable[Response]]


class Northbound:
    """The handlers. What a collection's documents are is told where they are put."""

    def __init__(
        self,
        documents: Documents,
        devices: Devices,
        presets: Presets,
        sessions: Sessions,
        routers: Routers,
        clock: LabClock,
        login: Login,
    ) -> None:
        """Serve what is in the store."""
        self._documents = documents
        self._devices = devices
        self._presets = presets
        self._sessions = sessions
        self._routers = routers
        self._clock = clock
        self._login = login

    def app(self) -> Starlette:
        """Return the application. A method that a path does not have is answered by 405 and Allow."""
        paths: list[tuple[str, dict[str, Handler]]] = [
            ("/provisions/{name}", {"PUT": self._put_provision, "DELETE": self._deleter(self._presets.delete_provision)}),
            ("/presets/{name}", {"PUT": self._put_preset, "DELETE": self._deleter(self._presets.delete)}),
            ("/files/{name}", {"PUT": self._put_file, "DELETE": self._delete_file}),
            ("/faults/{name}", {"DELETE": self._deleter(lambda name: self._documents.delete("fault", name))}),
            ("/devices/{id}", {"DELETE": self._delete_device}),
            ("/devices/{id}/tags/{tag}", {"POST": self._tag, "DELETE": self._tag}),
            ("/devices/{id}/tasks", {"POST": self._post_task}),
            ("/tasks/{name}/retry", {"POST": self._retry_task}),
            ("/tasks/{name}", {"DELETE": self._delete_task}),
            ("/{collection}", {"GET": self._list}),
        ]
        return Starlette(routes=[self._route(path + slash, handlers) for path, handlers in paths for slash in ("", "/")])

    def _route(self, path: str, handlers: dict[str, Handler]) -> Route:
        async def guarded(request: Request) -> Response:
            if not is_logged_in(request, self._login):
                return PlainTextResponse("Unauthorized", 401, {"WWW-Authenticate": 'Basic realm="GenieACS"'})
            handler = handlers["GET" if request.method == "HEAD" else request.method]
            response = await handler(request)
            response.headers["GenieACS-Version"] = VERSION
            return response

        return Route(path, guarded, methods=list(handlers))

    # --- what the devices shall be

    async def _put_provision(self, request: Request) -> Response:
        script = (await request.body()).decode(errors="replace")
        try:
            self._presets.put_provision(request.path_params["name"], script)
        except ScriptError as error:
            return PlainTextResponse(str(error), 400)
        return Response()

    async def _put_preset(self, request: Request) -> Response:
        try:
            self._presets.put(request.path_params["name"], json.loads(await request.body()))
        except json.JSONDecodeError as error:
            return PlainTextResponse(f"SyntaxError: {error}", 400)
        except BadPreset as error:
            return PlainTextResponse(str(error), 400)
        return Response()

    async def _put_file(self, request: Request) -> Response:
        """Take a file's metadata, from the headers, and its length; the content is for nobody here."""
        name = request.path_params["name"]
        headers = {"fileType": "filetype", "oui": "oui", "productClass": "productclass", "version": "version"}
        metadata = {key: request.headers[header] for key, header in headers.items() if header in request.headers}
        length = len(await request.body())
        self._documents.put("file", name, {"_id": name, "filename": name, "length": length, "metadata": metadata})
        return Response(status_code=201)

    async def _delete_file(self, request: Request) -> Response:
        if not self._documents.delete("file", request.path_params["name"]):
            return PlainTextResponse("404 Not Found", 404)
        return Response()

    def _deleter(self, delete: Callable[[str], object]) -> Handler:
        async def handler(request: Request) -> Response:
            delete(request.path_params["name"])
            return Response()  # 200 also when there is none, as in GenieACS

        return handler

    # --- devices

    async def _delete_device(self, request: Request) -> Response:
        if self._sessions.is_open(request.path_params["id"]):
            return PlainTextResponse("Device is in session", 503)
        self._devices.delete(request.path_params["id"])
        return Response()

    async def _tag(self, request: Request) -> Response:
        present = request.method == "POST"
        if not self._devices.tag(request.path_params["id"], request.path_params["tag"], present=present):
            return PlainTextResponse("No such device", 404)
        return Response()

    async def _post_task(self, request: Request) -> Response:
        """Queue a task for the device's next session, or have it call at once; without a task only that."""
        device_id, body = request.path_params["id"], await request.body()
        calls = "connection_request" in request.query_params
        patience = float(request.query_params.get("timeout", _PATIENCE * 1000)) / 1000
        if not body and not calls:
            return Response(status_code=400)
        if self._devices.get(device_id) is None:
            return PlainTextResponse("No such device", 404)
        if not body:
            called = await self._routers.call(device_id, patience)
            return Response() if called else PlainTextResponse("Device is offline", 504)
        try:
            task = _task(json.loads(body))
        except ValueError as error:
            return PlainTextResponse(f"SyntaxError: {error}", 400)
        key = secrets.token_hex(12)
        task = {**task, "_id": key, "device": device_id, "timestamp": timestamp(self._clock.now())}
        self._documents.put("task", key, task)
        if calls and await self._routers.call(device_id, patience) and self._documents.get("task", key) is None:
            return JSONResponse(task)
        # GenieACS says why in the reason phrase, which an ASGI application cannot set
        return JSONResponse(task, 202)

    async def _retry_task(self, request: Request) -> Response:
        task = self._documents.get("task", request.path_params["name"])
        if task is None:
            return PlainTextResponse("Task not found", 404)
        self._documents.delete("fault", f"{task['device']}:task_{task['_id']}")
        return Response()

    async def _delete_task(self, request: Request) -> Response:
        if not self._documents.delete("task", request.path_params["name"]):
            return PlainTextResponse("Task not found", 404)
        return Response()

    # --- reading

    async def _list(self, request: Request) -> Response:
        collection, parameters = request.path_params["collection"], request.query_params
        if collection != "devices" and collection not in _COLLECTIONS:
            return PlainTextResponse("404 Not Found", 404)
        try:
            query, sort = json.loads(parameters.get("query") or "{}"), json.loads(parameters.get("sort") or "{}")
            found = [document for document in self._candidates(collection, query) if matches(document, query)]
            for path, direction in reversed(sort.items()):
                found.sort(key=lambda document: str(value_at(document, path) or ""), reverse=direction < 0)
            skip, limit = int(parameters.get("skip", 0)), int(parameters.get("limit", len(found)))
        except (BadQuery, ValueError) as error:
            return PlainTextResponse(f"SyntaxError: {error}", 400)
        paths = [path.strip() for path in parameters.get("projection", "").split(",") if path.strip()]
        page = [projected(document, paths) for document in found[skip : skip + limit]]
        return JSONResponse(page, headers={"total": str(len(found))})

    def _candidates(self, collection: str, query: Any) -> Iterable[Document]:
        """Return what a query may find: for those that are asked all the time one document, else the whole collection."""
        key, serial = (query.get(name) if isinstance(query, dict) else None for name in ("_id", "_deviceId._SerialNumber"))
        if collection == "devices":
            if isinstance(serial, str):
                return self._devices.by_serial(serial)
            return self._devices if not isinstance(key, str) else [device for device in (self._devices.get(key),) if device]
        name = _COLLECTIONS[collection]
        if isinstance(key, str):
            return [document for document in (self._documents.get(name, key),) if document]
        return (document for _, document in self._documents.all(name))


def _task(given: Any) -> dict[str, Any]:
    """Return a task that the stand-in can carry out. Raises ValueError."""
    if not isinstance(given, dict) or given.get("name") != "setParameterValues" or not isinstance(given.get("parameterValues"), list):
        raise ValueError("of GenieACS' tasks only setParameterValues is known here")
    return given
