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
from engine.store.schema import OPEN, configurations, nodes, targets, transaction_steps, transactions
from engine.store.store import Store, insert_once
from engine.vault import mask

ANOTHER = "(another value)"
_CHUNK = 500
T = TypeVar("T")


def fingerprint(text: str) -> int:
    """64-bit hash of a path or value, as a signed integer."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


@dataclass(frozen=True)
class OpenTransaction:
    """A transaction of which it is not known what became."""

    id: str
    target: str
    change: Change
    fragments: tuple[Fragment, ...]


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

    def apply(
        self, tx: sa.Connection, target: int, root: str | None, transaction: str | None, fragments: Mapping[Fragment, Sequence[Node]]
    ) -> None:
        """These fragments are what the target now holds under their keys."""
        numbers = self._numbers(tx, target, root, transaction, list(fragments))
        for chunk in chunks(sorted(numbers.values())):
            tx.execute(sa.delete(nodes).where(nodes.c.configuration.in_(chunk)))
        index = [
            {"target": target, "path": path, "configuration": numbers[fragment.key], "value": value}
            for fragment, stated in fragments.items()
            for path, value in {fingerprint(node.path): fingerprint(node.value) for node in stated}.items()
        ]
        if index:
            tx.execute(sa.insert(nodes), index)

    def _numbers(
        self, tx: sa.Connection, target: int, root: str | None, transaction: str | None, fragments: Sequence[Fragment]
    ) -> dict[str, int]:
        """Store the texts; the number of each key's row."""
        common = {"target": target, "root": root, "transaction": transaction, "applied": self._now()}
        made = {f.key: {**common, "key": f.key, "text_sealed": self._store.vault.seal(f.text)} for f in fragments}
        known: dict[str, int] = {}
        for chunk in chunks(sorted(made)):
            where = (configurations.c.target == target, configurations.c.key.in_(chunk))
            known |= dict(tx.execute(sa.select(configurations.c.key, configurations.c.id).where(*where)).all())
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
        kept = json.dumps([[fragment.key, fragment.text] for fragment in transaction.fragments])
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
        return OpenTransaction(row["id"], row["target"], change, tuple(Fragment(row["target"], key, text) for key, text in kept))

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
