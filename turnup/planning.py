"""The dry run of a playbook as a document, for people and programs."""

from __future__ import annotations

from typing import Literal

from engine.documents import AllocationView, ItemView, View
from engine.dryrun import DryRun, dry_run
from engine.errors import BadInput
from engine.views import items
from turnup.playbook import Playbook
from turnup.wiring import Wiring


class ShortageView(View):
    """A resource that could not be given now."""

    item: str
    name: str
    pool: str
    message: str


class ChangeView(View):
    """What would be sent to one target, before it is merged with other orders'. Secrets are masked."""

    target: str
    platform: str
    change: str


class PlanDocument(View):
    """What an order would do now. Nothing was claimed and nothing changed."""

    external_id: str | None
    dry_run: Literal[True] = True
    items: list[ItemView]
    allocations: list[AllocationView]
    """Expected: another order may be faster."""
    shortages: list[ShortageView]
    changes: list[ChangeView]
    untold: list[str]
    """Items with targets that only a missing allocation would tell."""
    checksum: str
    ordered: str | None
    """The order that this external id belongs to already: a run would order nothing more."""


def planned(wiring: Wiring, playbook: Playbook) -> PlanDocument:
    """Rehearse a playbook. Raises what submitting it would raise, and TargetError when a device that was never touched cannot be read."""
    try:
        found = dry_run(wiring.workplace, wiring.catalogue, playbook.request)
    except BadInput as error:
        raise playbook.placed(error) from error
    return _document(found)


def _document(found: DryRun) -> PlanDocument:
    return PlanDocument(
        external_id=found.tree.root.external_id,
        items=items(found.tree),
        allocations=list(found.allocations),
        shortages=[ShortageView(item=s.mark.item, name=s.mark.name, pool=s.pool, message=s.message) for s in found.shortages],
        changes=[ChangeView(target=c.target, platform=c.platform, change=c.shown) for c in found.preview.changes],
        untold=list(found.preview.untold),
        checksum=found.preview.checksum,
        ordered=found.ordered,
    )
