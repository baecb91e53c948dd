"""What trees and tables show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console, RenderableType

from engine.documents import EventView, ItemView, TargetView, TroubleView
from inventory.audit import AuditReport, Finding
from turnup.screen import decomposition, tables
from turnup.screen.audit import audited


def shown(*things: RenderableType, width: int = 200) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(*things, sep="\n")
    return captured.get()


def item(name: str, level: str, parent: str | None, **more: Any) -> ItemView:
    return ItemView(id=name, order=f"{level}-1", specification=f"X:{name}", level=level, parent=parent, depends_on=[], steps=[], **more)


def test_what_devices_say_is_no_markup() -> None:
    said = "invalid-value at /interfaces/interface[name='v-ani-3.12.1']/onu-id [red] [/]"
    assert said in shown(tables.targets([TargetView(name="OLT", platform="bbf-olt", state="held", transaction=None, message=said)]))


def test_a_tree_tells_characteristics_of_every_level_and_a_reason_where_it_arose() -> None:
    trouble = TroubleView(code="TARGET_REFUSED", message="no such card", remedy="")
    items = [
        item("POI-001", "product", None, state="held", trouble=trouble, characteristics={"wifiApp": True}),
        item("SOI-001", "service", "POI-001", state="held", trouble=trouble),
        item("ROI-001", "resource", "SOI-001", state="held", trouble=trouble, characteristics={"oltArea": "EAST-07"}),
        item("ROI-002", "resource", "SOI-001", state="acknowledged"),
    ]
    assert [line.rstrip() for line in shown(decomposition.tree("PO-1", items)).splitlines()] == [
        "PO-1",
        "└── ■ POI-001 X:POI-001  wifiApp=true  ■ held",
        "    └── ■ SOI-001 X:SOI-001  ■ held",
        "        ├── ■ ROI-001 X:ROI-001  oltArea=EAST-07  ■ held  no such card",
        "        └── ○ ROI-002 X:ROI-002",
    ]


def test_a_transaction_has_the_same_short_name_everywhere() -> None:
    name = "6b4ff2d4023d4433a4d76ade9527d77f"
    event = EventView(number=1, at=datetime(2024, 3, 11, tzinfo=UTC), order="PO-1", item=None, type="transaction", data={"id": name})
    history = shown(tables.history([event]))
    targets = shown(tables.targets([TargetView(name="OLT", platform="bbf-olt", state="done", transaction=name, message="")]))
    assert "6b4ff2d4 " in history.replace("id=", "")
    assert "6b4ff2d4 " in targets
    assert name not in history + targets


def test_what_an_audit_found_is_counted() -> None:
    finding = Finding(kind="missing", model="ipam.vlans", id=44, name="vid=1043", mark="RO-1/ROI-002/vlan", message="it is gone", url="u")
    assert "1 finding " in shown(*audited(AuditReport(findings=[finding], looked_at={"ipam.vlans": 1})))
    assert "2 findings " in shown(*audited(AuditReport(findings=[finding] * 2, looked_at={"ipam.vlans": 1})))
