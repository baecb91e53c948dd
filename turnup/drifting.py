"""Drift as documents, for people and programs: what differs, what would be sent to put it back, and what became of that."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from engine.documents import View
from engine.drift.check import DriftState, Scope, TargetDrift, check_all, scopes
from engine.drift.compare import DriftKind, NodeDrift, shown
from engine.drift.repair import Mending, Repaired, Repairer, RepairPlan, plan, secrets_of
from engine.errors import UnknownSubject, WorkerRunning
from engine.ports import Change, Trouble
from engine.vault import mask
from engine.worker_lock import sole_worker
from inventory.audit import AuditReport
from turnup.wiring import Wiring


class NodeView(View):
    """A node that is not as it was applied. Values of secrets and documents are masked."""

    kind: str
    path: str
    fragment: str
    applied: str | None
    held: str | None


class TroubleView(View):
    """Why a target could not be looked at, or not be repaired."""

    code: str
    message: str
    remedy: str


class DriftView(View):
    """What was seen on one target: `same`, `differs` or `notAttempted`."""

    target: str
    platform: str
    state: str
    fragments: int
    found: int
    """Nodes that differ; `nodes` has the first of them."""
    nodes: list[NodeView]
    trouble: TroubleView | None


class DriftReport(View):
    """What a check saw."""

    targets: list[DriftView]
    inventory: AuditReport | None
    """NetBox compared with the orders; only when everything is looked at."""

    @property
    def clean(self) -> bool:
        """Whether everything that was looked at is as it should be."""
        return not any(target.state == DriftState.DIFFERS for target in self.targets) and (self.inventory is None or self.inventory.clean)

    @property
    def unreachable(self) -> bool:
        """Whether something could not be looked at."""
        return any(target.state == DriftState.NOT_ATTEMPTED for target in self.targets)


class TransactionView(View):
    """One transaction of a repair: what is sent, as people read it, secrets masked; and what became of it."""

    fragments: list[str]
    change: str
    transaction: str | None = None
    state: str | None = None


class RepairView(View):
    """What would be sent to one target, or what became of it."""

    target: str
    platform: str
    transactions: list[TransactionView]
    left: str
    trouble: TroubleView | None


class RepairReport(View):
    """A repair, or with `dry_run` what it would do."""

    dry_run: bool
    targets: list[RepairView]

    @property
    def done(self) -> bool:
        """Whether nothing is left to be sent."""
        return all(target.trouble is None and all(t.state == "confirmed" for t in target.transactions) for target in self.targets)


def subjects(wiring: Wiring, name: str | None) -> list[Scope]:
    """What is to be looked at: a target, a service, or everything. Raises UnknownSubject."""
    found = scopes(wiring.workplace, name)
    if name is not None and not found:
        raise UnknownSubject(f"there is no target and no service {name} with configuration of ours")
    return found


def checked(wiring: Wiring, wanted: Sequence[Scope], *, everything: bool) -> DriftReport:
    """Look at these targets, and at NetBox when everything is meant. Raises StoreError, InventoryError."""
    targets = [_drift(found) for found in check_all(wiring.workplace, wanted)]
    return DriftReport(targets=targets, inventory=_audited(wiring) if everything else None)


def planned(wiring: Wiring, wanted: Sequence[Scope], *, remove_extra: bool) -> list[RepairPlan]:
    """What would be sent to each. Raises StoreError."""
    return [plan(wiring.workplace, scope, remove_extra=remove_extra) for scope in wanted]


def repaired(wiring: Wiring, plans: Sequence[RepairPlan], *, remove_extra: bool) -> list[Repaired]:
    """Send what was planned; each target has a result. Raises StoreError."""
    with _beside_no_new_worker(wiring):
        repairer = Repairer(wiring.workplace)
        return [_carried_out(repairer, each, remove_extra=remove_extra) for each in plans]


def _carried_out(repairer: Repairer, each: RepairPlan, *, remove_extra: bool) -> Repaired:
    return repairer.carry_out(each, remove_extra=remove_extra) if each.mendings else Repaired(each, trouble=each.trouble)


def report(wiring: Wiring, done: Sequence[Repaired], *, dry_run: bool) -> RepairReport:
    """For people and programs."""
    return RepairReport(dry_run=dry_run, targets=[_repair(wiring, each) for each in done])


def _audited(wiring: Wiring) -> AuditReport:
    from engine.views import held
    from inventory.audit import Known, audit

    return audit(wiring.inventory.client, [Known(allocation, state) for allocation, state in held(wiring.records)])


@contextlib.contextmanager
def _beside_no_new_worker(wiring: Wiring) -> Iterator[None]:
    """On SQLite a worker that starts takes all lanes, as it is the only one there: so none starts meanwhile. One that runs already
    shares its lanes."""
    with contextlib.ExitStack() as stack:
        if wiring.store.database.sqlite:
            with contextlib.suppress(WorkerRunning):
                stack.enter_context(sole_worker(wiring.settings.worker_lock))
        yield


def _drift(found: TargetDrift) -> DriftView:
    return DriftView(
        target=found.scope.target,
        platform=found.scope.platform,
        state=found.state,
        fragments=found.fragments,
        found=found.found,
        nodes=[_node(node) for node in found.nodes],
        trouble=_trouble(found.trouble),
    )


def _node(node: NodeDrift) -> NodeView:
    return NodeView(
        kind=node.kind,
        path=node.path,
        fragment=node.fragment,
        applied=None if node.kind is DriftKind.EXTRA else shown(node.applied),
        held=None if node.kind is DriftKind.MISSING else shown(node.held),
    )


def _repair(wiring: Wiring, each: Repaired) -> RepairView:
    sent = [*each.transactions, *[(None, None)] * (len(each.plan.mendings) - len(each.transactions))]
    scope = each.plan.scope
    return RepairView(
        target=scope.target,
        platform=scope.platform,
        transactions=[_transaction(wiring, scope.target, m, *became) for m, became in zip(each.plan.mendings, sent, strict=True)],
        left=each.plan.left,
        trouble=_trouble(each.trouble),
    )


def _transaction(wiring: Wiring, target: str, mending: Mending, transaction: str | None, state: str | None) -> TransactionView:
    keys = [fragment.key for fragment in mending.fragments]
    hidden = secrets_of(wiring.workplace, target, keys)
    hidden |= set(_beside(mending.change, hidden))
    shown_change = mask(wiring.targets.show(target, mending.change), hidden)
    return TransactionView(fragments=keys, change=shown_change, transaction=transaction, state=state)


def _beside(change: Change, hidden: Collection[str]) -> Iterator[str]:
    """What somebody put in the place of a secret is one, too: a passphrase among the arguments of a preset has no name to be known by."""
    with contextlib.suppress(ValueError):  # no documents
        for operation in json.loads(change.forward):
            yield from _in_place(operation.get("body"), operation.get("was"), hidden)


def _in_place(wanted: Any, held: Any, hidden: Collection[str]) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(held, dict):
        for name in wanted.keys() & held.keys():
            yield from _in_place(wanted[name], held[name], hidden)
    elif isinstance(wanted, list) and isinstance(held, list):
        for one, other in zip(wanted, held, strict=False):
            yield from _in_place(one, other, hidden)
    elif isinstance(wanted, str) and isinstance(held, str) and wanted in hidden:
        yield held


def _trouble(found: Trouble | None) -> TroubleView | None:
    return TroubleView(code=found.code, message=found.message, remedy=found.remedy) if found else None
