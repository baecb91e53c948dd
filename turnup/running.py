"""Running an order playbook: submit it, work the lanes or see to it that somebody does, follow it to its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.acceptance import Acceptance, Accepted
from engine.documents import OrderDocument
from engine.errors import BadInput
from engine.views import document
from turnup.following import Follower
from turnup.playbook import Playbook
from turnup.wiring import Wiring
from turnup.working import Working


class RunDocument(OrderDocument):
    """All of an order, and whether this run ordered it."""

    repeated: bool
    """The same order was accepted before; nothing was ordered twice."""


def submit(wiring: Wiring, playbook: Playbook, *, checksum: str | None = None) -> Accepted:
    """Accept the playbook's order durably, or find that it was accepted before. Raises as Acceptance.submit, with file and line."""
    try:
        return Acceptance(wiring.workplace, wiring.catalogue).submit(playbook.request, checksum=checksum)
    except BadInput as error:
        raise playbook.placed(error) from error


@dataclass(frozen=True)
class Run:
    """One run. `begun` is told once how the order came in and who works it; `seen` of every change."""

    wiring: Wiring
    begun: Callable[[Accepted, Working], None]
    seen: Callable[[OrderDocument], None]

    def order(self, playbook: Playbook, *, checksum: str | None = None) -> RunDocument:
        """Order and follow. Raises as `submit`; StoreError when the store is lost on the way."""
        accepted = submit(self.wiring, playbook, checksum=checksum)
        return RunDocument(**dict(self.follow(accepted)), repeated=accepted.repeated)

    def follow(self, accepted: Accepted) -> OrderDocument:
        """Follow an accepted order to its end, working the lanes if nobody else does."""
        wiring = self.wiring
        with Working(wiring) as working:
            working.begin()
            self.begun(accepted, working)
            for tree in Follower(wiring.store, working).follow(accepted.id):
                self.seen(document(wiring.records, tree, history=False))
        return document(wiring.records, wiring.store.tree(accepted.id))
