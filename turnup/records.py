"""What it takes to show orders: the store alone. No NetBox, no lab and no device is asked."""

from __future__ import annotations

from dataclasses import dataclass

from engine.ports import Change
from engine.store.configurations import Configurations
from engine.store.store import Store


@dataclass(frozen=True)
class StoredChanges:
    """Writes changes for people, by the platform that a target had when it was used (engine.views.Shows)."""

    store: Store

    def show(self, target: str, change: Change) -> str:
        """The change as text."""
        from tasks import change as notations  # needs lxml: a command that shows no change does without

        with self.store.database.read() as tx:
            platform = Configurations(self.store).platforms(tx, [target])[target]
        return notations.for_platform(platform).show(change)


@dataclass(frozen=True)
class StoredRecords:
    """Orders, and what writes their changes (engine.views.Records)."""

    store: Store

    @property
    def targets(self) -> StoredChanges:
        """What writes changes."""
        return StoredChanges(self.store)
