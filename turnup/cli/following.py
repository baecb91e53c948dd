"""`turnup orders --follow`."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from turnup.cli.session import Session

if TYPE_CHECKING:
    from engine.states import OrderState
    from turnup.screen.changing import Screen
    from turnup.wiring import Wiring

_LOOK = 0.25
"""Seconds between two looks at the end of the outbox."""


def follow_orders(session: Session, state: OrderState | None, since: int | None) -> int:
    """Show what changes until Ctrl-C, or until nobody reads it any more."""
    from turnup.changes import Changes

    wiring = session.wiring()
    try:
        changes = Changes(wiring.records, since)
        with _screen(session, wiring, state) as screen:
            while True:
                if found := list(changes.since()):
                    screen.changed(found)
                time.sleep(_LOOK)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # `| head` has seen enough; what is still in the buffer cannot be written when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _screen(session: Session, wiring: Wiring, state: OrderState | None) -> Screen:
    from engine.views import listed
    from turnup.changes import states
    from turnup.screen.changing import Lines, LiveList, as_json, as_text

    output = session.output
    if output.as_json:
        return Lines(as_json(sys.stdout), state)
    if not output.out.is_terminal:
        return Lines(as_text(output.out), state)
    heads = listed(wiring.records, state, last=output.out.height if state is None else None)
    return LiveList(output.out, states(wiring.records), heads, state)
