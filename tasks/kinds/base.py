"""What every kind of target can do. One module per kind below this package, all of the same shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from nornir.core.inventory import Host

from engine.ports import Answer, Outcome, Push, Question


class Kind(Protocol):
    """How configuration gets to the targets of a platform, and what they can be asked.

    The methods never raise for what the target does when an Outcome or Answer can say it.
    """

    @property
    def reads_first(self) -> bool:
        """Whether a push reads what it replaces and refuses (DriftFound) when that is not as it was left."""

    @property
    def merges(self) -> bool:
        """Whether what a push creates is merged without a word into what is there already."""

    def push(self, push: Push, host: Host) -> Outcome:
        """Carry out one transaction: it ends confirmed, reversed, refused or not attempted; unknown only if nothing could be found out."""

    def resolve(self, push: Push, host: Host) -> Outcome:
        """Find out what became of a transaction whose end nobody saw: what is pending is taken back, then the target is read."""

    def ask(self, questions: Sequence[Question], host: Host) -> Mapping[int, Answer]:
        """Look whether what is waited for has happened."""

    def held(self, fragments: Sequence[str], host: Host) -> str:
        """Return what the target holds where these fragments say something, in their notation; it may be more. Raises TargetError."""

    def day_zero(self, host: Host) -> str | None:
        """Return what the target holds, in the notation of its fragments; None where that has no meaning. Raises TargetError."""
