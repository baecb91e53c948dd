"""Changes of a BNG as Junos lines: what is sent for the worked example, what replaces and what adds, and how high a delete goes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.errors import ChangeConflict, TemplateFailed
from engine.ports import Change
from engine.vault import MASK
from tasks.change.set_lines import SetLines
from tests.simulated_devices import Junos, all_of

LINES = SetLines()
DAY_ZERO, SUBSCRIBER, CEASE = re.split(r"# subscriber.*|# cease", (Path(__file__).parent / "examples" / "junos-subscriber.set").read_text())
UNIT = "set interfaces ge-0/0/1 unit 1042"


def others(*texts: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for text in texts:
        for path, value in LINES.nodes(text):
            found.setdefault(path, set()).add(value)
    return {path: frozenset(values) for path, values in found.items()}


def device(*fragments: str) -> Junos:
    made = all_of(Junos, list(fragments))
    assert isinstance(made, Junos)
    return made


class TestWorkedExample:
    def test_a_subscriber_is_his_lines_in_their_order(self) -> None:
        assert LINES.change([], [SUBSCRIBER], others(DAY_ZERO)).forward.splitlines() == SUBSCRIBER.strip().splitlines()

    def test_what_ceases_is_deleted_as_high_as_nobody_else_is_below(self) -> None:
        another = SUBSCRIBER.replace("1042", "1043")
        deletes = LINES.change([SUBSCRIBER], [], others(DAY_ZERO, another)).forward.splitlines()
        assert sorted(deletes) == sorted(CEASE.strip().splitlines())

    def test_the_last_one_takes_the_levels_that_only_he_made(self) -> None:
        deletes = LINES.change([SUBSCRIBER], [], others(DAY_ZERO)).forward.splitlines()
        assert "delete class-of-service interfaces ge-0/0/1" in deletes
        assert "delete interfaces ge-0/0/1 unit 1042" in deletes, "day-0 has statements on the interface itself"

    def test_another_policy_replaces_two_values(self) -> None:
        change = LINES.change([SUBSCRIBER], [SUBSCRIBER.replace("200-50", "500-100")], others(DAY_ZERO))
        assert change.forward.splitlines() == [
            "set interfaces ge-0/0/1 unit 1042 family inet policer input BW-500-100-RES-UP",
            "set class-of-service interfaces ge-0/0/1 unit 1042 output-traffic-control-profile BW-500-100-RES-DOWN",
        ]

    def test_nothing_is_sent_when_it_is_there_already(self) -> None:
        assert LINES.change([SUBSCRIBER], [SUBSCRIBER], others(DAY_ZERO)) == Change("", "")
        assert LINES.change([], [SUBSCRIBER], others(DAY_ZERO, SUBSCRIBER)) == Change("", "")

    def test_fragments_that_all_state_the_unit_share_it(self) -> None:
        vlan, qos = f"{UNIT} vlan-id 1042", f"{UNIT} vlan-id 1042\n{UNIT} family inet policer input UP"
        assert LINES.change([], [qos], others(vlan)).forward == f"{UNIT} family inet policer input UP"
        assert LINES.change([qos], [], others(vlan)).forward == "delete interfaces ge-0/0/1 unit 1042 family inet"
        assert LINES.change([vlan, qos], [vlan], {}).forward == "delete interfaces ge-0/0/1 unit 1042 family inet"


class TestValues:
    def test_a_value_replaces_and_is_deleted_without_being_said(self) -> None:
        change = LINES.change([f"{UNIT} description old"], [f'{UNIT} description "new one"'], {})
        assert change == Change(f'{UNIT} description "new one"', f"{UNIT} description old")
        gone = LINES.change([f"{UNIT} description old\n{UNIT} vlan-id 7"], [f"{UNIT} vlan-id 7"], {})
        assert gone == Change("delete interfaces ge-0/0/1 unit 1042 description", f"{UNIT} description old")

    def test_several_values_are_each_for_themselves(self) -> None:
        before, after = "set system name-server [ 10.0.0.1 10.0.0.2 ]", "set system name-server 10.0.0.2\nset system name-server 10.0.0.3"
        assert LINES.change([before], [after], {}).forward.splitlines() == [
            "delete system name-server 10.0.0.1",
            "set system name-server 10.0.0.3",
        ]

    def test_a_replaced_name_takes_what_is_below_it_along(self) -> None:
        def unnumbered(source: str) -> str:
            return f"{UNIT} family inet unnumbered-address {source} preferred-source-address 10.42.17.1"

        change = LINES.change([unnumbered("lo0.0")], [unnumbered("lo0.1")], {})
        assert change.forward.splitlines() == ["delete interfaces ge-0/0/1 unit 1042 family inet unnumbered-address", unnumbered("lo0.1")]
        router = device(unnumbered("lo0.0"))
        router.edit(change.forward)
        assert router.held() == device(unnumbered("lo0.1")).held()
        router.edit(change.reverse)
        assert router.held() == device(unnumbered("lo0.0")).held()

    def test_another_value_of_a_shared_leaf_is_refused(self) -> None:
        message = "interfaces ge-0/0/1 unit 1042 description: wanted mine, but somebody else states theirs"
        with pytest.raises(ChangeConflict, match=message):
            LINES.change([], [f"{UNIT} description mine"], others(f"{UNIT} description theirs"))
        with pytest.raises(ChangeConflict, match="wanted b, but somebody else states a"):
            LINES.change([], [f"{UNIT} description a", f"{UNIT} description b"], {})

    def test_a_secret_is_not_shown(self) -> None:
        line = "set system ntp server 10.0.0.1 key {}"
        assert not any("hunter2" in node.value for node in LINES.nodes(line.format("hunter2")))
        shown = LINES.show(LINES.change([line.format("swordfish")], [line.format("hunter2")], {}))
        assert shown.splitlines() == [f"- set system ntp server 10.0.0.1 key {MASK}", f"+ set system ntp server 10.0.0.1 key {MASK}"]

    def test_quotes_come_through(self) -> None:
        text = f'{UNIT} description "a \\"b\\" \\\\ # ; {{}} [c]"'
        assert LINES.change([], [text], {}).forward == text

    def test_statements_of_one_level_may_follow_each_other_on_a_line(self) -> None:
        together, apart = f"{UNIT} vlan-tags outer 100 inner 200", f"{UNIT} vlan-tags outer 100\n{UNIT} vlan-tags inner 200"
        assert not LINES.change([together], [apart], {})


class TestShown:
    def test_what_is_gone_and_what_is_there_as_set_lines(self) -> None:
        change = LINES.change([f"{UNIT} vlan-id 1042\n{UNIT} description a"], [f"{UNIT} vlan-id 1042\n{UNIT} description b"], {})
        assert LINES.show(change).splitlines() == [f"- {UNIT} description a", f"+ {UNIT} description b"]
        ceased = LINES.change([f"{UNIT} vlan-id 1042\n{UNIT} family inet"], [], {})
        assert LINES.show(ceased).splitlines() == [f"- {UNIT} vlan-id 1042", f"- {UNIT} family inet"]
        assert LINES.show(Change("", "")) == ""


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("# comment\n\ndelete interfaces", "line 3: 'delete interfaces' is no `set` line"),
            ("set", "line 1: 'set' is no `set` line"),
            ("set interfaces ge-0/0/1 unit", "says nothing yet"),
            ("set interfaces ge-0/0/1 vlan 7", "does not know vlan below `interfaces ge-0/0/1`"),
            ("set foo", "does not know foo below the top level"),
            (f"{UNIT} vlan-id", "lacks its value"),
            (f"{UNIT} vlan-id 7 8", "does not know 8"),
            (f"{UNIT} vlan-id 7\n{UNIT} vlan-id 8", "line 2: `interfaces ge-0/0/1 unit 1042 vlan-id` has another value above"),
            (f"{UNIT} description a; set system host-name x", "not words of a Junos line"),
            (f'{UNIT} description "a', "not words of a Junos line"),
            ("set system name-server [ 10.0.0.1", "needs values and a ]"),
        ],
    )
    def test_what_a_template_must_not_render(self, text: str, message: str) -> None:
        with pytest.raises(TemplateFailed, match=re.escape(message)):
            LINES.parse(text)

    def test_a_device_may_hold_what_we_do_not_know(self) -> None:
        held = (
            "set version 24.4R1.9\nset interfaces ge-0/0/1 unknown-thing 5\nset system name-server 10.0.0.1\n"
            'deactivate interfaces ge-0/0/2\nset system login message "a;b"\nset interfaces ge-0/0/[1-4] mtu 1500'
        )
        assert [node.path for node in LINES.nodes(held)] == ["interfaces ge-0/0/1", "system name-server 10.0.0.1"]
