"""An order through the worker: what completes, what stands still and why, what is undone."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from engine.acceptance import Acceptance
from engine.batch import WorkerSettings
from engine.catalogue.catalogue import Catalogue
from engine.dryrun import dry_run
from engine.errors import DuplicateOrder, ErrorClass, InventoryUnreachable, TemplateFailed
from engine.lines import Numbered, lines_below
from engine.model import Order, StepState
from engine.ports import CheckResult, Outcome, Push, TransactionState, Trouble
from engine.states import Level, OrderState
from engine.steps import decompose
from engine.store.lanes import wake
from engine.store.schema import metadata
from engine.tree import Tree
from engine.vault import Vault
from engine.views import document
from tests.null_world import NullWorld, refused, superfibre
from tests.unit.engine.conftest import Work


def states(tree: Tree) -> dict[str, str]:
    return {item.id: str(item.state) for item in tree.items.values()}


def test_the_worked_example_completes_from_the_bottom_up(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    accepted = acceptance.submit(superfibre(4821))
    assert accepted.id == "PO-2024-00847"
    tree = work(accepted.id)
    assert {order.id: str(order.state) for order in tree.orders.values()} == dict.fromkeys(
        ["PO-2024-00847", "SO-2024-03291", "RO-2024-07814"], "completed"
    )
    assert set(states(tree).values()) == {"completed"}
    assert {i.id: i.state for i in tree.instances.values() if i.level is not Level.RESOURCE} == dict.fromkeys(
        ["PI-BB-4821", "SI-INT-4821", "SI-WIFI-4821", "SI-CPE-4821"], "active"
    )
    assert {i.id: i.state for i in tree.instances.values() if i.level is Level.RESOURCE} == {
        f"{tree.service_of(item).instance}/{item.specification}": "active" for item in tree.items.values() if item.level is Level.RESOURCE
    }
    assert world.inventory.active == set(world.inventory.given)
    order = [(e.item or e.order, e.data["state"]) for e in document(world.at, tree).history if e.data.get("state") == "completed"]
    ends = [name for name, _ in order]
    assert ends.index("ROI-001") < ends.index("ROI-002") < ends.index("ROI-003") < ends.index("SOI-001") < ends.index("PO-2024-00847")
    assert ends.index("ROI-007") < ends.index("ROI-006") < ends.index("ROI-005") < ends.index("SOI-002") < ends.index("SO-2024-03291")


def test_a_service_order_that_cannot_be_decomposed_says_so_itself(
    world: NullWorld, acceptance: Acceptance, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is decomposed with the product order; when that cannot be, the product order's own decomposition stands."""
    order = acceptance.submit(superfibre(1)).id

    def lines(catalogue: Catalogue, vault: Vault, tree: Tree, above: Order) -> Numbered:
        if above.level is Level.SERVICE:
            raise TemplateFailed("no such characteristic")
        return lines_below(catalogue, vault, tree, above)

    monkeypatch.setattr(decompose, "lines_below", lines)
    tree = work(order)
    service = tree.order_of(Level.SERVICE)
    assert service is not None
    assert tree.order_of(Level.RESOURCE) is None
    assert tree.steps[f"{order}/decompose"].state is StepState.DONE
    stands = tree.steps[f"{service.id}/decompose"]
    assert stands.trouble is not None
    assert (stands.state, stands.trouble.message) == (StepState.FAILED, "no such characteristic")
    assert (service.state, tree.root.state) == (OrderState.FAILED, OrderState.FAILED)


def test_one_commit_per_device_of_an_order(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    work(acceptance.submit(superfibre(1)).id)
    targets = [push.target for push in world.targets.pushes]
    assert sorted(targets) == sorted(set(targets))


def test_the_same_order_again_orders_nothing(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    first = acceptance.submit(superfibre(1))
    work(first.id)
    again = acceptance.submit(superfibre(1))
    assert (again.id, again.repeated) == (first.id, True)
    assert len(world.inventory.given) == 5


def test_another_order_under_the_same_external_id_is_refused(acceptance: Acceptance) -> None:
    acceptance.submit(superfibre(1))
    with pytest.raises(DuplicateOrder, match="SF200-1 belongs to order PO-2024-00847"):
        acceptance.submit(superfibre(1, ssid="Other"))


def test_a_second_line_of_the_same_customer_has_a_suffix(acceptance: Acceptance, work: Work) -> None:
    work(acceptance.submit(superfibre(1)).id)
    second = superfibre(1).model_copy(update={"external_id": "second-line"})
    tree = work(acceptance.submit(second).id)
    made = [instance.id for instance in tree.instances.values() if instance.level is not Level.RESOURCE]
    assert sorted(made) == ["PI-BB-1-2", "SI-CPE-1-2", "SI-INT-1-2", "SI-WIFI-1-2"]


def test_no_free_port_holds_the_network_items_only(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    world.inventory.left["olt-port"] = 0
    tree = work(acceptance.submit(superfibre(1)).id)
    assert states(tree) == {
        "POI-001": "held",
        "SOI-001": "held",
        "SOI-002": "completed",
        "SOI-003": "completed",
        "ROI-001": "held",
        "ROI-002": "acknowledged",
        "ROI-003": "acknowledged",
        "ROI-004": "acknowledged",
        "ROI-005": "completed",
        "ROI-006": "completed",
        "ROI-007": "completed",
    }
    assert {order.state for order in tree.orders.values()} == {OrderState.HELD}
    assert tree.root.reason.startswith("resource exhaustion")
    assert {mark.name for mark in world.inventory.given} == {"ont"}
    held = next(step for step in tree.steps.values() if step.state is StepState.HELD)
    assert held.awaits == "olt-port:EAST-07"
    assert held.trouble is not None
    assert held.trouble.code == "RESOURCE_EXHAUSTED"


def test_no_free_vlan_holds_who_uses_it_too(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    """QoS does not depend on the VLAN service but polices its sub-interface: it waits for the VLAN as well."""
    world.inventory.left["vlan"] = 0
    tree = work(acceptance.submit(superfibre(1)).id)
    found = states(tree)
    assert [found[name] for name in ("ROI-001", "ROI-002", "ROI-003", "ROI-004")] == ["completed", "held", "acknowledged", "acknowledged"]
    assert {mark.name for mark in world.inventory.given} == {"port", "ont"}


def test_a_device_that_refuses_gives_its_own_words_and_the_rest_goes_on(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    world.targets.fail = lambda push: refused("bad-element: vlan-id 5000") if push.target == "ASW-EAST-07" else None
    tree = work(acceptance.submit(superfibre(1)).id)
    found = states(tree)
    assert found["ROI-001"] == "completed"
    assert found["ROI-002"] == "held"
    assert found["ROI-007"] == "completed"
    assert tree.items["RO-2024-07814", "ROI-002"].reason == "bad-element: vlan-id 5000"
    assert tree.root.reason == "bad-element: vlan-id 5000"
    assert tree.root.state is OrderState.HELD
    targets = {target.name: target.state for target in document(world.at, tree).targets}
    assert targets["ASW-EAST-07"] == "held"
    assert targets["OLT-EAST-07"] == "done"
    assert targets["DHCP-EAST-01"] == "notAttempted"
    assert len(world.inventory.given) == 5  # claims are kept


def test_why_a_part_failed_is_said_at_all_levels_and_of_what_was_never_begun(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    failed = Outcome(TransactionState.REFUSED, Trouble.of(TemplateFailed("gpon-bearer.xml.j2: <colour> is not known")))
    world.targets.fail = lambda push: failed if push.target.startswith("OLT") else None
    tree = work(acceptance.submit(superfibre(1)).id)
    found = states(tree)
    assert (found["ROI-001"], found["ROI-003"], found["ROI-007"], found["SOI-001"]) == ("failed", "failed", "completed", "failed")
    assert tree.root.state is OrderState.PARTIAL
    stopped = [tree.items[key] for key in tree.items if key[1] in ("ROI-001", "ROI-002", "ROI-003", "ROI-004", "SOI-001", "POI-001")]
    assert (
        {item.reason for item in stopped} == {order.reason for order in tree.orders.values()} == {failed.trouble and failed.trouble.message}
    )


def test_what_a_person_reads_holds_no_secret(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    world.targets.fail = lambda push: refused("cannot set psk open-sesame-1234") if push.target == "ACS-01" else None
    tree = work(acceptance.submit(superfibre(1, wifiPassword="open-sesame-1234")).id)
    shown = document(world.at, tree).model_dump_json()
    assert "open-sesame-1234" not in shown
    assert "cannot set psk ••••••••" in shown


def test_the_database_holds_no_secret(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    work(acceptance.submit(superfibre(1, wifiPassword="open-sesame-1234")).id)
    with world.at.store.database.read() as tx:
        content = "".join(repr(row) for table in metadata.sorted_tables for row in tx.execute(sa.select(table)))
    assert "SmithHome" in content
    assert "open-sesame-1234" not in content


def test_an_unreachable_device_is_retried_and_then_held(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    world.targets.fail = lambda push: refused("no route to host", may_retry=True) if push.target == "BNG-EAST-01" else None
    tree = work(acceptance.submit(superfibre(1)).id)
    assert tree.steps["ROI-002/configure/2"].attempt == 5
    assert states(tree)["ROI-002"] == "held"
    assert tree.items["RO-2024-07814", "ROI-002"].trouble is not None


def test_a_device_that_comes_back_goes_on(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    tries: list[Push] = []

    def fail(push: Push) -> Outcome | None:
        if push.target != "BNG-EAST-01" or len(tries) == 2:
            return None
        tries.append(push)
        return refused("no route to host", may_retry=True)

    world.targets.fail = fail
    assert work(acceptance.submit(superfibre(1)).id).root.state is OrderState.COMPLETED


def test_an_unreachable_inventory_is_retried(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    left = [2]

    def trouble() -> None:
        if left[0]:
            left[0] -= 1
            raise InventoryUnreachable("connection refused")

    world.inventory.trouble = trouble
    assert work(acceptance.submit(superfibre(1)).id).root.state is OrderState.COMPLETED


def test_one_bad_order_does_not_hold_a_batch(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    """The OLT refuses whatever carries the third customer's service: the others go through, in shared commits."""
    world.targets.fail = lambda push: (
        refused("invalid-value") if push.target == "OLT-EAST-07" and "SI-INT-103/" in push.change.forward else None
    )
    accepted = [acceptance.submit(superfibre(100 + n)) for n in range(8)]
    trees = [work(a.id) for a in accepted]
    assert [str(tree.root.state) for tree in trees] == ["completed"] * 3 + ["held"] + ["completed"] * 4
    assert states(trees[3])["ROI-001"] == "held"
    assert not [line for line in world.targets.lines["OLT-EAST-07"] if "SI-INT-103/" in line]


def test_a_failed_check_takes_back_that_order_only(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    def fail(push: Push) -> Outcome | None:
        bad = [check for check in push.checks if check.name == "bearer-up" and "0.2.1" in check.arguments["v_ani"]]
        if not bad:
            return None
        trouble = Trouble("CHECK_FAILED", ErrorClass.CHECK, "CT-0.2 is down")
        return Outcome(TransactionState.REVERSED, trouble, tuple(CheckResult(c.step, c.name, c not in bad, "seen") for c in push.checks))

    world.targets.fail = fail
    accepted = [acceptance.submit(superfibre(100 + n)) for n in range(4)]
    found = {str(work(a.id).root.state): a.id for a in accepted}
    assert sorted(str(work(a.id).root.state) for a in accepted) == ["completed", "completed", "completed", "held"]
    assert "held" in found


def test_waiting_for_the_carrier_is_pending_and_ends_with_the_event(world: NullWorld, acceptance: Acceptance) -> None:
    from engine.executor import LocalExecutor

    world.targets.done = lambda question: question.until != "delivered"
    accepted = acceptance.submit(superfibre(1))
    executor = LocalExecutor(world.at)
    executor.start()
    try:
        tree = _until(
            world,
            accepted.id,
            lambda t: (
                "ROI-007" in states(t) and states(t)["ROI-003"] == "completed" and t.steps["ROI-007/after/0"].state is StepState.WAITING
            ),
        )
        assert states(tree)["ROI-007"] == "pending"
        assert tree.root.state is OrderState.PENDING
        world.targets.done = lambda _: True
        with world.at.store.database.write() as tx:
            executor.hint(wake(tx, ["delivered:RO-2024-07814/ROI-007"], world.clock.real()))
        assert _until(world, accepted.id, lambda t: t.root.state.final).root.state is OrderState.COMPLETED
    finally:
        executor.stop()


def _until(world: NullWorld, order: str, condition) -> Tree:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 20
    while not condition(tree := world.at.store.tree(order)):
        assert time.monotonic() < deadline, states(tree)
        time.sleep(0.01)
    return tree


def test_dry_run_changes_nothing_and_its_checksum_holds(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    shown = dry_run(world.at, world.catalogue, superfibre(1))
    assert world.inventory.given == {}
    assert not world.targets.pushes
    assert [a.value for a in shown.allocations if a.resource == "ONT Device"] == ["HG8245H, S/N: HWT2340098"]
    assert "policy/BW-200-50-RES" in next(c.shown for c in shown.preview.changes if c.target == "OLT-EAST-07")
    tree = work(acceptance.submit(superfibre(1), checksum=shown.preview.checksum).id)
    assert tree.root.state is OrderState.COMPLETED


def test_what_differs_from_what_was_shown_is_refused_before_the_first_push(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    shown = dry_run(world.at, world.catalogue, superfibre(1))
    work(acceptance.submit(superfibre(2)).id)  # takes what was expected
    pushed, given = len(world.targets.pushes), dict(world.inventory.given)
    tree = work(acceptance.submit(superfibre(1), checksum=shown.preview.checksum).id)
    assert tree.root.state is OrderState.FAILED
    assert tree.steps["reserve"].trouble is not None
    assert tree.steps["reserve"].trouble.code == "CHECKSUM_MISMATCH"
    assert len(world.targets.pushes) == pushed
    assert world.inventory.given == given


def test_a_dry_run_does_not_depend_on_order_ids_or_secrets(world: NullWorld) -> None:
    sums = {dry_run(world.at, world.catalogue, superfibre(1)).preview.checksum for _ in range(3)}
    assert len(sums) == 1


def test_priority_goes_first(world: NullWorld, acceptance: Acceptance) -> None:
    from engine.worker import Worker

    world.at.settings.__dict__["batch_systems"] = 1
    late = acceptance.submit(superfibre(1))
    urgent = acceptance.submit(superfibre(2).model_copy(update={"priority": 0}))
    Worker(world.at).drain("orders")
    numbers = {o: world.at.store.tree(o).order_of(Level.RESOURCE).id for o in (late.id, urgent.id)}  # type: ignore[union-attr]
    assert numbers[urgent.id] < numbers[late.id]
    assert WorkerSettings().batch_systems > 1
