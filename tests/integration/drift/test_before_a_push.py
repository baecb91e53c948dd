"""Somebody changed what an order is about to change: by policy it is refused, overwritten, or left as somebody made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from engine.drift import before
from engine.drift.policy import DriftPolicy
from engine.errors import DriftFound
from engine.ports import Change, Fragment, Push, TransactionState
from engine.store import stated
from tests.integration.drift.conftest import Somebody, interface
from tests.integration.failures.machine import BNG, DHCP, OLT
from turnup.wiring import Wiring

Holds = Callable[[], dict[str, Any]]
V_ANI = "/if:interfaces/interface[name='v-ani-3.12.1']"
UNIT = "interfaces ge-0/0/1 unit 1042"
BEARER, VLAN = "SI-INT-4821/RFS:GPON-Bearer", "SI-INT-4821/RFS:VLAN-Service"


@dataclass
class Order:
    """An order that changes one fragment, as `engine.steps.configure` does it, up to what would be sent."""

    wiring: Wiring
    somebody: Somebody

    def changes(self, target: str, key: str, change: Callable[[str], str], policy: DriftPolicy) -> tuple[before.Seen, Fragment]:
        """What would be sent, and what is applied now."""
        at = self.wiring.workplace
        at = replace(at, settings=replace(at.settings, drift={target: policy}))
        with at.store.database.read() as tx:
            applied = at.configurations.applied(tx, target, [key])
        wanted = {key: replace(applied[key], text=change(applied[key].text))}
        nodes = [node for fragment in (*applied.values(), *wanted.values()) for node in at.targets.nodes(fragment)]
        with at.store.database.read() as tx:
            others = at.configurations.others(tx, target, wanted, nodes)
        computed = at.targets.change(target, list(applied.values()), list(wanted.values()), others)
        return before.look(at, target, applied, wanted, others, computed), applied[key]

    def sent(self, target: str, seen: before.Seen) -> Mapping[str, str]:
        """Send it, look at what the target holds then (path -> value), and take it back."""
        targets = self.wiring.targets
        self.somebody.does(target, seen.change.forward)
        found = {node.path: node.value for node in targets.nodes(targets.held(target, seen.wanted))}
        self.somebody.does(target, seen.change.reverse)
        return found


@pytest.fixture
def order(wiring: Wiring, somebody: Somebody) -> Order:
    return Order(wiring, somebody)


def renamed(text: str) -> str:
    """Another ONT, the description as it was."""
    assert "HWTC02340098" in text
    return text.replace("HWTC02340098", "HWTC02340099")


class TestAnOlt:
    @pytest.fixture
    def other(self, somebody: Somebody, wiring: Wiring, whole: Holds) -> Any:
        """The description that we gave is another now."""
        somebody.edits(OLT, interface("v-ani-3.12.1", "<description>theirs</description>"))
        yield
        somebody.edits(OLT, interface("v-ani-3.12.1", "<description>SI-INT-4821</description>"))

    def test_nothing_is_seen_where_nobody_changed_anything(self, order: Order, whole: Holds) -> None:
        seen, _ = order.changes(OLT, BEARER, renamed, DriftPolicy.REFUSE)
        assert seen.nodes == ()
        assert order.sent(OLT, seen)[f"{V_ANI}/bbf-xponvani:v-ani/expected-serial-number"] == "HWTC02340099"

    def test_refused(self, order: Order, other: None) -> None:
        with pytest.raises(DriftFound, match=r"description is theirs instead of SI-INT-4821"):
            order.changes(OLT, BEARER, renamed, DriftPolicy.REFUSE)

    def test_overwritten(self, order: Order, other: None) -> None:
        seen, _ = order.changes(OLT, BEARER, renamed, DriftPolicy.OVERWRITE)
        held = order.sent(OLT, seen)
        assert held[f"{V_ANI}/description"] == "SI-INT-4821"
        assert held[f"{V_ANI}/bbf-xponvani:v-ani/expected-serial-number"] == "HWTC02340099"

    def test_adopted(self, order: Order, other: None) -> None:
        seen, _ = order.changes(OLT, BEARER, renamed, DriftPolicy.ADOPT)
        held = order.sent(OLT, seen)
        assert held[f"{V_ANI}/description"] == "theirs"
        assert held[f"{V_ANI}/bbf-xponvani:v-ani/expected-serial-number"] == "HWTC02340099"
        assert "theirs" in seen.wanted[0].text, "and it counts as applied"

    def test_not_looked_at(self, order: Order, other: None) -> None:
        seen, _ = order.changes(OLT, BEARER, renamed, DriftPolicy.REPORT)
        assert seen.nodes == ()


class TestABng:
    def test_a_unit_with_something_of_theirs_does_not_go_unseen(self, order: Order, somebody: Somebody, whole: Holds) -> None:
        somebody.does(BNG, f"set {UNIT} no-traps")
        only_theirs = [f"{UNIT} no-traps is there, and nobody applied it"]
        at = order.wiring.workplace
        with at.store.database.read() as tx:
            keys = [key for key in stated.keys(tx, BNG) if key.startswith("SI-INT-4821/")]
            applied = at.configurations.applied(tx, BNG, keys)
        wanted = {key: Fragment(BNG, key, "") for key in keys}
        nodes = [node for fragment in applied.values() for node in at.targets.nodes(fragment)]
        with at.store.database.read() as tx:
            others = at.configurations.others(tx, BNG, keys, nodes)
        gone = at.targets.change(BNG, list(applied.values()), list(wanted.values()), others)
        with pytest.raises(DriftFound, match="no-traps is there, and nobody applied it"):
            before.look(at, BNG, applied, wanted, others, gone)
        overwriting = replace(at, settings=replace(at.settings, drift={"junos": DriftPolicy.OVERWRITE}))
        seen = before.look(overwriting, BNG, applied, wanted, others, gone)
        assert [str(node) for node in seen.nodes] == only_theirs
        assert f"set {UNIT} no-traps" in seen.change.reverse, "what undoes it brings theirs back"
        kept = before.look(overwriting, BNG, applied, {**applied, keys[-1]: replace(applied[keys[-1]], text="")}, others, gone)
        assert kept.nodes == (), "what stays does not take theirs away"
        somebody.does(BNG, f"delete {UNIT} no-traps")


class TestDocuments:
    def test_a_reservation_that_is_gone(self, order: Order, somebody: Somebody, whole: Holds) -> None:
        key = "SI-INT-4821/RFS:IP-Profile"

        def moved(text: str) -> str:
            return text.replace("10.42.17.22", "10.42.17.99")

        reservation, applied = order.changes(DHCP, key, moved, DriftPolicy.REFUSE)
        assert reservation.nodes == ()
        (name,) = (path for path, _ in order.wiring.targets.nodes(applied) if path.startswith("reservation4/"))
        undo = order.wiring.targets.change(DHCP, [applied], [], {})
        somebody.does(DHCP, undo.forward)
        unseen, _ = order.changes(DHCP, key, moved, DriftPolicy.REFUSE)
        refused = order.wiring.targets.push(Push("refused", DHCP, unseen.change))  # the push reads it first itself
        assert refused.trouble is not None
        assert (refused.state, refused.trouble.code) == (TransactionState.REFUSED, "DRIFT_FOUND")
        seen, _ = order.changes(DHCP, key, moved, DriftPolicy.OVERWRITE)
        assert name in order.sent(DHCP, seen)
        somebody.does(DHCP, Change(undo.reverse, "").forward)
