"""Trees that were loaded or written lately, so that the next settlement need not read a hundred rows again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from engine.tree import Tree

_LIMIT = 1000


class _Kept(NamedTuple):
    version: int
    tree: Tree
    free: bool
    """Nobody else looks at it: whoever is to change it next may have it as it is."""


class TreeCache:
    """Trees by root and version. A tree of another version than asked for is never given: another process wrote a newer one."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._trees: OrderedDict[str, _Kept] = OrderedDict()
        self._limit, self._guard = limit, threading.Lock()

    def get(self, root: str, version: int, *, to_change: bool = False) -> Tree | None:
        """A tree of its own for the caller, or None. `to_change`: he puts it back, or it is gone from here, as what failed must be."""
        with self._guard:
            kept = self._trees.get(root)
            if kept is None or kept.version != version:
                return None
            if to_change and kept.free:
                return self._trees.pop(root).tree
            self._trees.move_to_end(root)
            return kept.tree.copy()

    def put(self, root: str, version: int, tree: Tree, *, free: bool = False) -> None:
        """Keep a tree that nobody will change any more, and if it is free nobody look at; what was not used longest goes. Orders that
        have ended are not kept."""
        with self._guard:
            if tree.root.state.final and not any(not step.state.final for step in tree.steps.values()):
                self._trees.pop(root, None)
                return
            kept = self._trees.get(root)
            if kept is not None and kept.version > version:
                return  # a newer one was faster
            self._trees[root] = _Kept(version, tree, free)
            self._trees.move_to_end(root)
            while len(self._trees) > self._limit:
                self._trees.popitem(last=False)
