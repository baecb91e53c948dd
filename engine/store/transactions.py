"""Transactions, written ahead of a push: what is sent, what takes it back, and what the target holds once it is confirmed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.ports import Change, Fragment, Outcome, TransactionState
from engine.store import bulk
from engine.store.configurations import Entry
from engine.store.rows import plain
from engine.store.schema import OPEN, transaction_steps, transactions
from engine.store.store import Store
from engine.vault import mask


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


class Transactions:
    """The transactions of all targets."""

    def __init__(self, store: Store) -> None:
        self._store = store

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


_UNRESOLVED = (
    sa.select(transactions).where(transactions.c.target == sa.bindparam("name_", type_=sa.Text), OPEN).order_by(transactions.c.opened)
)
