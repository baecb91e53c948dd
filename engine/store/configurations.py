"""What each target was last given and confirmed, who states what there, and the transactions written ahead of a push."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeVar

import sqlalchemy as sa

from engine.ports import Change, Fragment, Node, Outcome, TransactionState
from engine.store.schema import OPEN, configurations, formers, nodes, shares, targets, transaction_steps, transactions
from engine.store.store import Store, insert_once
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
        found = tx.execute(sa.select(targets.c.id).where(targets.c.name == name)).scalar()
        if found is None:
            insert_once(tx, targets, {"name": name, "platform": platform})
            found = tx.execute(sa.select(targets.c.id).where(targets.c.name == name)).scalar_one()
        return int(found)

    def adopted(self, tx: sa.Connection, name: str) -> bool:
        """Whether it is known what the target held before us."""
        return tx.execute(sa.select(targets.c.adopted).where(targets.c.name == name)).scalar() is not None

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
            statement = (
                sa.select(configurations.c.key, configurations.c.text_sealed)
                .join(targets, targets.c.id == configurations.c.target)
                .where(targets.c.name == target, configurations.c.key.in_(chunk))
            )
            found |= {key: Fragment(target, key, self._store.vault.open(text)) for key, text in tx.execute(statement)}
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
        number = tx.execute(sa.select(targets.c.id).where(targets.c.name == target)).scalar()
        own = [entry.key for entry in entries]
        mine = sa.select(configurations.c.id).where(configurations.c.target == number, configurations.c.key.in_(own))
        excluded = list(tx.execute(mine).scalars())
        if number is None or not excluded:
            return []
        referred = set(tx.execute(sa.select(shares.c.key).where(shares.c.configuration.in_(excluded))).scalars())
        candidates = sorted(referred - {key for entry in entries for key in entry.shares})
        used = sa.select(shares.c.key).where(
            shares.c.target == number, shares.c.key.in_(candidates), shares.c.configuration.not_in(excluded)
        )
        return sorted(set(candidates) - set(tx.execute(used).scalars())) if candidates else []

    def standing(self, tx: sa.Connection, target: str, keys: Iterable[str]) -> list[Entry]:
        """What stands under these keys on a target."""
        held = self.applied(tx, target, keys)
        number = tx.execute(sa.select(targets.c.id).where(targets.c.name == target)).scalar_one()
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
        number = tx.execute(sa.select(targets.c.id).where(targets.c.name == target)).scalar()
        if number is None:
            return {}
        mine = sa.select(configurations.c.id).where(configurations.c.target == number, configurations.c.key.in_(sorted(set(own))))
        excluded = list(tx.execute(mine).scalars())
        found: dict[str, frozenset[str]] = {}
        for chunk in chunks(sorted(texts)):
            for path, value in tx.execute(_one_holder(number, chunk, excluded)):
                if value is not None:
                    known = {fingerprint(text): text for text in values[path]}
                    found[texts[path]] = frozenset({known.get(value, ANOTHER)})
        return found

    def apply(self, tx: sa.Connection, target: int, transaction: str | None, entries: Mapping[Entry, Sequence[Node]]) -> None:
        """These entries, with what each states, are what the target now holds under their keys."""
        known = self._known(tx, target, [entry.key for entry in entries])
        self._remember(tx, target, entries, known)
        for chunk in chunks(sorted(known.values())):
            tx.execute(sa.delete(nodes).where(nodes.c.configuration.in_(chunk)))
            tx.execute(sa.delete(shares).where(shares.c.configuration.in_(chunk)))
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
        if index:
            tx.execute(sa.insert(nodes), index)
        referred = [
            {"target": target, "key": key, "configuration": numbers[entry.key]}
            for entry in entries
            if entry.fragment is not None
            for key in dict.fromkeys(entry.shares)
        ]
        if referred:
            tx.execute(sa.insert(shares), referred)

    def _known(self, tx: sa.Connection, target: int, keys: Iterable[str]) -> dict[str, int]:
        """The numbers of the rows of those keys under which something stands."""
        known: dict[str, int] = {}
        for chunk in chunks(sorted(set(keys))):
            where = (configurations.c.target == target, configurations.c.key.in_(chunk))
            known |= dict(tx.execute(sa.select(configurations.c.key, configurations.c.id).where(*where)).all())
        return known

    def _remember(self, tx: sa.Connection, target: int, entries: Iterable[Entry], known: Mapping[str, int]) -> None:
        """What stood there before the orders whose own it is touched it first."""
        own = [entry for entry in entries if entry.root is not None]
        text, referred = self._standing(tx, [known[entry.key] for entry in own if entry.key in known])
        for entry in own:
            number = known.get(entry.key)
            before = referred.get(number, [])
            row = {"root": entry.root, "target": target, "key": entry.key, "text_sealed": text.get(number), "shares": before}
            insert_once(tx, formers, row)
            self._remember_shared(tx, target, entry.root, before)

    def _remember_shared(self, tx: sa.Connection, target: int, root: str | None, keys: Sequence[str]) -> None:
        """What it refers to may go with the last one that does."""
        known = self._known(tx, target, keys)
        text, _ = self._standing(tx, list(known.values()))
        for key, number in known.items():
            insert_once(tx, formers, {"root": root, "target": target, "key": key, "text_sealed": text[number], "shares": []})

    def _standing(self, tx: sa.Connection, numbers: Sequence[int]) -> tuple[dict[int | None, str], dict[int | None, list[str]]]:
        texts: dict[int | None, str] = {}
        referred: dict[int | None, list[str]] = {}
        for chunk in chunks(sorted(numbers)):
            sealed = sa.select(configurations.c.id, configurations.c.text_sealed).where(configurations.c.id.in_(chunk))
            texts |= dict(tx.execute(sealed).all())
            for key, number in tx.execute(sa.select(shares.c.key, shares.c.configuration).where(shares.c.configuration.in_(chunk))):
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
        if known:
            columns = ("text_sealed", "root", "transaction", "applied")
            statement = sa.update(configurations).where(configurations.c.id == sa.bindparam("number"))
            tx.execute(
                statement.values({name: sa.bindparam(f"_{name}") for name in columns}),
                [{"number": number, **{f"_{name}": made[key][name] for name in columns}} for key, number in known.items()],
            )
        new = [row for key, row in made.items() if key not in known]
        if new:
            inserted = sa.insert(configurations).returning(configurations.c.key, configurations.c.id)
            known |= dict(tx.execute(inserted, new).all())
        return known

    # -- transactions --------------------------------------------------------------------------------------------------
    def open(self, tx: sa.Connection, transaction: OpenTransaction, fence: int, steps: Iterable[tuple[int, str]]) -> None:
        """Write a transaction ahead: its change, its reverse and what will then be applied. `steps`: id and root of each step in it."""
        seal = self._store.vault.seal
        kept = json.dumps([[e.key, e.fragment.text if e.fragment else None, e.shares, e.root] for e in transaction.entries])
        tx.execute(
            sa.insert(transactions).values(
                id=transaction.id,
                target=transaction.target,
                state=TransactionState.OPEN,
                fence=fence,
                forward_sealed=seal(transaction.change.forward),
                reverse_sealed=seal(transaction.change.reverse),
                fragments_sealed=seal(kept),
                message="",
                checks=[],
                opened=self._now(),
            )
        )
        carried = [{"transaction": transaction.id, "step": step, "root": root} for step, root in steps]
        if carried:
            tx.execute(sa.insert(transaction_steps), carried)

    def close(self, tx: sa.Connection, transaction: str, outcome: Outcome, hidden: Iterable[str]) -> None:
        """Record what became of a transaction. `hidden`: secrets that a device's message might repeat."""
        message = mask(outcome.trouble.message, hidden) if outcome.trouble else ""
        checks = [{"step": c.step, "name": c.name, "passed": c.passed, "evidence": mask(c.evidence, hidden)} for c in outcome.checks]
        values = {"state": outcome.state, "message": message, "checks": checks, "ended": self._now()}
        tx.execute(sa.update(transactions).where(transactions.c.id == transaction).values(values))

    def unresolved(self, tx: sa.Connection, target: str) -> list[OpenTransaction]:
        """Transactions on this target that were written ahead and never closed, oldest first."""
        where = (transactions.c.target == target, OPEN)
        return [self._read(row) for row in tx.execute(sa.select(transactions).where(*where).order_by(transactions.c.opened)).mappings()]

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


def _one_holder(target: int, paths: Sequence[int], excluded: Sequence[int]) -> sa.Select[int, int | None]:
    """For each path the value that somebody else states, if anybody does.

    One is enough: who wanted another value than the others was refused. So a path that 30,000 services state costs one look.
    """
    asked = sa.values(sa.column("path", sa.BigInteger), name="asked").data([(path,) for path in paths]).cte("asked")
    one = (
        sa.select(nodes.c.value)
        .where(nodes.c.target == target, nodes.c.path == asked.c.path, nodes.c.configuration.not_in(excluded))
        .limit(1)
        .scalar_subquery()
    )
    return sa.select(asked.c.path, one)


def chunks(values: Sequence[T], size: int = _CHUNK) -> Iterator[Sequence[T]]:
    """In pieces that every database takes as parameters of one statement."""
    return (values[start : start + size] for start in range(0, len(values), size))
