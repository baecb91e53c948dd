"""Trees that were loaded or written lately, so that the next settlement need not read a hundred rows again."""

from __future__ import annotations

import threading
from collections import OrderedDict

from engine.tree import Tree

_LIMIT = 1000


class TreeCache:
    """Trees by root and version. A tree of another version than asked for is never given: another process wrote a newer one."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._trees: OrderedDict[str, tuple[int, Tree]] = OrderedDict()
        self._limit, self._guard = limit, threading.Lock()

    def get(self, root: str, version: int) -> Tree | None:
        """A tree of its own for the caller to change, or None."""
        with self._guard:
            kept = self._trees.get(root)
            if kept is None or kept[0] != version:
                return None
            self._trees.move_to_end(root)
            return kept[1].copy()

    def put(self, root: str, version: int, tree: Tree) -> None:
        """Keep a tree that nobody will change any more; what was not used longest goes. Orders that have ended are not kept."""
        with self._guard:
            if tree.root.state.final and not any(not step.state.final for step in tree.steps.values()):
                self._trees.pop(root, None)
                return
            kept = self._trees.get(root)
            if kept is not None and kept[0] > version:
                return  # a newer one was faster
            self._trees[root] = (version, tree)
            self._trees.move_to_end(root)
            while len(self._trees) > self._limit:
                self._trees.popitem(last=False)
