"""One figure of a benchmark."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Goal:
    """What a figure shall be. Nothing fails when it is not: the report says so."""

    how: Literal["<=", ">="]
    bound: float

    def met(self, value: float) -> bool:
        """Whether a value is good enough."""
        return value <= self.bound if self.how == "<=" else value >= self.bound

    def __str__(self) -> str:
        """`<= 2`."""
        return f"{self.how} {self.bound:g}"


@dataclass(frozen=True)
class Figure:
    """What was measured: the median of `runs` runs, with their extremes, and against what it was measured."""

    name: str
    value: float
    unit: str
    runs: int
    minimum: float
    maximum: float
    against: str
    goal: Goal | None = None


def of_samples(name: str, samples: Sequence[float], unit: str, against: str, goal: Goal | None = None) -> Figure:
    """Return the median and the extremes of samples."""
    return Figure(name, statistics.median(samples), unit, len(samples), min(samples), max(samples), against, goal)


def p95(name: str, samples: Sequence[float], unit: str, against: str, goal: Goal | None = None) -> Figure:
    """Return the value that 95 of 100 samples do not exceed, and the extremes."""
    ranked = sorted(samples)
    value = ranked[math.ceil(0.95 * len(ranked)) - 1]
    return Figure(f"{name}, p95", value, unit, len(samples), ranked[0], ranked[-1], against, goal)


def timed(work: Callable[[], object], runs: int, *, warm_up: int = 1) -> list[float]:
    """Return how long `work` takes, in milliseconds, per run, after some runs that do not count."""
    for _ in range(warm_up):
        work()
    samples = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        samples.append((time.perf_counter() - start) * 1000)
    return samples
