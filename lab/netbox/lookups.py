"""Comparisons that a filter may ask for by its suffix (`name__ic`, `id__gt`), as SQL (NetBox documentation, "Filtering")."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lab.netbox import sql
from lab.netbox.errors import invalid
from lab.netbox.openapi import Kind

Sql = tuple[str, list[Any]]
_ORDERED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_TRUE = frozenset({"true", "1", "t", "yes", "on"})
_PATTERNS: Mapping[str, Callable[[str], str]] = {
    "ic": lambda text: f"%{escaped(text)}%",
    "isw": lambda text: f"{escaped(text)}%",
    "iew": lambda text: f"%{escaped(text)}",
    "ie": lambda text: escaped(text),
}


def escaped(text: str) -> str:
    """Return `text` for LIKE, in which nothing of it is a wildcard."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def compare(column: str, kind: Kind, lookup: str, values: Sequence[str], parameter: str) -> Sql:
    """Return the condition that a column (or expression) fulfils `lookup` for any of `values`, a negated one for none.

    Raises ApiError 400 for a value that is not of the column's kind.
    """
    if lookup == "empty":
        empty = f"({column} IS NULL OR {column} IN ('', '[]'))"
        return (empty if values[0].lower() in _TRUE else f"NOT {empty}"), []
    if lookup in _ORDERED:
        bound = [_typed(kind, value, parameter) for value in values]
        return " OR ".join(f"{column} {_ORDERED[lookup]} ?" for _ in bound), bound
    negated, plain = lookup in ("n", "nic", "nie", "nisw", "niew"), lookup.removeprefix("n")
    if plain in ("regex", "iregex"):
        prefix = "(?i)" if plain == "iregex" else ""
        return " OR ".join(f"{column} REGEXP ?" for _ in values), [prefix + value for value in values]
    if plain in _PATTERNS:
        test, bound = " OR ".join(f"{column} LIKE ? ESCAPE '\\'" for _ in values), [_PATTERNS[plain](value) for value in values]
    else:
        test, bound = _equal(column, kind, values, parameter)
    return (f"NOT ({test}) OR {column} IS NULL" if negated else test), bound


def _equal(column: str, kind: Kind, values: Sequence[str], parameter: str) -> Sql:
    if kind is Kind.JSON:
        # a list of texts, such as object_types: it contains one of the values
        return sql.member(column.strip('"'), len(values)), list(values)
    bound = [_typed(kind, value, parameter) for value in values if value != "null"]
    test = f"{column} IN ({sql.marks(len(bound))})"
    return (f"{test} OR {column} IS NULL" if "null" in values else test), bound


def _typed(kind: Kind, value: str, parameter: str) -> Any:
    if kind is Kind.BOOLEAN:
        return int(value.lower() in _TRUE)
    try:
        if kind is Kind.INTEGER or kind is Kind.REFERENCE:
            return int(value)
        return float(value) if kind is Kind.NUMBER else value
    except ValueError:
        text = "Enter a whole number." if kind is not Kind.NUMBER else "Enter a number."
        raise invalid({parameter: [text]}) from None
