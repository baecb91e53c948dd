"""A session that is kept between transactions and used by one at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from engine.errors import TargetTimeout

T = TypeVar("T")


class Kept(Generic[T]):
    """Opens a session when it is needed, keeps it, and gives it to one user at a time.

    `alive` is asked before each use; a session of which it says no is closed and replaced. `unharmed` are the exceptions after which a
    session is as good as before (the peer answered); after anything else it is dropped: an RPC that timed out may still run there.
    """

    def __init__(
        self,
        target: str,
        opened: Callable[[], T],
        closed: Callable[[T], None],
        alive: Callable[[T], bool],
        unharmed: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._target = target
        self._open, self._close, self._alive = opened, closed, alive
        self._unharmed = unharmed
        self._turn = threading.Lock()
        self._session: T | None = None
        self.opened = 0
        """How many sessions were opened so far."""

    def get(self) -> T:
        """Return the session, a new one when the last has died. Not for two threads at once: see `use`. Raises TargetError."""
        session = self._session
        if session is not None and not self._alive(session):
            self.drop()
            session = None
        if session is None:
            session = self._session = self._open()
            self.opened += 1
        return session

    @contextlib.contextmanager
    def use(self, wait: float = 60.0) -> Iterator[T]:
        """Have the session alone. Raises TargetTimeout when it is not free within `wait` seconds, TargetError as `get` does."""
        if not self._turn.acquire(timeout=wait):
            raise TargetTimeout(f"{self._target}: another transaction holds our session for more than {wait:g} s", target=self._target)
        try:
            yield self.get()
        except self._unharmed:
            raise
        except BaseException:
            self.drop()
            raise
        finally:
            self._turn.release()

    def drop(self) -> None:
        """Close the session at once."""
        session, self._session = self._session, None
        if session is not None:
            self._close(session)
