"""The tables: migrations, lanes and leases, applied configuration with its index, transactions written ahead."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st

from engine.acceptance import Acceptance
from engine.batch import Holding
from engine.errors import LeaseLost, SettingsInvalid, StoreError, UnknownOrder
from engine.ports import Change, Fragment, Node, Push
from engine.store import lanes
from engine.store.configurations import ANOTHER, Configurations, Entry
from engine.store.database import Database
from engine.store.migrate import migrate
from engine.store.schema import configurations, events, metadata, transactions
from engine.store.transactions import OpenTransaction, Transactions
from engine.vault import Vault, mask
from tests.null_world import LaneByLane, NullWorld, superfibre
from tests.unit.engine.conftest import Work


def test_the_migrations_make_the_tables_of_the_schema(world: NullWorld) -> None:
    with world.at.store.database.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []


def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/t.db")
    migrate(database)
    with database.write() as tx:
        tx.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(StoreError, match="9999"):
        migrate(database)
    database.close()


def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "t.db").mkdir()
    with closing(Database(f"sqlite:///{tmp_path}/t.db")) as database, pytest.raises(StoreError):
        migrate(database)


def test_an_unknown_order(world: NullWorld) -> None:
    with pytest.raises(UnknownOrder, match="PO-1"):
        world.at.store.tree("PO-1")


# -- lanes -------------------------------------------------------------------------------------------------------------


def _lane(world: NullWorld) -> None:
    with world.at.store.database.write() as tx:
        world.at.store.ensure_lanes(tx, ["OLT"])
        world.at.store.ensure_lanes(tx, ["OLT"])


def test_only_one_works_a_lane_until_its_lease_is_over(world: NullWorld) -> None:
    _lane(world)
    with world.at.store.database.write() as tx:
        first = lanes.take(tx, "OLT", "a", now=100, seconds=60)
        assert first is not None
        assert lanes.take(tx, "OLT", "b", now=159, seconds=60) is None
        second = lanes.take(tx, "OLT", "b", now=161, seconds=60)
    assert second is not None
    assert second.fence == first.fence + 1


def test_who_lost_the_lane_writes_nothing(world: NullWorld) -> None:
    _lane(world)
    with world.at.store.database.write() as tx:
        first = lanes.take(tx, "OLT", "a", now=0, seconds=1)
        assert first is not None
        lanes.take(tx, "OLT", "b", now=2, seconds=1)

    def write_late(lease: lanes.Lease) -> None:
        with world.at.store.database.write() as tx:
            world.at.store.ensure_lanes(tx, ["written in the same transaction"])
            Holding(lease, 60, world.clock).keep(tx)

    with pytest.raises(LeaseLost):
        write_late(first)
    with world.at.store.database.read() as tx:
        assert tx.exec_driver_sql("select count(*) from lanes").scalar() == 1


def test_a_late_answer_of_a_dead_worker_is_refused(world: NullWorld, acceptance: Acceptance) -> None:
    """The first worker claims and stalls; its lease ends; a second does the step; the first one's result no longer counts."""
    order = acceptance.submit(superfibre(1)).id
    first, second = LaneByLane(world.at), LaneByLane(world.at)
    batch = first._take("orders")
    assert batch is not None
    world.clock.skipped += world.at.settings.lease + 1
    assert second.drain("orders") == 1  # the product order, and with it the service order
    with pytest.raises(LeaseLost):
        first._carry_out(batch, last=True)
    assert not batch.holding.outlasts(0)
    tree = world.at.store.tree(order)
    assert len(tree.orders) == 3
    assert tree.steps[f"{order}/decompose"].attempt == 2


def test_what_a_dead_worker_left_running_is_done_again(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    order = acceptance.submit(superfibre(1)).id
    with world.at.store.unit() as unit:
        tree = unit.trees([order])[order]
        tree.claim(tree.steps[f"{order}/decompose"], world.clock.now())
    assert work(order).root.state.final


# -- applied configuration ---------------------------------------------------------------------------------------------


def test_what_others_state_costs_only_the_own_fragment(sqlite_world: NullWorld) -> None:
    """One look per path: that 500 other services state the same path on the device does not count."""
    world = sqlite_world
    found = Configurations(world.at.store)
    with world.at.store.database.write() as tx:
        target = found.target_id(tx, "OLT", "bbf-olt")
        many = {Entry(f"SI-{n}", Fragment("OLT", f"SI-{n}", str(n))): [Node(f"/own/{n}", "x"), Node("/shared", "x")] for n in range(500)}
        found.apply(tx, target, None, many)
        statements: list[str] = []
        sa.event.listen(tx, "before_cursor_execute", lambda *args: statements.append(args[2]))
        read: list[int] = []
        tx.connection.dbapi_connection.set_progress_handler(lambda: read.append(1), 10)  # type: ignore[union-attr]
        others = found.others(tx, "OLT", ["SI-3"], [Node("/shared", "x"), Node("/own/3", "x"), Node("/own/4", "y"), Node("/new", "")])
    assert others == {"/shared": frozenset({"x"}), "/own/4": frozenset({ANOTHER})}
    assert len(statements) == 3
    assert len(read) < 100  # steps of SQLite's machine, in tens: reading 500 holders would take thousands


def test_applied_fragments_are_replaced_with_their_index(world: NullWorld) -> None:
    found = Configurations(world.at.store)
    with world.at.store.database.write() as tx:
        target = found.target_id(tx, "OLT", "bbf-olt")
        assert found.target_id(tx, "OLT", "bbf-olt") == target
        found.apply(tx, target, None, {Entry("k", Fragment("OLT", "k", "old")): [Node("/a", "1")]})
        found.apply(tx, target, None, {Entry("k", Fragment("OLT", "k", "new")): [Node("/b", "2")]})
        assert found.applied(tx, "OLT", ["k", "none"]) == {"k": Fragment("OLT", "k", "new")}
        assert found.others(tx, "OLT", [], [Node("/a", "1"), Node("/b", "2")]) == {"/b": frozenset({"2"})}


def test_what_many_share_is_written_when_it_changes(world: NullWorld) -> None:
    found, told = Configurations(world.at.store), [Node("/a", "1")]
    shared, own = Entry("shared", Fragment("OLT", "shared", "a")), Entry("own", Fragment("OLT", "own", "b"), ("shared",), "PO-1")
    written = sa.select(configurations.c.key, configurations.c.transaction).order_by(configurations.c.key)
    with world.at.store.database.write() as tx:
        target = found.target_id(tx, "OLT", "bbf-olt")
        found.apply(tx, target, "t1", {shared: told, own: []})
        found.apply(tx, target, "t2", {shared: told, own: []})
        assert tx.execute(written).all() == [("own", "t2"), ("shared", "t1")]
        found.apply(tx, target, "t3", {replace(shared, fragment=Fragment("OLT", "shared", "c")): [Node("/a", "2")]})
        assert tx.execute(written).all() == [("own", "t2"), ("shared", "t3")]
        assert found.others(tx, "OLT", [], [Node("/a", "2")]) == {"/a": frozenset({"2"})}


def test_a_transaction_left_open_is_asked_for_before_the_next_push(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    """The process died after the commit and before it was recorded: the device is asked, and nothing is sent twice."""
    order = acceptance.submit(superfibre(1)).id
    found = Transactions(world.at.store)
    pushed = {}

    def die(push: Push) -> None:
        if push.target == "OLT-EAST-07" and not pushed:
            pushed[push.transaction] = push
            world.targets.fail = lambda _: None
            world.targets.push(push)
            raise KeyboardInterrupt

    world.targets.fail = die  # type: ignore[assignment]
    worker = LaneByLane(world.at)
    worker.drain("orders")
    worker.drain("netbox/EAST-07")
    with pytest.raises(KeyboardInterrupt):
        worker.drain("OLT-EAST-07")
    with world.at.store.database.read() as tx:
        assert [t.id for t in found.unresolved(tx, "OLT-EAST-07")] == list(pushed)
    with world.at.store.database.write() as tx:
        lanes.free_all(tx)
    tree = work(order)
    assert tree.root.state == "completed"
    assert [push.transaction for push in world.targets.pushes if push.target == "OLT-EAST-07"] == [*pushed, *pushed]
    with world.at.store.database.read() as tx:
        assert tx.execute(sa.select(transactions.c.state).where(transactions.c.target == "OLT-EAST-07")).scalars().all() == ["confirmed"]


def test_transactions_are_sealed(world: NullWorld) -> None:
    found = Transactions(world.at.store)
    change = Change("psk open-sesame", "no psk open-sesame")
    with world.at.store.database.write() as tx:
        found.open(tx, OpenTransaction("t1", "ACS-01", change, (Entry("k", Fragment("ACS-01", "k", "open-sesame")),)), 1, [(1, "PO-1")])
        raw = repr(tx.exec_driver_sql("select * from transactions").all())
        assert "open-sesame" not in raw
        assert found.unresolved(tx, "ACS-01")[0].change == change


def test_events_are_numbered_in_the_order_in_which_they_happened(world: NullWorld, acceptance: Acceptance, work: Work) -> None:
    for n in range(3):
        work(acceptance.submit(superfibre(n)).id)
    with world.at.store.database.read() as tx:
        numbers = tx.execute(sa.select(events.c.number).order_by(events.c.number)).scalars().all()
    assert list(numbers) == list(range(1, len(numbers) + 1))


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_another_key_does_not_open(tmp_path: Path) -> None:
    sealed = Vault.from_file(tmp_path / "a").seal("secret")
    assert Vault.from_file(tmp_path / "a").open(sealed) == "secret"
    with pytest.raises(SettingsInvalid, match="another key"):
        Vault.from_file(tmp_path / "b").open(sealed)
    assert (tmp_path / "a").stat().st_mode & 0o077 == 0


def test_a_key_that_is_none() -> None:
    with pytest.raises(SettingsInvalid):
        Vault(b"short")


@given(st.lists(st.text(min_size=1)), st.text())
def test_no_secret_remains(hidden: list[str], text: str) -> None:
    alphabet = {secret for secret in hidden if not set(secret) & set("•")}
    shown = mask(text + "".join(alphabet), alphabet)
    assert not [secret for secret in alphabet if secret in shown]
