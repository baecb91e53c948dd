"""What each target was last given and confirmed, who states what there, and the transactions written ahead of a push."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from engine.ports import Change, Fragment, Node, Outcome, TransactionState
from engine.store import bulk
from engine.store.rows import plain
from engine.store.schema import OPEN, configurations, formers, nodes, shares, targets, transaction_steps, transactions
from engine.store.store import Store
from engine.vault import mask

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


@dataclass(frozen=True)
class OpenTransaction:
    """A transaction of which it is not known what became."""

    id: str
    target: str
    change: Change
    entries: tuple[Entry, ...]
    """What the target holds under their keys when it is confirmed."""

    @property
    def fragments(self) -> tuple[Fragment, ...]:
        """What it holds then."""
        return tuple(entry.fragment for entry in self.entries if entry.fragment is not None)


class Configurations:
    """Applied configuration, its index and its transactions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- targets -------------------------------------------------------------------------------------------------------
    def target_id(self, tx: sa.Connection, name: str, platform: str) -> int:
        """The number of a target; given on first use."""
        found = _number(tx, name)
        if found is None:
            bulk.insert_once(tx, targets, [{"name": name, "platform": platform}])
            found = _number(tx, name)
        if found is None:
            raise LookupError(name)
        return found

    def adopted(self, tx: sa.Connection, name: str) -> bool:
        """Whether it is known what the target held before us."""
        return tx.execute(_ADOPTED, {"name_": name}).scalar() is not None

    def mark_adopted(self, tx: sa.Connection, name: str) -> None:
        """From now on it is known."""
        tx.execute(sa.update(targets).where(targets.c.name == name).values(adopted=self._now()))

    def platforms(self, tx: sa.Connection, names: Iterable[str]) -> dict[str, str]:
        """Platform of each target that was ever used."""
        found = tx.execute(sa.select(targets.c.name, targets.c.platform).where(targets.c.name.in_(list(names))))
        return dict(found.all())

    # -- applied configuration -----------------------------------------------------------------------------------------
    def applied(self, tx: sa.Connection, target: str, keys: Iterable[str]) -> dict[str, Fragment]:
        """The applied fragments of these keys on a target."""
        found: dict[str, Fragment] = {}
        for chunk in chunks(sorted(set(keys))):
            rows = tx.execute(_APPLIED, {"name_": target, "keys": chunk})
            found |= {key: Fragment(target, key, self._store.vault.open(text)) for key, text in rows}
        return found

    def holders(self, tx: sa.Connection, keys: Iterable[str]) -> dict[str, list[str]]:
        """The targets that hold something under each of these keys, in the order in which they got it."""
        found: dict[str, list[str]] = {}
        wanted = (
            sa.select(configurations.c.key, targets.c.name)
            .join(targets, targets.c.id == configurations.c.target)
            .where(configurations.c.key.in_(sorted(set(keys))))
            .order_by(configurations.c.id)
        )
        for key, target in tx.execute(wanted):
            found.setdefault(key, []).append(target)
        return found

    def left_alone(self, tx: sa.Connection, target: str, entries: Sequence[Entry]) -> list[str]:
        """Shared fragments on a target to which nobody refers any more once these entries stand there."""
        number = _number(tx, target)
        excluded = list(tx.execute(_STANDING, {"target_": number, "keys": [entry.key for entry in entries]}).scalars())
        if number is None or not excluded:
            return []
        referred = {key for key, _ in tx.execute(_REFERRED, {"numbers": excluded})}
        candidates = sorted(referred - {key for entry in entries for key in entry.shares})
        used = sa.select(shares.c.key).where(
            shares.c.target == number, shares.c.key.in_(candidates), shares.c.configuration.not_in(excluded)
        )
        return sorted(set(candidates) - set(tx.execute(used).scalars())) if candidates else []

    def standing(self, tx: sa.Connection, target: str, keys: Iterable[str]) -> list[Entry]:
        """What stands under these keys on a target."""
        held = self.applied(tx, target, keys)
        number = _number(tx, target)
        wanted = sa.select(configurations.c.key, configurations.c.id, configurations.c.root)
        rows = tx.execute(wanted.where(configurations.c.target == number, configurations.c.key.in_(sorted(held)))).all()
        _, referred = self._standing(tx, [row.id for row in rows])
        return [Entry(row.key, held[row.key], tuple(referred.get(row.id, ())), row.root) for row in rows]

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
        texts: dict[int, str] = {}
        values: dict[int, set[str]] = defaultdict(set)
        for node in stated:
            path = fingerprint(node.path)
            texts[path] = node.path
            values[path].add(node.value)
        number = _number(tx, target)
        if number is None:
            return {}
        excluded = list(tx.execute(_STANDING, {"target_": number, "keys": sorted(set(own))}).scalars())
        found: dict[str, frozenset[str]] = {}
        for chunk in chunks(sorted(texts)):
            asked = {"target_": number, "paths": chunk, "excluded": excluded}
            for path, value in tx.execute(_ONE_HOLDER[tx.dialect.name == "sqlite"], asked):
                if value is not None:
                    known = {fingerprint(text): text for text in values[path]}
                    found[texts[path]] = frozenset({known.get(value, ANOTHER)})
        return found

    def apply(self, tx: sa.Connection, target: int, transaction: str | None, entries: Mapping[Entry, Sequence[Node]]) -> None:
        """These entries, with what each states, are what the target now holds under their keys."""
        known = self._known(tx, target, [entry.key for entry in entries])
        self._remember(tx, target, entries, known)
        for chunk in chunks(sorted(known.values())):
            tx.execute(_FORGET_NODES, {"numbers": chunk})
            tx.execute(_FORGET_SHARES, {"numbers": chunk})
        gone = [known[entry.key] for entry in entries if entry.fragment is None and entry.key in known]
        for chunk in chunks(sorted(gone)):
            tx.execute(sa.delete(configurations).where(configurations.c.id.in_(chunk)))
        numbers = self._numbers(tx, target, transaction, entries, known)
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

    def _known(self, tx: sa.Connection, target: int, keys: Iterable[str]) -> dict[str, int]:
        """The numbers of the rows of those keys under which something stands."""
        known: dict[str, int] = {}
        for chunk in chunks(sorted(set(keys))):
            known |= {key: number for number, key in tx.execute(_STANDING, {"target_": target, "keys": chunk})}
        return known

    def _remember(self, tx: sa.Connection, target: int, entries: Iterable[Entry], known: Mapping[str, int]) -> None:
        """What stood there before the orders whose own it is touched it first."""
        own = [entry for entry in entries if entry.root is not None]
        text, referred = self._standing(tx, [known[entry.key] for entry in own if entry.key in known])
        before = {entry.key: referred.get(known.get(entry.key), []) for entry in own}
        found = ((entry.root, entry.key, text.get(known.get(entry.key)), before[entry.key]) for entry in own)
        bulk.insert_once(tx, formers, [_former(root, target, key, sealed, shared) for root, key, sealed, shared in found])
        for entry in own:
            self._remember_shared(tx, target, entry.root, before[entry.key])

    def _remember_shared(self, tx: sa.Connection, target: int, root: str | None, keys: Sequence[str]) -> None:
        """What it refers to may go with the last one that does."""
        known = self._known(tx, target, keys)
        text, _ = self._standing(tx, list(known.values()))
        bulk.insert_once(tx, formers, [_former(root, target, key, text[number], []) for key, number in known.items()])

    def _standing(self, tx: sa.Connection, numbers: Sequence[int]) -> tuple[dict[int | None, str], dict[int | None, list[str]]]:
        texts: dict[int | None, str] = {}
        referred: dict[int | None, list[str]] = {}
        for chunk in chunks(sorted(numbers)):
            texts |= dict(tx.execute(_TEXTS, {"numbers": chunk}).all())
            for key, number in tx.execute(_REFERRED, {"numbers": chunk}):
                referred.setdefault(number, []).append(key)
        return texts, referred

    def _numbers(
        self, tx: sa.Connection, target: int, transaction: str | None, entries: Iterable[Entry], standing: Mapping[str, int]
    ) -> dict[str, int]:
        """Store the texts; the number of each key's row."""
        common = {"target": target, "transaction": transaction, "applied": self._now()}
        made = {
            e.key: {**common, "root": e.root, "key": e.key, "text_sealed": self._store.vault.seal(e.fragment.text)}
            for e in entries
            if e.fragment is not None
        }
        known = {key: number for key, number in standing.items() if key in made}
        bulk.update(tx, configurations, ("id",), [{"id": number, **made[key]} for key, number in known.items()])
        new = [key for key in made if key not in known]
        bulk.insert(tx, configurations, [made[key] for key in new])
        return known | self._known(tx, target, new)

    # -- transactions --------------------------------------------------------------------------------------------------
    def open(self, tx: sa.Connection, transaction: OpenTransaction, fence: int, steps: Iterable[tuple[int, str]]) -> None:
        """Write a transaction ahead: its change, its reverse and what will then be applied. `steps`: id and root of each step in it."""
        seal = self._store.vault.seal
        kept = json.dumps([[e.key, e.fragment.text if e.fragment else None, e.shares, e.root] for e in transaction.entries])
        row = {
            "id": transaction.id,
            "target": transaction.target,
            "state": str(TransactionState.OPEN),
            "fence": fence,
            "forward_sealed": seal(transaction.change.forward),
            "reverse_sealed": seal(transaction.change.reverse),
            "fragments_sealed": seal(kept),
            "message": "",
            "checks": plain([]),
            "opened": self._now(),
        }
        bulk.insert(tx, transactions, [row])
        bulk.insert(tx, transaction_steps, [{"transaction": transaction.id, "step": step, "root": root} for step, root in steps])

    def close(self, tx: sa.Connection, transaction: str, outcome: Outcome, hidden: Iterable[str]) -> None:
        """Record what became of a transaction. `hidden`: secrets that a device's message might repeat."""
        message = mask(outcome.trouble.message, hidden) if outcome.trouble else ""
        checks = [{"step": c.step, "name": c.name, "passed": c.passed, "evidence": mask(c.evidence, hidden)} for c in outcome.checks]
        ended = {"state": str(outcome.state), "message": message, "checks": plain(checks), "ended": self._now()}
        bulk.update(tx, transactions, ("id",), [{"id": transaction, **ended}])

    def unresolved(self, tx: sa.Connection, target: str) -> list[OpenTransaction]:
        """Transactions on this target that were written ahead and never closed, oldest first."""
        return [self._read(row) for row in tx.execute(_UNRESOLVED, {"name_": target}).mappings()]

    def steps_of(self, tx: sa.Connection, transaction: str) -> list[tuple[int, str]]:
        """The steps (id, root) that a transaction carries."""
        statement = sa.select(transaction_steps.c.step, transaction_steps.c.root).where(transaction_steps.c.transaction == transaction)
        return [(int(step), root) for step, root in tx.execute(statement)]

    def of_root(self, tx: sa.Connection, root: str) -> list[tuple[Mapping[Any, Any], OpenTransaction]]:
        """All transactions that carried steps of an order, oldest first, each with its row."""
        mine = sa.select(transaction_steps.c.transaction).where(transaction_steps.c.root == root)
        statement = sa.select(transactions).where(transactions.c.id.in_(mine)).order_by(transactions.c.opened)
        return [(row, self._read(row)) for row in tx.execute(statement).mappings()]

    def _read(self, row: Mapping[Any, Any]) -> OpenTransaction:
        unseal = self._store.vault.open
        kept = json.loads(unseal(row["fragments_sealed"]))
        change = Change(unseal(row["forward_sealed"]), unseal(row["reverse_sealed"]))
        entries = [
            Entry(key, None if text is None else Fragment(row["target"], key, text), tuple(referred), root)
            for key, text, referred, root in kept
        ]
        return OpenTransaction(row["id"], row["target"], change, tuple(entries))

    def _now(self) -> str:
        return self._store.clock.now().isoformat()


def _number(tx: sa.Connection, target: str) -> int | None:
    found = tx.execute(_TARGET, {"name_": target}).scalar()
    return None if found is None else int(found)


def _former(root: str | None, target: int, key: str, sealed: str | None, shared: Sequence[str]) -> dict[str, Any]:
    return {"root": root, "target": target, "key": key, "text_sealed": sealed, "shares": plain(list(shared))}


_NAME, _NUMBER = sa.bindparam("name_", type_=sa.Text), sa.bindparam("target_", type_=sa.Integer)
_TARGET = sa.select(targets.c.id).where(targets.c.name == _NAME)
_ADOPTED = sa.select(targets.c.adopted).where(targets.c.name == _NAME)
_APPLIED = (
    sa.select(configurations.c.key, configurations.c.text_sealed)
    .join(targets, targets.c.id == configurations.c.target)
    .where(targets.c.name == _NAME, configurations.c.key.in_(bulk.many("keys")))
)
_STANDING = sa.select(configurations.c.id, configurations.c.key).where(
    configurations.c.target == _NUMBER, configurations.c.key.in_(bulk.many("keys"))
)
_TEXTS = sa.select(configurations.c.id, configurations.c.text_sealed).where(configurations.c.id.in_(bulk.many("numbers")))
_REFERRED = sa.select(shares.c.key, shares.c.configuration).where(shares.c.configuration.in_(bulk.many("numbers")))
_FORGET_NODES = sa.delete(nodes).where(nodes.c.configuration.in_(bulk.many("numbers")))
_FORGET_SHARES = sa.delete(shares).where(shares.c.configuration.in_(bulk.many("numbers")))
_UNRESOLVED = sa.select(transactions).where(transactions.c.target == _NAME, OPEN).order_by(transactions.c.opened)


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
