"""The dry run: everything an order would do, without taking a resource or touching a device."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from engine.acceptance import Acceptance
from engine.batch import Workplace, exchange
from engine.catalogue.catalogue import Catalogue
from engine.checksum import Preview, preview
from engine.context import Scope
from engine.documents import AllocationView
from engine.ports import Allocation, Shortage
from engine.requests import OrderRequest
from engine.steps import needs
from engine.tree import Tree
from engine.vault import MASK
from engine.views import allocations


@dataclass(frozen=True)
class DryRun:
    """What would happen now. Allocations are expected, not taken: another order may be faster."""

    tree: Tree
    allocations: tuple[AllocationView, ...]
    shortages: tuple[Shortage, ...]
    preview: Preview
    ordered: str | None
    """The order that was accepted under this external id before: submitting it again would order nothing."""


def dry_run(at: Workplace, catalogue: Catalogue, request: OrderRequest) -> DryRun:
    """Decompose, plan, ask NetBox what would be given, render and compare.

    Raises what Acceptance.submit raises, and TargetError when a device that was never touched cannot be read.
    """
    acceptance = Acceptance(at, catalogue)
    ordered = acceptance.ordered(request)
    tree = acceptance.draft(request, f"DRAFT-{uuid4().hex[:8]}")
    acceptance.preview(tree)
    scope = Scope(tree, at.catalogue(tree), at.inventory.site(exchange(tree)), lambda name, _: f"{MASK}{name}")
    given = at.inventory.expected(needs.missing(scope))
    tree.allocations.update({mark: found for mark, found in given.items() if isinstance(found, Allocation)})
    needs.bind(scope)
    return DryRun(
        tree=tree,
        allocations=tuple(allocations(scope, expected=True)),
        shortages=tuple(found for found in given.values() if isinstance(found, Shortage) and found.exhausted),
        preview=preview(at, tree, scope),
        ordered=ordered,
    )
