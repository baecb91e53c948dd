"""Whatever is reserved, asked again, released and lost in whatever order: no resource ever has two holders, and none is lost.

The machine plays several processes (adapters that know nothing of each other) on one NetBox over real sockets, and compares it with
a model: who holds what.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from engine.errors import InventoryUnreachable
from engine.ports import Allocation, Mark, Shortage
from inventory.adapter import NetBoxResources
from tests.seeded_netbox import QUICK, SeededNetBox, Templates, line, seeded_netbox

ORDERS = st.integers(1, 8)
"""More orders than the five free ports."""
PROCESSES = st.integers(0, 2)


@pytest.fixture(scope="module")
def netbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededNetBox]:
    folder = tmp_path_factory.mktemp("property")
    with seeded_netbox(Templates(folder / "templates").get("4.6"), Path(folder / "lab")) as running:
        yield running


class Claims(RuleBasedStateMachine):
    netbox: SeededNetBox

    @initialize()
    def start(self) -> None:
        self.closing = ExitStack()
        wipe(self.netbox)  # a failed example may have left something
        self.processes = [NetBoxResources(self.netbox.url, self.netbox.token, patience=QUICK) for _ in range(3)]
        for process in self.processes:
            self.closing.callback(process.close)
        self.held: dict[Mark, Allocation] = {}
        self.uncertain: set[int] = set()
        """Orders whose last attempt got no answer."""

    @rule(process=PROCESSES, number=ORDERS)
    def reserve(self, process: int, number: int) -> None:
        self._take(process, [number])

    @rule(process=PROCESSES, numbers=st.lists(ORDERS, min_size=2, max_size=5, unique=True))
    def reserve_a_batch(self, process: int, numbers: list[int]) -> None:
        self._take(process, numbers)

    @rule(
        process=PROCESSES, number=ORDERS, on=st.sampled_from(["interfaces/", "available-vlans/", "available-ips/", "available-prefixes/"])
    )
    def lose_the_answer(self, process: int, number: int, on: str) -> None:
        """A write takes effect and nobody is told."""
        self.netbox.remote.fail(f"POST */{on}", "drop", when="after")
        try:
            self._take(process, [number])
        except InventoryUnreachable:
            self.uncertain.add(number)
        self.netbox.remote.heal()

    @precondition(lambda self: self.held)
    @rule(process=PROCESSES, data=st.data())
    def release(self, process: int, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(sorted({mark.order for mark in self.held})))
        given = [allocation for mark, allocation in self.held.items() if mark.order == order]
        self.processes[process].release(given)
        for allocation in given:
            del self.held[allocation.mark]

    def _take(self, process: int, numbers: list[int]) -> None:
        needs = [need for number in numbers for need in line(number)]
        again = bool(self.uncertain & set(numbers)) or any(need.mark in self.held for need in needs)
        results = self.processes[process].reserve(needs, again=again)
        self.uncertain -= set(numbers)
        for mark, found in results.items():
            if isinstance(found, Shortage):
                assert mark not in self.held, "what is held is found again"
                assert found.pool == "olt-port:EAST-07"
            else:
                assert self.held.get(mark, found) == found, "asking again gives the same"
                self.held[mark] = found

    @invariant()
    def nothing_has_two_holders(self) -> None:
        things = [(found.kind, found.attributes.get("vid"), _identity(found)) for found in self.held.values()]
        assert len(things) == len(set(things))
        ports = {mark.order for mark in self.held if mark.name == "port"}
        assert len(ports) <= 5
        assert {mark.order for mark in self.held if mark.name in ("vlan", "ipv4", "ipv6")} == ports

    @invariant()
    def netbox_has_what_is_held_and_nothing_else(self) -> None:
        certain = sorted(mark for _, mark in self.netbox.marked() if int(mark.split("/")[0][-5:]) not in self.uncertain)
        assert certain == sorted(str(mark) for mark in self.held if int(mark.order[-5:]) not in self.uncertain)

    def teardown(self) -> None:
        if not hasattr(self, "closing"):
            return
        self.netbox.remote.heal()
        last = self.processes[0]
        for number in sorted(self.uncertain):
            found = last.reserve(line(number), again=True)
            self.held.update({mark: one for mark, one in found.items() if isinstance(one, Allocation)})
        last.release(list(self.held.values()))
        assert self.netbox.marked() == []
        self.closing.close()


def wipe(netbox: SeededNetBox) -> None:
    """Take away what orders hold, whoever knows of it."""
    netbox.remote.heal()
    client, state = netbox.client(), netbox.remote.state()
    for model, path in (
        ("ipam.prefix", "ipam/prefixes"),
        ("ipam.ipaddress", "ipam/ip-addresses"),
        ("ipam.vlan", "ipam/vlans"),
        ("dcim.interface", "dcim/interfaces"),
    ):
        client.delete(path, {row["id"]: "" for row in state[model] if row["custom_fields"].get("order_item")})


def _identity(found: Allocation) -> str:
    given = found.attributes
    return str(given.get("onu_slug") or given.get("serial") or given.get("address") or given.get("prefix"))


def test_never_two_holders(netbox: SeededNetBox) -> None:
    Claims.netbox = netbox
    run_state_machine_as_test(
        Claims,
        settings=settings(max_examples=15, stateful_step_count=12, suppress_health_check=list(HealthCheck), print_blob=False),
    )
