"""What can be asked of a list and of an object: one function per method, as NetBox' REST API offers them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lab.netbox import available, listing, sql, writing
from lab.netbox.deleting import delete
from lab.netbox.errors import ApiError, invalid, not_found, not_played, precondition_failed
from lab.netbox.filters import Parameters
from lab.netbox.openapi import OpenApi
from lab.netbox.render import Body, Renderer
from lab.netbox.session import Session
from lab.netbox.store import Row
from lab.netbox.tables import Resource
from lab.netbox.unique import Races

_Operation = TypeVar("_Operation")


@dataclass(frozen=True)
class Answer:
    """What goes back to the client; `body` None is an empty one."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Request:
    """One request, its way to the model already found."""

    session: Session
    renderer: Renderer
    races: Races
    resource: Resource
    path: str
    parameters: Parameters
    body: Any = None
    if_match: str | None = None
    written: writing.Written = field(default_factory=list)

    def how(self) -> dict[str, Any]:
        """Return how objects are to be shown."""
        return listing.presentation(self.session, self.parameters)

    def show(self, row: Row) -> Body:
        """Show one object."""
        return self.renderer.show(self.session, self.resource, row, **self.how())

    def row(self, key: int) -> Row:
        """Return an object. Raises ApiError 404."""
        row = self.session.get(self.resource, key)
        if row is None:
            raise not_found(self.resource.verbose)
        return row


def etag(session: Session, row: Row) -> dict[str, str]:
    """Return the ETag header of an object: its `last_updated`, in 4.6 only (NetBox documentation, "Conditional requests")."""
    stamp = row.get("last_updated") or row.get("created")
    if not stamp or session.api.major_minor < (4, 6):
        return {}
    return {"ETag": f'W/"{stamp.removesuffix("Z")}+00:00"'}


def _check_precondition(request: Request, row: Row) -> None:
    """Compare If-Match with the object's ETag. 4.4 ignores the header: whoever relies on it there loses updates."""
    current = etag(request.session, row).get("ETag")
    if not current or not request.if_match or request.if_match == "*":
        return
    if current not in [tag.strip() for tag in request.if_match.split(",")]:
        raise precondition_failed(current)


def list_objects(request: Request) -> Answer:
    """GET of a list."""
    return Answer(200, listing.page(request.session, request.renderer, request.resource, request.path, request.parameters))


def create_objects(request: Request) -> Answer:
    """POST to a list: one object, or a list of them, all or none."""
    session = request.session
    if isinstance(request.body, list):
        rows = writing.create_all(session, request.races, request.resource, request.body, request.written)
        session.forget()
        return Answer(201, [_fresh(request, row) for row in rows])
    row = writing.create(session, request.races, request.resource, request.body, request.written)
    session.forget()
    shown = _fresh(request, row)
    return Answer(201, shown, {**etag(session, row), "Location": f"{session.base}/api/{request.resource.model.path}/{row['id']}/"})


def _fresh(request: Request, row: Row) -> Body:
    """Show an object that was just made; the secret of a token is in this answer and never again."""
    shown = request.show(row)
    if "secret" in row:
        shown["key" if request.session.api.major_minor < (4, 5) else "token"] = row["secret"]
    return shown


def _named(request: Request) -> dict[int, Body]:
    """Return the bodies of a bulk request by id. Raises ApiError 400 when one has no id."""
    if not isinstance(request.body, list):
        raise invalid({"non_field_errors": [f'Expected a list of items but got type "{type(request.body).__name__}".']})
    errors = [
        {} if isinstance(body, dict) and isinstance(body.get("id"), int) else {"id": ["This field is required."]} for body in request.body
    ]
    if any(errors):
        raise invalid(errors)
    return {body["id"]: body for body in request.body}


def _found(request: Request, keys: list[int]) -> list[Row]:
    """Return the objects with these ids, **in the default order of the model, without those that are not there**, as NetBox does."""
    return request.session.store.rows(
        request.resource, sql.among("id", len(keys)), keys, f"ORDER BY {listing.ordering(request.resource, None)}"
    )


def change_objects(request: Request, *, partial: bool = True) -> Answer:
    """PATCH or PUT of a list: all or none; an id that is not there is skipped without a word."""
    bodies = _named(request)
    rows = _found(request, list(bodies))
    for row in rows:
        _check_precondition(request, row)
        writing.update(request.session, request.races, request.resource, row, bodies[row["id"]], request.written, partial=partial)
    return Answer(200, [request.show(row) for row in _found(request, list(bodies))])


def replace_objects(request: Request) -> Answer:
    """PUT of a list."""
    return change_objects(request, partial=False)


def delete_objects(request: Request) -> Answer:
    """DELETE of a list: all or none; an id that is not there is skipped without a word."""
    bodies = _named(request)
    for row in _found(request, list(bodies)):
        _check_precondition(request, row)
        delete(request.session, request.resource, row, str(bodies[row["id"]].get("changelog_message") or ""))
    return Answer(204)


def show_object(request: Request, key: int) -> Answer:
    """GET of an object."""
    row = request.row(key)
    return Answer(200, request.show(row), etag(request.session, row))


def change_object(request: Request, key: int, *, partial: bool = True) -> Answer:
    """PATCH or PUT of an object."""
    row = request.row(key)
    _check_precondition(request, row)
    new = writing.update(request.session, request.races, request.resource, row, request.body, request.written, partial=partial)
    return Answer(200, request.show(new), etag(request.session, new))


def replace_object(request: Request, key: int) -> Answer:
    """PUT of an object."""
    return change_object(request, key, partial=False)


def delete_object(request: Request, key: int) -> Answer:
    """DELETE of an object."""
    row = request.row(key)
    _check_precondition(request, row)
    message = request.body.get("changelog_message") if isinstance(request.body, dict) else None
    delete(request.session, request.resource, row, str(message or ""))
    return Answer(204)


def show_free(request: Request, key: int, pool: available.Pool) -> Answer:
    """GET of available-ips, -prefixes, -vlans."""
    limit = request.parameters.get("limit", [None])[-1]
    return Answer(200, available.free(request.session, request.renderer, pool, request.row(key), limit))


def take_free(request: Request, key: int, pool: available.Pool) -> Answer:
    """POST to available-ips, -prefixes, -vlans. The answer has neither ETag nor Location."""
    session = request.session
    rows = available.take(session, request.races, pool, request.resource, request.row(key), request.body, request.written)
    session.forget()
    made = session.registry.by_label[pool.made]
    shown = [request.renderer.show(session, made, row) for row in rows]
    return Answer(201, shown if isinstance(request.body, list) else shown[0])


ON_LIST: Mapping[str, Callable[[Request], Answer]] = {
    "GET": list_objects,
    "POST": create_objects,
    "PUT": replace_objects,
    "PATCH": change_objects,
    "DELETE": delete_objects,
}
ON_OBJECT: Mapping[str, Callable[[Request, int], Answer]] = {
    "GET": show_object,
    "PUT": replace_object,
    "PATCH": change_object,
    "DELETE": delete_object,
}
ON_POOL: Mapping[str, Callable[[Request, int, available.Pool], Answer]] = {"GET": show_free, "POST": take_free}


def perform(request: Request, method: str, rest: list[str]) -> Answer:
    """Do what `method` asks of the model, where `rest` is what follows its path: nothing, an id, an id and a pool. Raises ApiError."""
    if request.resource.model.read_only and method not in ("GET", "OPTIONS"):
        raise method_not_allowed(method)
    if method == "OPTIONS":
        return describe(request)
    if not rest:
        return _chosen(ON_LIST, method)(request)
    if not rest[0].isdigit():
        raise not_there(request.session.api, f"{request.resource.model.path}/{'/'.join(rest)}")
    if len(rest) == 1:
        return _chosen(ON_OBJECT, method)(request, int(rest[0]))
    pool = available.POOLS.get((request.resource.label, rest[1])) if len(rest) == 2 else None
    if pool is None:
        raise not_there(request.session.api, f"{request.resource.model.path}/{{id}}/{'/'.join(rest[1:])}")
    return _chosen(ON_POOL, method)(request, int(rest[0]), pool)


def _chosen(table: Mapping[str, _Operation], method: str) -> _Operation:
    if method not in table:
        raise method_not_allowed(method)
    return table[method]


def not_there(api: OpenApi, path: str) -> ApiError:
    """Return the 404 of a path that NetBox does not have, or the 501 of one that it has and that is not played."""
    return not_played(f"/api/{path}/") if f"/api/{path}/" in api.paths else ApiError(404, {"detail": "Not found."})


def describe(request: Request) -> Answer:
    """OPTIONS of a list: the choices of its fields (pynetbox' `choices()` reads them)."""
    described = {}
    for name, taken in request.resource.taken.items():
        described[name] = {
            "type": str(taken.kind),
            "required": taken.required,
            "read_only": False,
            "label": name.replace("_", " ").capitalize(),
        }
        if taken.choices:
            shown = request.resource.shown.get(name, taken).choices or {}
            described[name]["choices"] = [{"value": value, "display_name": shown.get(value, value)} for value in taken.choices]
    return Answer(200, {"name": f"{request.resource.verbose} List", "description": "", "actions": {"POST": described}})


def method_not_allowed(method: str) -> ApiError:
    """Return the 405."""
    return ApiError(405, {"detail": f'Method "{method}" not allowed.'})
