"""Lists: which page of which objects in which order, with NetBox' caps."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from lab.netbox.errors import invalid
from lab.netbox.filters import Condition, Parameters, condition
from lab.netbox.render import Body, Renderer
from lab.netbox.session import Session
from lab.netbox.tables import Resource

DEFAULT_PAGE = 50
LARGEST_PAGE = 1000


def page(session: Session, renderer: Renderer, resource: Resource, path: str, parameters: Parameters) -> Body:
    """Return one page of a list, `{"count", "next", "previous", "results"}`. Raises ApiError 400 for an illegal filter value."""
    wanted = condition(session, resource, parameters)
    limit, how = page_size(_last(parameters, "limit")), presentation(session, parameters)
    start = _last(parameters, "start")
    if start is not None and session.api.major_minor >= (4, 6):
        return _from_id(session, renderer, resource, path, parameters, wanted, limit, how)
    offset = _whole(_last(parameters, "offset")) or 0
    order = ordering(resource, _last(parameters, "ordering"))
    rows = session.store.rows(resource, wanted.sql, (*wanted.values, limit, offset), f"ORDER BY {order} LIMIT ? OFFSET ?")
    partial = len(rows) < limit and (rows or not offset)
    count = offset + len(rows) if partial else session.store.count(resource, wanted.sql, wanted.values)
    for row in rows:
        session.see(resource, row)
    following = _link(session, path, parameters, limit=limit, offset=offset + limit) if offset + limit < count else None
    before = {"limit": limit, "offset": offset - limit} if offset > limit else {"limit": limit}
    previous = _link(session, path, parameters, **before) if offset > 0 else None
    return {"count": count, "next": following, "previous": previous, "results": renderer.show_all(session, resource, rows, **how)}


def _from_id(
    session: Session,
    renderer: Renderer,
    resource: Resource,
    path: str,
    parameters: Parameters,
    wanted: Condition,
    limit: int,
    how: Mapping[str, Any],
) -> Body:
    """Return a page by cursor (4.6): ids from `start` on, without a count."""
    start = _whole(_last(parameters, "start"))
    if start is None:
        raise invalid({"start": ["A valid non-negative integer is required."]})
    if "offset" in parameters:
        raise invalid({"detail": "'start' and 'offset' are mutually exclusive."})
    rows = session.store.rows(resource, f"{wanted.sql} AND id >= ?", (*wanted.values, start, limit + 1), "ORDER BY id LIMIT ?")
    following = _link(session, path, parameters, start=rows[limit]["id"], limit=limit) if len(rows) > limit else None
    return {"count": None, "next": following, "previous": None, "results": renderer.show_all(session, resource, rows[:limit], **how)}


def page_size(text: str | None) -> int:
    """Return the size of a page: 50 when it is not said, 1000 for 0 and for more than 1000."""
    size = _whole(text)
    if size is None:
        return DEFAULT_PAGE
    return min(size, LARGEST_PAGE) or LARGEST_PAGE


def presentation(session: Session, parameters: Parameters) -> dict[str, Any]:
    """Return how objects are to be shown: `fields=`, `omit=` (4.6), `exclude=config_context`, `brief=`."""
    how: dict[str, Any] = {}
    if _last(parameters, "fields"):
        how["only"] = frozenset((_last(parameters, "fields") or "").split(","))
    elif _last(parameters, "omit") and session.api.major_minor >= (4, 6):
        how["omit"] = frozenset((_last(parameters, "omit") or "").split(","))
    elif _last(parameters, "brief"):
        how["brief"] = True
    if "config_context" in (_last(parameters, "exclude") or ""):
        how["omit"] = frozenset({"config_context", *how.get("omit", ())})
    return how


def ordering(resource: Resource, asked: str | None) -> str:
    """Return the SQL order for `ordering=`; columns that are not there are ignored, as in NetBox."""
    names = [
        name for name in (asked or "").split(",") if name.lstrip("-") in (*resource.columns, "id") and not name.lstrip("-").startswith("_")
    ]
    terms = [_term(name) for name in names or resource.model.order if name.lstrip("-") in (*resource.columns, "id")]
    return ", ".join([*terms, "id"])


def _term(name: str) -> str:
    column = name.lstrip("-")
    return f'"{"_sort" if column == "name" else column}"' + (" DESC" if name.startswith("-") else "")


def _last(parameters: Parameters, name: str) -> str | None:
    values: Sequence[str] = parameters.get(name, ())
    return values[-1] if values else None


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def _link(session: Session, path: str, parameters: Parameters, **changed: int) -> str:
    kept = {name: list(values) for name, values in parameters.items() if name not in ("limit", "offset", "start")}
    query = urlencode({**{name: str(value) for name, value in changed.items()}, **kept}, doseq=True)
    return f"{session.base}{path}?{query}"
