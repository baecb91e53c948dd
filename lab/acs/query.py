"""The part of MongoDB's queries that the northbound interface takes here.

Equality by dotted path, $and, $or, $eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $exists; anything else is refused.
"""

from collections.abc import Callable, Mapping
from typing import Any

Document = Mapping[str, Any]

_MISSING = object()

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda have, want: have > want,
    "$gte": lambda have, want: have >= want,
    "$lt": lambda have, want: have < want,
    "$lte": lambda have, want: have <= want,
}


class BadQuery(ValueError):
    """A query that cannot be understood."""


def matches(document: Document, query: object) -> bool:
    """Whether a document is what the query asks for. Raises BadQuery."""
    if not isinstance(query, dict):
        raise BadQuery("a query is an object")
    return all(_clause(document, key, wanted) for key, wanted in query.items())


def projected(document: Document, paths: list[str]) -> dict[str, Any]:
    """Return `_id` and the parts of a document at the given paths; the whole document when there are none."""
    if not paths:
        return dict(document)
    result: dict[str, Any] = {"_id": document["_id"]}
    for path in paths:
        _copy(document, result, path.split("."))
    return result


def value_at(document: Document, path: str) -> Any:
    """Return the value at a dotted path, that of a device's parameter being its `_value`; None when there is nothing."""
    found = _at(document, path)
    return None if found is _MISSING else found


def _clause(document: Document, key: str, wanted: object) -> bool:
    if key in ("$and", "$or"):
        if not isinstance(wanted, list):
            raise BadQuery(f"{key} takes a list")
        results = [matches(document, query) for query in wanted]
        return all(results) if key == "$and" else any(results)
    if key.startswith("$"):
        raise BadQuery(f"unknown operator {key}")
    found = _at(document, key)
    if isinstance(wanted, dict) and any(name.startswith("$") for name in wanted):
        return all(_operator(found, name, value) for name, value in wanted.items())
    return _equal(found, wanted)


def _operator(found: Any, name: str, wanted: Any) -> bool:
    if name == "$exists":
        return (found is not _MISSING) is bool(wanted)
    if name in ("$eq", "$ne"):
        return _equal(found, wanted) is (name == "$eq")
    if name in ("$in", "$nin"):
        return any(_equal(found, one) for one in wanted) is (name == "$in")
    if name not in _COMPARE:
        raise BadQuery(f"unknown operator {name}")
    try:
        return found is not _MISSING and _COMPARE[name](found, wanted)
    except TypeError:  # values of different types are not in any order
        return False


def _equal(found: Any, wanted: Any) -> bool:
    if isinstance(found, list):
        return wanted in found or found == wanted
    return bool((None if found is _MISSING else found) == wanted)


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(document, Mapping) or name not in document:
            return _MISSING
        document = document[name]
    if isinstance(document, Mapping) and "_value" in document:
        return document["_value"]
    return document


def _copy(source: Any, target: dict[str, Any], names: list[str]) -> None:
    name, *rest = names
    if not isinstance(source, Mapping) or name not in source:
        return
    if not rest:
        target[name] = source[name]
    else:
        _copy(source[name], target.setdefault(name, {}), rest)
