"""What each target was last given and confirmed, and who states what there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from engine.ports import Fragment, Node
from engine.store import bulk
from engine.store.rows import plain
from engine.store.schema import configurations, formers, nodes, shares, targets
from engine.store.store import Store

ANOTHER = "(another value)"
_CHUNK = 500
T = TypeVar("T")


def fingerprint(text: str) -> int:
    """64-bit hash of a path or value, as a signed integer."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


@dataclass(frozen=True)
class Entry:
    """What stands under a key on a target, or is to stand there."""

    key: str
    fragment: Fragment | None
    """None: nothing."""
    shares: tuple[str, ...] = ()
    """Keys of the shared fragments that it refers to."""
    root: str | None = None
    """The order whose own it is; None for what many share."""


class _Row(NamedTuple):
    """What stands under a key: its number, and its text as it is kept."""

    number: int
    sealed: str


@dataclass(frozen=True)
class Sides:
    """What stands on a target where some entries are to stand, and what is to stand there."""

    stated: Mapping[Entry, Sequence[Node]]
    """The entries, with those that go with them as nobody else refers to them, and what each states."""
    applied: Mapping[str, Fragment]
    """What stands under their keys now."""
    others: Mapping[str, frozenset[str]]
    """What everybody else states where one of both states something (`Configurations.others`)."""

    @property
    def wanted(self) -> dict[str, Fragment]:
        """What is to stand there, by its key."""
        return {entry.key: entry.fragment for entry in self.stated if entry.fragment is not None}


class Configurations:
    """Applied configuration and its index."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- targets -------------------------------------------------------------------------------------------------------
    def target_id(self, tx: sa.Connection, name: str, platform: str) -> int:
        """The number of a target; given on first use."""
        found = self._number(tx, name)
        if found is None:
            bulk.insert_once(tx, targets, [{"name": name, "platform": platform}])
            found = self._number(tx, name)
        if found is None:
            raise LookupError(name)
        return found

    def adopted(self, tx: sa.Connection, name: str) -> bool:
        """Whether it is known what the target held before us."""
        self._number(tx, name)
        return name in self._store.adopted

    def mark_adopted(self, tx: sa.Connection, name: str) -> None:
        """From now on it is known."""
        tx.execute(sa.update(targets).where(targets.c.name == name).values(adopted=self._now()))

    def platforms(self, tx: sa.Connection, names: Iterable[str]) -> dict[str, str]:
        """Platform of each target that was ever used."""
        return dict(tx.execute(_PLATFORMS, {"names": list(names)}).all())

    def _number(self, tx: sa.Connection, name: str) -> int | None:
        """The number of a target. Of one that is adopted it stays what it is."""
        if name in self._store.adopted:
            return self._store.adopted[name]
        row = tx.execute(_TARGET, {"name_": name}).one_or_none()
        if row is not None and row.adopted is not None:
            self._store.adopted[name] = int(row.id)
        return None if row is None else int(row.id)

    # -- applied configuration -----------------------------------------------------------------------------------------
    def applied(self, tx: sa.Connection, target: str, keys: Iterable[str]) -> dict[str, Fragment]:
        """The applied fragments of these keys on a target."""
        return self._opened(target, self._standing(tx, self._number(tx, target), keys))

    def sides(self, tx: sa.Connection, target: str, entries: Sequence[Entry], nodes_of: Callable[[Fragment], Sequence[Node]]) -> Sides:
        """What these entries meet on a target. `nodes_of`: what a fragment states."""
        number, keys = self._number(tx, target), {entry.key for entry in entries}
        standing = self._standing(tx, number, keys)
        left = [key for key in self._left_alone(tx, number, entries, standing) if key not in keys]
        standing |= self._standing(tx, number, left)
        stated = {e: nodes_of(e.fragment) if e.fragment else () for e in (*entries, *(Entry(key, None) for key in left))}
        applied = self._opened(target, standing)
        asked = (*(nodes_of(fragment) for fragment in applied.values()), *stated.values())
        return Sides(stated, applied, self._others(tx, number, standing, [node for found in asked for node in found]))

    def holders(self, tx: sa.Connection, keys: Iterable[str]) -> dict[str, list[str]]:
        """The targets that hold something under each of these keys, in the order in which they got it."""
        found: dict[str, list[str]] = {}
        for key, target in tx.execute(_HOLDERS, {"keys": sorted(set(keys))}):
            found.setdefault(key, []).append(target)
        return found

    def standing(self, tx: sa.Connection, target: str, keys: Iterable[str]) -> list[Entry]:
        """What stands under these keys on a target."""
        found = self._standing(tx, self._number(tx, target), keys)
        held, referred = self._opened(target, found), self._referred(tx, found)
        numbers = [row.number for row in found.values()]
        rows = tx.execute(sa.select(configurations.c.key, configurations.c.root).where(configurations.c.id.in_(numbers)))
        return [Entry(row.key, held[row.key], tuple(referred[row.key]), row.root) for row in rows]

    def formers(self, tx: sa.Connection, target: str, root: str) -> dict[str, Entry]:
        """What a target held under the keys that an order touched, before it did."""
        wanted = sa.select(formers).join(targets, targets.c.id == formers.c.target).where(targets.c.name == target, formers.c.root == root)
        found = {}
        for row in tx.execute(wanted).mappings():
            text = row["text_sealed"]
            fragment = None if text is None else Fragment(target, row["key"], self._store.vault.open(text))
            found[row["key"]] = Entry(row["key"], fragment, tuple(row["shares"]), root)
        return found

    def others(self, tx: sa.Connection, target: str, own: Iterable[str], stated: Sequence[Node]) -> dict[str, frozenset[str]]:
        """What everybody else (all keys but `own`) states at the paths of `stated`: path -> value, as a set of one.

        Only hashes are kept: a value that is none of those in `stated` is given as ANOTHER, which equals nothing.
        """
        number = self._number(tx, target)
        return self._others(tx, number, self._standing(tx, number, own), stated)

    def _others(self, tx: sa.Connection, target: int | None, own: Mapping[str, _Row], stated: Sequence[Node]) -> dict[str, frozenset[str]]:
        texts: dict[int, str] = {}
        values: dict[int, set[str]] = defaultdict(set)
        for node in stated:
            path = fingerprint(node.path)
            texts[path] = node.path
            values[path].add(node.value)
        if target is None:
            return {}
        found: dict[str, frozenset[str]] = {}
        for chunk in chunks(sorted(texts)):
            asked = {"target_": target, "paths": chunk, "excluded": [row.number for row in own.values()]}
            for path, value in tx.execute(_ONE_HOLDER[tx.dialect.name == "sqlite"], asked):
                if value is not None:
                    known = {fingerprint(text): text for text in values[path]}
                    found[texts[path]] = frozenset({known.get(value, ANOTHER)})
        return found

    def _left_alone(self, tx: sa.Connection, target: int | None, entries: Sequence[Entry], standing: Mapping[str, _Row]) -> list[str]:
        """Shared fragments to which nobody refers any more once these entries stand there."""
        referred = {key for keys in self._referred(tx, standing).values() for key in keys}
        candidates = sorted(referred - {key for entry in entries for key in entry.shares})
        if not candidates:
            return []
        excluded = [row.number for row in standing.values()]
        used = sa.select(shares.c.key).where(
            shares.c.target == target, shares.c.key.in_(candidates), shares.c.configuration.not_in(excluded)
        )
        return sorted(set(candidates) - set(tx.execute(used).scalars()))

    def _standing(self, tx: sa.Connection, target: int | None, keys: Iterable[str]) -> dict[str, _Row]:
        """What stands under these keys."""
        if target is None:
            return {}
        found: dict[str, _Row] = {}
        for chunk in chunks(sorted(set(keys))):
            found |= {key: _Row(*row) for key, *row in tx.execute(_STANDING, {"target_": target, "keys": chunk})}
        return found

    def _referred(self, tx: sa.Connection, standing: Mapping[str, _Row]) -> dict[str, list[str]]:
        """The keys of the shared fragments that each of these refers to."""
        found: dict[str, list[str]] = {key: [] for key in standing}
        by_number = {row.number: key for key, row in standing.items()}
        for chunk in chunks(sorted(by_number)):
            for key, number in tx.execute(_REFERRED, {"numbers": chunk}):
                found[by_number[number]].append(key)
        return found

    def _opened(self, target: str, standing: Mapping[str, _Row]) -> dict[str, Fragment]:
        return {key: Fragment(target, key, self._store.vault.open(row.sealed)) for key, row in standing.items()}

    # -- writing down --------------------------------------------------------------------------------------------------
    def apply(self, tx: sa.Connection, target: int, transaction: str | None, entries: Mapping[Entry, Sequence[Node]]) -> None:
        """These entries, with what each states, are what the target now holds under their keys."""
        standing = self._standing(tx, target, [entry.key for entry in entries])
        entries = {entry: stated for entry, stated in entries.items() if not self._as_before(entry, standing)}
        standing = {entry.key: standing[entry.key] for entry in entries if entry.key in standing}
        self._remember(tx, target, entries, standing)
        for chunk in chunks(sorted(row.number for row in standing.values())):
            tx.execute(_FORGET_NODES, {"numbers": chunk})
            tx.execute(_FORGET_SHARES, {"numbers": chunk})
        gone = [standing[entry.key].number for entry in entries if entry.fragment is None and entry.key in standing]
        for chunk in chunks(sorted(gone)):
            tx.execute(sa.delete(configurations).where(configurations.c.id.in_(chunk)))
        numbers = self._numbers(tx, target, transaction, entries, standing)
        index = [
            {"target": target, "path": path, "configuration": numbers[entry.key], "value": value}
            for entry, stated in entries.items()
            if entry.fragment is not None
            for path, value in {fingerprint(node.path): fingerprint(node.value) for node in stated}.items()
        ]
        bulk.insert(tx, nodes, index)
        referred = [
            {"target": target, "key": key, "configuration": numbers[entry.key]}
            for entry in entries
            if entry.fragment is not None
            for key in dict.fromkeys(entry.shares)
        ]
        bulk.insert(tx, shares, referred)

    def _as_before(self, entry: Entry, standing: Mapping[str, _Row]) -> bool:
        """Whether it is what many share and stands there as it is to stand: then it need not be written again."""
        if entry.root is not None or entry.fragment is None or entry.key not in standing:
            return False
        return self._store.vault.open(standing[entry.key].sealed) == entry.fragment.text

    def _remember(self, tx: sa.Connection, target: int, entries: Iterable[Entry], standing: Mapping[str, _Row]) -> None:
        """What stood there before the orders whose own it is touched it first."""
        own = {entry.key: entry.root for entry in entries if entry.root is not None}
        referred = self._referred(tx, {key: row for key, row in standing.items() if key in own})
        found = [(root, key, standing.get(key), referred.get(key, [])) for key, root in own.items()]
        # what it refers to may go with the last one that does
        for root, _, _, keys in list(found):
            found += [(root, key, row, []) for key, row in (self._standing(tx, target, keys) if keys else {}).items()]
        bulk.insert_once(tx, formers, [_former(root, target, key, row, shared) for root, key, row, shared in found])

    def _numbers(
        self, tx: sa.Connection, target: int, transaction: str | None, entries: Iterable[Entry], standing: Mapping[str, _Row]
    ) -> dict[str, int]:
        """Store the texts; the number of each key's row."""
        common = {"target": target, "transaction": transaction, "applied": self._now()}
        made = {
            e.key: {**common, "root": e.root, "key": e.key, "text_sealed": self._store.vault.seal(e.fragment.text)}
            for e in entries
            if e.fragment is not None
        }
        known = {key: row.number for key, row in standing.items() if key in made}
        bulk.update(tx, configurations, ("id",), [{"id": number, **made[key]} for key, number in known.items()])
        new = [key for key in made if key not in known]
        bulk.insert(tx, configurations, [made[key] for key in new])
        return known | {key: row.number for key, row in self._standing(tx, target, new).items()}

    def _now(self) -> str:
        return self._store.clock.now().isoformat()


def _former(root: str, target: int, key: str, row: _Row | None, shared: Sequence[str]) -> dict[str, Any]:
    return {"root": root, "target": target, "key": key, "text_sealed": row and row.sealed, "shares": plain(list(shared))}


_NUMBER = sa.bindparam("target_", type_=sa.Integer)
_TARGET = sa.select(targets.c.id, targets.c.adopted).where(targets.c.name == sa.bindparam("name_", type_=sa.Text))
_PLATFORMS = sa.select(targets.c.name, targets.c.platform).where(targets.c.name.in_(bulk.many("names")))
_HOLDERS = (
    sa.select(configurations.c.key, targets.c.name)
    .join(targets, targets.c.id == configurations.c.target)
    .where(configurations.c.key.in_(bulk.many("keys")))
    .order_by(configurations.c.id)
)
_STANDING = (
    sa.select(configurations.c.key, configurations.c.id, configurations.c.text_sealed)
    .where(configurations.c.target == _NUMBER, configurations.c.key.in_(bulk.many("keys")))
    .order_by(configurations.c.key)
)
_REFERRED = sa.select(shares.c.key, shares.c.configuration).where(shares.c.configuration.in_(bulk.many("numbers")))
_FORGET_NODES = sa.delete(nodes).where(nodes.c.configuration.in_(bulk.many("numbers")))
_FORGET_SHARES = sa.delete(shares).where(shares.c.configuration.in_(bulk.many("numbers")))


def _one_holder(asked: sa.TableValuedAlias, excluded: sa.Select[int]) -> sa.Select[int, int | None]:
    """For each path asked for the value that somebody else states, if anybody does.

    One is enough: who wanted another value than the others was refused. So a path that 30,000 services state costs one look.
    """
    path = asked.c.value
    others = (nodes.c.target == _NUMBER, nodes.c.path == path, nodes.c.configuration.not_in(excluded))
    return sa.select(path, sa.select(nodes.c.value).where(*others).limit(1).scalar_subquery())


def _values(name: str, *, sqlite: bool) -> sa.TableValuedAlias:
    """A parameter that holds many numbers, as a table: the statement is the same for any number of them."""
    if sqlite:
        return sa.func.json_each(sa.bindparam(name, type_=sa.JSON)).table_valued("value", name=name)
    numbers = sa.func.unnest(sa.bindparam(name, type_=postgresql.ARRAY(sa.BigInteger)))
    return numbers.table_valued(sa.column("value", sa.BigInteger), name=name).render_derived()


_ONE_HOLDER = {
    sqlite: _one_holder(_values("paths", sqlite=sqlite), sa.select(_values("excluded", sqlite=sqlite).c.value)) for sqlite in (True, False)
}


def chunks(values: Sequence[T], size: int = _CHUNK) -> Iterator[Sequence[T]]:
    """In pieces that every database takes as parameters of one statement."""
    return (values[start : start + size] for start in range(0, len(values), size))
