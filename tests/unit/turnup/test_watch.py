"""An order while it is worked, in a terminal: the plan once, tree and targets in place."""

from __future__ import annotations

import io

from rich.console import Console

from engine.acceptance import Acceptance
from engine.executor import LocalExecutor
from engine.views import document, progress
from tests.null_world import NullWorld, superfibre
from turnup.screen.watch import LiveWatch, PlainWatch, watch


def test_a_terminal_gets_a_live_picture_and_a_pipe_gets_lines(world: NullWorld) -> None:
    assert isinstance(watch(Console(file=io.StringIO(), force_terminal=True), world.clock.now), LiveWatch)
    assert isinstance(watch(Console(file=io.StringIO()), world.clock.now), PlainWatch)


def test_the_live_picture(world: NullWorld) -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=140, color_system=None)
    order = Acceptance(world.at, world.catalogue).submit(superfibre(4821)).id
    executor = LocalExecutor(world.at)
    with LiveWatch(console, world.clock.now) as screen:
        screen.update(document(world.at, world.at.store.tree(order), history=False))
        executor.start()
        while progress(tree := world.at.store.tree(order)):
            screen.update(document(world.at, tree, history=False))
        executor.stop()
        screen.update(document(world.at, world.at.store.tree(order), history=False))
    text = written.getvalue()
    assert text.count("Plan: 2 branches side by side") == 1
    assert "acknowledged, 0 min since the order" in text
    last = text[text.rindex("PO-2024-00847 → SO-2024-03291 → RO-2024-07814") :]
    assert "✔ ROI-005 RFS:Cloud-Controller" in last
    assert "OLT-EAST-07     ✔ ROI-001 configure  ✔ ROI-002 configure  ✔ ROI-004 configure" in last
    assert "since the order" not in last  # no spinner on what has ended
