"""The external id is what an order is known by: the same body again is the same order, another body is refused."""

from __future__ import annotations

from tests.integration.failures.machine import Machine


def test_an_external_id_with_a_different_body(machine: Machine) -> None:
    playbook = machine.playbook(lambda order: order.update(requestedStartDate="2034-01-01T00:00:00+11:00"))
    accepted = machine("submit", playbook, "--json").document["order"]["id"]
    before = machine.holds()
    again = machine("submit", playbook, "--json")
    assert (again.code, again.document["order"]["id"], again.document["repeated"]) == (0, accepted, True)
    playbook.write_text(playbook.read_text("utf-8").replace("42 Fibre Lane", "43 Fibre Lane"), "utf-8")
    for command in ("submit", "run"):
        done = machine(command, playbook, "--json")
        assert (done.code, done.error["code"]) == (2, "DUPLICATE_ORDER")
        assert accepted in done.error["message"]
        assert "externalId" in done.error["remedy"]
    assert machine.holds() == before
    assert machine.orders().count(accepted) == 1
