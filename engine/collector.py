"""Python's garbage collection while lanes are worked.

A worker makes and drops rows and trees by the thousand. They go by themselves when nobody refers to them; to look for circles among them
after each 700, as Python does, takes a seventh of the order layer's time (docs/performance.md).
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

_YOUNG, _MIDDLE, _OLD = 10_000, 20, 20


@contextlib.contextmanager
def seldom() -> Iterator[None]:
    """In the block circles are looked for seldom: memory for some thousand objects against time."""
    before = gc.get_threshold()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)
