"""An order as a tree: product order -> service order items -> resource order items."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from rich.tree import Tree

from engine.documents import ItemView
from turnup.screen import marks

_SHOWN = 60
"""Characters of characteristics in a line."""


def tree(title: str, items: Sequence[ItemView], *, states: bool = True) -> Tree:
    """The items of all levels, each below the one that it was decomposed from. `states`: with where each stands, and where it stops why."""
    root = Tree(Text(title, "bold"), guide_style="dim")
    nodes: dict[tuple[str, str], Tree] = {}
    for item in items:
        # item ids are unique in their level; the parent is of the level above
        above = next((node for (level, name), node in nodes.items() if name == item.parent and level != item.level), root)
        told = any(other.trouble == item.trouble for other in items if other.parent == item.id and other.level != item.level)
        nodes[item.level, item.id] = above.add(_line(item, states=states, why=not told))
    return root


def _line(item: ItemView, *, states: bool, why: bool) -> Text:
    line = marks.mark(item.state).append(" ") if states else Text()
    line.append(f"{item.id} ", "bold").append(item.specification)
    if item.characteristics:
        line.append(f"  {_characteristics(item)}", "dim")
    if states and item.state not in ("acknowledged", "completed"):
        line.append("  ").append_text(marks.state(item.state))
    if states and why and item.trouble is not None:
        line.append(f"  {item.trouble.message}", "magenta")
    return line


def _characteristics(item: ItemView) -> str:
    text = ", ".join(f"{name}={_value(value)}" for name, value in item.characteristics.items())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
