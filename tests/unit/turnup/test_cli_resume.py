"""`turnup resume`."""

from __future__ import annotations

from pathlib import Path

from tests.null_world import NullWorld, refused
from tests.unit.turnup.conftest import PLAYBOOKS, Turnup

PLAYBOOK = PLAYBOOKS / "superfibre-200.yaml"


def test_what_stands_still_is_done_again(turnup: Turnup, world: NullWorld) -> None:
    world.targets.fail = lambda push: refused("card restarts") if push.target in ("OLT-EAST-07", "ACS-01") else None
    assert turnup("run", PLAYBOOK).code == 3
    world.targets.fail = lambda _: None
    said = turnup("resume", "SF200-CUST-4821", "--json")
    assert said.code == 0
    assert (said.document["order"], said.document["state"]) == ("PO-2024-00847", "inProgress")
    assert {(step["item"], step["target"]) for step in said.document["resumed"]} >= {("ROI-001", "OLT-EAST-07"), ("ROI-006", "ACS-01")}
    assert turnup("run", PLAYBOOK).code == 0


def test_of_one_item_only(turnup: Turnup, world: NullWorld) -> None:
    world.targets.fail = lambda push: refused("card restarts") if push.target in ("OLT-EAST-07", "ACS-01") else None
    turnup("run", PLAYBOOK)
    said = turnup("resume", "PO-2024-00847", "--item", "ROI-006")
    assert said.code == 0
    assert "PO-2024-00847 (held): ROI-006/configure/0 is done again" in said.out
    assert "no process works the lanes: `turnup worker` starts one" in said.out


def test_where_nothing_is_held(turnup: Turnup, world: NullWorld) -> None:
    turnup("run", PLAYBOOK)
    said = turnup("resume", "PO-2024-00847")
    assert said.code == 2
    assert "nothing of PO-2024-00847 is held: it is completed" in said.err
    world.targets.fail = lambda push: refused("no") if push.target == "ACS-01" else None
    turnup("run", PLAYBOOKS / "superfibre-200-second.yaml")
    said = turnup("resume", "PO-2024-00848", "--item", "ROI-001", "--json")
    assert said.document["error"]["code"] == "NOTHING_HELD"
    assert said.document["error"]["message"] == "nothing of ROI-001 is held; held are ROI-006"


def test_who_is_told_to_go_on_asks_although_others_wait(turnup: Turnup, world: NullWorld) -> None:
    world.inventory.left["olt-port"] = 0
    assert turnup("run", PLAYBOOK).code == 3
    assert turnup("run", PLAYBOOKS / "superfibre-200-second.yaml").code == 3
    world.inventory.left["olt-port"] = 1
    assert turnup("resume", "PO-2024-00848").code == 0
    assert turnup("run", PLAYBOOKS / "superfibre-200-second.yaml").code == 0


def test_show_says_what_is_waited_for_and_who_comes_before(turnup: Turnup, world: NullWorld, tmp_path: Path) -> None:
    world.inventory.left["olt-port"] = 0
    for number in (4821, 5001, 5002):
        path = tmp_path / f"{number}.yaml"
        path.write_text(PLAYBOOK.read_text("utf-8").replace("4821", str(number)), "utf-8")
        assert turnup("run", path).code == 3
    places = ("it is next", "one order waits before it", "2 orders wait before it")
    for number, place in enumerate(places, start=847):
        said = turnup("show", f"PO-2024-00{number}")
        assert f"Goes on by itself: when there is olt-port:EAST-07; {place}" in said.out
        (case,) = turnup("show", f"PO-2024-00{number}", "--json").document["cases"]
        assert (case["queue"], case["waitsFor"], case["waitBefore"]) == ("network-planning", "olt-port:EAST-07", number - 847)
