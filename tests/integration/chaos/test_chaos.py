"""The short form of `make chaos`, and the proof that its checker would have found something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from ncclient import manager

from engine.failpoints import Failpoint
from engine.store import schema
from engine.store.database import Database
from tests.chaos.checker import Finding, Kind, check
from tests.chaos.observed import Row
from tests.integration.chaos.conftest import Ran

pytestmark = pytest.mark.timeout(240)


class TestShortRun:
    def test_nothing_is_lost_or_doubled_no_orphans_no_differences(self, ran: Ran) -> None:
        assert [f"{finding.kind}: {finding.what}" for finding in ran.report.findings] == []

    def test_orders_ended_and_workers_were_killed(self, ran: Ran) -> None:
        assert ran.report.completed + ran.report.cancelled + ran.report.held == len(ran.expected.orders) == 20
        assert ran.report.completed > ran.report.held
        assert ran.report.kills.total() == len(Failpoint) + 1
        assert len(set(ran.report.kills) - {"random"}) > len(Failpoint) // 2
        assert ran.report.faults > 5


def kinds(findings: list[Finding]) -> set[Kind]:
    return {finding.kind for finding in findings}


class TestCheckerFindsWhatWasPlanted:
    def test_an_orphan_resource(self, ran: Ran) -> None:
        with planted_in_netbox(ran, "ipam/vlans", {"vid": 4000, "name": "planted", "custom_fields": {"order_item": "RO-1/ROI-001/vlan"}}):
            assert kinds(check(ran.expected, ran.look())) == {Kind.ORPHAN}
        assert check(ran.expected, ran.look()) == []

    def test_a_resource_that_nobody_marked(self, ran: Ran) -> None:
        with planted_in_netbox(ran, "ipam/prefixes", {"prefix": "2001:db8:42:ffff::/64"}):
            assert kinds(check(ran.expected, ran.look())) == {Kind.ORPHAN}

    def test_a_resource_given_twice(self, ran: Ran) -> None:
        held = next(row for row in ran.seen.netbox["ipam/vlans"] if row["custom_fields"].get("order_item"))
        twice = {"vid": held["vid"], "name": "planted", "custom_fields": {"order_item": held["custom_fields"]["order_item"]}}
        with planted_in_netbox(ran, "ipam/vlans", twice):
            found = check(ran.expected, ran.look())
        assert Finding(Kind.DOUBLED, f"ipam/vlans for {held['custom_fields']['order_item']}: 2 times") in found

    def test_two_items_with_one_resource(self, ran: Ran) -> None:
        one, other = [row for row in ran.seen.tables["allocations"] if row["kind"] == "ipv4"][:2]
        rows = [{**row, "attributes": one["attributes"]} if row is other else row for row in ran.seen.tables["allocations"]]
        assert Kind.DOUBLED in kinds(check(ran.expected, replace(ran.seen, tables={**ran.seen.tables, "allocations": rows})))

    def test_orphan_configuration_on_a_device(self, ran: Ran) -> None:
        with planted_on_the_olt(ran):
            found = check(ran.expected, ran.look())
        assert kinds(found) == {Kind.ORPHAN}
        assert all("planted" in finding.what for finding in found)

    def test_a_document_that_is_gone(self, ran: Ran) -> None:
        for name, held in ran.seen.documents.items():
            documents = {**ran.seen.documents, name: held[1:]}
            assert Kind.DIFFERENCE in kinds(check(ran.expected, replace(ran.seen, documents=documents))), name

    def test_a_parcel_sent_twice(self, ran: Ran) -> None:
        key, body = ran.seen.documents["logistics"][0]
        again = [*ran.seen.documents["logistics"], (f"{key}-again", body)]
        found = check(ran.expected, replace(ran.seen, documents={**ran.seen.documents, "logistics": again}))
        assert Kind.DOUBLED in kinds(found)

    def test_a_statement_that_a_device_lost(self, ran: Ran) -> None:
        for name, held in ran.seen.devices.items():
            statement = sorted(ran.seen.applied[name])[0]
            lost = held.copy()
            del lost[statement]
            found = check(ran.expected, replace(ran.seen, devices={**ran.seen.devices, name: lost}))
            assert kinds(found) == {Kind.DIFFERENCE}, name

    def test_a_lost_event_in_the_table(self, ran: Ran) -> None:
        number = next(row["number"] for row in ran.seen.tables["events"] if row["type"] == "itemStateChange")
        with taken_from_the_table(ran, number):
            assert kinds(check(ran.expected, ran.look())) == {Kind.LOST}

    def test_any_lost_event_of_an_order(self, ran: Ran) -> None:
        for row in story(ran):
            without = [event for event in ran.seen.tables["events"] if event is not row]
            # one that is missing between two of a kind looks like one that is told twice
            assert kinds(check_events(ran, without)) & {Kind.LOST, Kind.DOUBLED}, row

    def test_any_event_that_is_told_twice(self, ran: Ran) -> None:
        for row in story(ran):
            again = [event for one in ran.seen.tables["events"] for event in ([one, one] if one is row else [one])]
            assert Kind.DOUBLED in kinds(check_events(ran, again)), row

    def test_an_event_out_of_order(self, ran: Ran) -> None:
        events = list(ran.seen.tables["events"])
        mine = [number for number, row in enumerate(events) if row["type"] == "itemStateChange" and row["root"] == completed(ran)]
        events[mine[0]], events[mine[-1]] = events[mine[-1]], events[mine[0]]
        assert Kind.LOST in kinds(check_events(ran, events))

    def test_an_order_that_is_gone(self, ran: Ran) -> None:
        rows = [row for row in ran.seen.tables["orders"] if row["root"] != completed(ran)]
        assert Kind.LOST in kinds(check(ran.expected, replace(ran.seen, tables={**ran.seen.tables, "orders": rows})))

    @pytest.mark.parametrize(("words", "told"), [("refused: injected", set()), ("refused: no such card", {Kind.LOST})])
    def test_an_order_that_stands_still_while_it_is_taken_back(self, ran: Ran, words: str, told: set[Kind]) -> None:
        """For what was injected it may, for nothing else."""
        root = completed(ran)
        rows = [{**row, "state": "pendingCancellation"} if row["root"] == root else row for row in ran.seen.tables["orders"]]
        held = {"state": "held", "trouble": {"message": words}}
        steps = [{**row, **held} if row["root"] == root and row["kind"] == "configure" else row for row in ran.seen.tables["steps"]]
        seen = replace(ran.seen, tables={**ran.seen.tables, "orders": rows, "steps": steps})
        found = check(replace(ran.expected, reasons={"injected"}, taken_back={root}), seen)
        said = (f"{root} is pendingCancellation: ", f"of {root} is held: ")
        assert {finding.kind for finding in found if any(each in finding.what for each in said)} == told


FOLLOWED = {"orderCreate", "orderStateChange", "itemStateChange", "serviceStateChange", "productStateChange", "allocation", "transaction"}


def completed(ran: Ran) -> str:
    """An order that has completed."""
    return str(next(row["id"] for row in ran.seen.tables["orders"] if row["level"] == "product" and row["state"] == "completed"))


def story(ran: Ran) -> list[Row]:
    """The events of one order that the checker follows, but those of transactions that were taken back."""
    mine = [row for row in ran.seen.tables["events"] if row["root"] == completed(ran) and row["type"] in FOLLOWED]
    return [row for row in mine if row["type"] != "transaction" or row["data"]["state"] == "confirmed"]


def check_events(ran: Ran, events: list[Row]) -> list[Finding]:
    """What is found when these are the events."""
    return check(ran.expected, replace(ran.seen, tables={**ran.seen.tables, "events": events}))


@contextmanager
def planted_in_netbox(ran: Ran, path: str, body: dict[str, Any]) -> Iterator[None]:
    """An object that no order holds."""
    headers = {"Authorization": f"Token {ran.world.lab.credentials.netbox_token}"}
    with httpx.Client(base_url=ran.world.lab.endpoints["netbox"].url or "", headers=headers, trust_env=False) as client:
        made = client.post(f"/api/{path}/", json=body)
        assert made.status_code == 201, made.text
        yield
        client.delete(f"/api/{path}/{made.json()['id']}/").raise_for_status()


_INTERFACE = """<nc:config xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">
<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"><interface nc:operation="{operation}"><name>planted</name>
<type xmlns:t="urn:ietf:params:xml:ns:yang:iana-if-type">t:ethernetCsmacd</type></interface></interfaces></nc:config>"""


@contextmanager
def planted_on_the_olt(ran: Ran) -> Iterator[None]:
    """Configuration that nobody applied."""
    name = "OLT-EAST-07"
    endpoint, login = ran.world.lab.endpoints[name], ran.world.lab.credentials.devices[name]
    keys = {"hostkey_verify": False, "look_for_keys": False, "allow_agent": False}
    with manager.connect(host=endpoint.host, port=endpoint.port, username=login.user, password=login.password, **keys) as session:
        session.edit_config(_INTERFACE.format(operation="create"), target="candidate")
        session.commit()
        yield
        session.edit_config(_INTERFACE.format(operation="delete"), target="candidate")
        session.commit()


@contextmanager
def taken_from_the_table(ran: Ran, number: int) -> Iterator[None]:
    """An event that is not there."""
    database, events = Database(ran.world.database), schema.events
    with database.write() as tx:
        row = dict(tx.execute(sa.select(events).where(events.c.number == number)).mappings().one())
        tx.execute(sa.delete(events).where(events.c.number == number))
    yield
    with database.write() as tx:
        tx.execute(sa.insert(events), [row])
    database.close()
