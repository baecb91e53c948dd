"""Bringing lists of NetBox objects to what they shall be: create what is missing, change what differs, leave the rest."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inventory.client import BULK, KEYS, Filters, NetBox, chunks
from inventory.fields import JsonObject

MESSAGE = "turnup: seeded"


@dataclass(frozen=True)
class Wanted:
    """One object. `key` identifies it within its list; `body` is what it is created with."""

    key: Hashable
    body: JsonObject
    keep: frozenset[str] | None = None
    """Fields that are put right when they differ later; None: all of the body. What orders change (status, marks) is not kept."""


@dataclass
class Counts:
    """What seeding did, by list (`dcim/devices`): objects created, updated, unchanged."""

    created: dict[str, int] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)


Key = Callable[[JsonObject], Hashable]
Progress = Callable[[str, int, int], None]
"""Told of a list, how many of its objects are done, and how many there are."""


class Upsert:
    """Writes lists of objects, at most 100 in a request, and counts."""

    def __init__(self, client: NetBox, progress: Progress | None = None) -> None:
        """Write with `client`."""
        self.client = client
        self.counts = Counts()
        self._progress = progress

    def many(
        self, path: str, wanted: Sequence[Wanted], *, by: str = "slug", within: Filters | None = None, key: Key | None = None
    ) -> dict[Hashable, JsonObject]:
        """Bring objects of a list to what is wanted; returns all that were found or made, by key.

        They are found by the field `by`, which holds their keys, or read all `within` these filters and told apart by `key`.
        """
        key = key or (lambda row: str(row[by]))
        filters = [within] if within is not None else [{by: [str(one.key) for one in part]} for part in chunks(wanted, KEYS)]
        there = {key(row): row for each in filters for row in self.client.read(path, each)}
        new = [one for one in wanted if one.key not in there]
        self._tell(path, len(wanted) - len(new), len(wanted))
        for part in chunks(new, BULK):
            rows = self.client.create(path, [{**one.body, "changelog_message": MESSAGE} for one in part])
            there.update((one.key, row) for one, row in zip(part, rows, strict=True))
            self._count(self.counts.created, path, len(rows))
            self._tell(path, len(wanted) - len(new) + self.counts.created[path], len(wanted))
        fresh = {one.key for one in new}
        changes = [(one, _difference(one, there[one.key])) for one in wanted if one.key not in fresh]
        self.patch(path, [{"id": there[one.key]["id"], **change} for one, change in changes if change])
        self._count(self.counts.unchanged, path, sum(not change for _, change in changes))
        return there

    def patch(self, path: str, bodies: Sequence[JsonObject]) -> None:
        """Change objects and count them as updated."""
        self.client.update(path, [{**body, "changelog_message": MESSAGE} for body in bodies])
        self._count(self.counts.updated, path, len(bodies))

    def _count(self, where: dict[str, int], path: str, number: int) -> None:
        if number:
            where[path] = where.get(path, 0) + number

    def _tell(self, path: str, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(path, min(done, total), total)


def _difference(wanted: Wanted, row: JsonObject) -> JsonObject:
    keep = wanted.body.keys() if wanted.keep is None else wanted.keep
    return {name: wanted.body[name] for name in keep if name in wanted.body and not same(wanted.body[name], row.get(name))}


def same(wanted: Any, shown: Any) -> bool:
    """Return whether a field shows what is wanted: NetBox shows choices and other objects as objects, and takes values and ids."""
    if isinstance(wanted, Mapping) and isinstance(shown, Mapping):  # custom fields: the others are nobody's business
        return all(same(value, shown.get(name)) for name, value in wanted.items())
    if isinstance(shown, Mapping):
        return wanted in (shown.get("id"), shown.get("value"))
    if isinstance(wanted, list | tuple) and isinstance(shown, list | tuple):
        return sorted(map(_flat, wanted)) == sorted(map(_flat, shown))
    if isinstance(wanted, int) and isinstance(shown, float):
        return wanted == shown
    return bool(wanted == shown) or (not wanted and not shown and wanted is not False)


def _flat(value: Any) -> str:
    """Lists are compared without order; a tag is known by its slug."""
    return str(value["slug"]) if isinstance(value, Mapping) and "slug" in value else str(tuple(value) if isinstance(value, list) else value)
