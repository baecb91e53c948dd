"""Faults that a stand-in shows on demand: which operation fails, how, and how often.

A pure table. The HTTP stand-ins act on it in `lab.web`; the SSH devices ask it themselves: `faults.take("commit")`.
Faults live in the process: a stand-in that was started again has none.
"""

import itertools
from collections.abc import Iterator, Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Do(StrEnum):
    """What happens to the operation."""

    REFUSE = "refuse"
    """The protocol's own error: an HTTP status and body, an rpc-error, Kea's result 1."""
    SLOW = "slow"
    """The right answer, `seconds` late."""
    HANG = "hang"
    """Accepted and never answered."""
    DROP = "drop"
    """The connection is closed without an answer."""
    EXHAUST = "exhaust"
    """The system's own answer for "full"."""


class When(StrEnum):
    """Whether the operation takes effect: `before` it did (it does not), or `after` (it does, and the caller is not told)."""

    BEFORE = "before"
    AFTER = "after"


class Fault(BaseModel):
    """One fault, as a control endpoint takes and shows it.

    `on` is a glob (fnmatch, case counts) over the names of operations. `times` None means: until it is deleted.
    `status` and `error` shape a refusal as the stand-in's protocol has it (HTTP: status and body; NETCONF: error-tag and error-message).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: Annotated[str, Field(min_length=1)]
    do: Do
    when: When = When.BEFORE
    times: Annotated[int, Field(ge=1)] | None = 1
    seconds: Annotated[float, Field(ge=0)] = 2.0
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    error: Mapping[str, JsonValue] | None = None


class Faults:
    """The faults that wait for their operation, in the order in which they were given."""

    def __init__(self) -> None:
        """Start without faults."""
        self._waiting: dict[int, Fault] = {}
        self._numbers = itertools.count(1)

    def __bool__(self) -> bool:
        """Whether any fault waits."""
        return bool(self._waiting)

    def __iter__(self) -> Iterator[tuple[int, Fault]]:
        """Give each waiting fault with its number, `times` being what is left."""
        return iter(list(self._waiting.items()))

    def add(self, fault: Fault) -> int:
        """Let `fault` wait for its operation and return its number."""
        number = next(self._numbers)
        self._waiting[number] = fault
        return number

    def remove(self, number: int) -> bool:
        """Forget one fault; False when there is none of that number (it may have happened)."""
        return self._waiting.pop(number, None) is not None

    def clear(self) -> None:
        """Forget all faults."""
        self._waiting.clear()

    def take(self, *operations: str, when: When = When.BEFORE) -> Fault | None:
        """Return the first fault that waits for one of these operation names at this moment, and count it as happened.

        An operation may have several names (Kea: `POST /` and `reservation-add`): one call, one fault.
        """
        for number, fault in self._waiting.items():
            if fault.when is when and any(fnmatchcase(operation, fault.on) for operation in operations):
                self._count(number, fault)
                return fault
        return None

    def _count(self, number: int, fault: Fault) -> None:
        if fault.times is None:
            return
        if fault.times == 1:
            del self._waiting[number]
        else:
            self._waiting[number] = fault.model_copy(update={"times": fault.times - 1})
