"""What targets are asked: was the parcel delivered, has the router called, is it online?"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pushes
import pytest
from document_changes import change, parcel, parcel_back, put
from lab_targets import Target
from nornir.core.inventory import Host

from engine.ports import Answer, Look, Question, TransactionState
from tasks.kinds import for_platform

System = Callable[[str], Target]
Opened = Callable[[Host], Host]


def asked(target: Target, host: Host, until: str, **arguments: str) -> Answer:
    question = Question(7, target.name, until, arguments)
    return for_platform(target.platform).ask([question], host)[7]


def eventually(look: Callable[[], Answer], seconds: float = 20.0) -> Answer:
    patience = threading.Event()
    for _ in range(int(seconds * 20)):
        answer = look()
        if answer.look is Look.DONE:
            return answer
        patience.wait(0.05)
    pytest.fail(f"still {answer}")


class TestDelivered:
    def test_not_yet_then_when_and_under_which_tracking_code(self, system: System, opened: Opened) -> None:
        target = system("logistics")
        host = opened(target.host())
        line = change(put(*parcel("RO-91/ROI-7", "HWT-91", hours=0.05)))
        outcome = for_platform(target.platform).push(pushes.push_of(target.name, line), host)
        assert outcome.state is TransactionState.CONFIRMED
        answer = eventually(lambda: asked(target, host, "delivered", order="RO-91/ROI-7"))
        assert answer.awaits == "delivered:RO-91/ROI-7"
        assert answer.learned["tracking_code"] in answer.evidence
        assert answer.learned["delivered_at"].startswith("2024-03-")
        assert answer.trouble is None

    def test_on_the_road(self, system: System, opened: Opened) -> None:
        target = system("logistics")
        host = opened(target.host())
        line = change(put(*parcel("RO-92/ROI-7", "HWT-92", hours=9000)))
        outcome = for_platform(target.platform).push(pushes.push_of(target.name, line), host)
        assert (outcome.state, outcome.trouble) == (TransactionState.CONFIRMED, None)
        answer = asked(target, host, "delivered", order="RO-92/ROI-7")
        assert (answer.look, answer.awaits, answer.trouble) == (Look.NOT_YET, "delivered:RO-92/ROI-7", None)

    def test_a_parcel_that_is_not_on_the_books_is_a_trouble(self, system: System, opened: Opened) -> None:
        target = system("logistics")
        answer = asked(target, opened(target.host()), "delivered", order="RO-93/ROI-7")
        assert (answer.look, answer.trouble.code if answer.trouble else None) == (Look.NOT_YET, "TARGET_REFUSED")

    def test_nobody_answers(self, system: System, opened: Opened) -> None:
        target = system("logistics")
        answer = asked(target, opened(target.host(urls={"": "http://127.0.0.1:9"})), "delivered", order="RO-94/ROI-7")
        assert (answer.look, answer.trouble.code if answer.trouble else None) == (Look.NOT_YET, "TARGET_UNREACHABLE")
        assert answer.awaits == "delivered:RO-94/ROI-7"


class TestReturned:
    def test_a_recalled_parcel_and_when_it_was_back(self, system: System, opened: Opened) -> None:
        target, key = system("logistics"), "RO-191/ROI-7"
        host = opened(target.host())
        line = change(put(*parcel(key, "HWT-191", 9000, hoursUntilShipped=0, hoursUntilReturned=1)))
        before = asked(target, host, "returned", order=key)
        assert before.trouble is not None, "there is no such parcel"
        kind = for_platform(target.platform)
        assert kind.push(pushes.push_of(target.name, line), host).state is TransactionState.CONFIRMED
        assert asked(target, host, "returned", order=key).look is Look.NOT_YET
        assert kind.push(pushes.push_of(target.name, pushes.undone(line)), host).state is TransactionState.CONFIRMED
        answer = eventually(lambda: asked(target, host, "returned", order=key))
        assert (answer.awaits, answer.trouble) == (f"returned:{key}", None)
        assert answer.learned["returned_at"].startswith("2024-")
        delivered = asked(target, host, "delivered", order=key)
        assert (delivered.look, delivered.trouble.code if delivered.trouble else None) == (Look.NOT_YET, "TARGET_REFUSED")

    def test_a_parcel_that_never_left(self, system: System, opened: Opened) -> None:
        target, key = system("logistics"), "RO-192/ROI-7"
        host, line = opened(target.host()), change(put(*parcel(key, "HWT-192", 9000, hoursUntilShipped=9000)))
        for each in (line, pushes.undone(line)):
            outcome = for_platform(target.platform).push(pushes.push_of(target.name, each), host)
            assert outcome.state is TransactionState.CONFIRMED
        answer = asked(target, host, "returned", order=key)
        assert (answer.look, answer.trouble) == (Look.DONE, None)
        assert "never left the warehouse" in answer.evidence

    def test_what_the_customer_sends_back(self, system: System, opened: Opened) -> None:
        target, key = system("logistics"), "RO-193/ROI-7/return"
        host, line = opened(target.host()), change(put(*parcel_back(key, "HWT-193", hoursUntilHandedIn=0.5, hoursUntilReturned=1)))
        assert for_platform(target.platform).push(pushes.push_of(target.name, line), host).state is TransactionState.CONFIRMED
        answer = eventually(lambda: asked(target, host, "returned", order=key))
        assert answer.awaits == f"returned:{key}"
        assert answer.evidence.startswith(f"parcel {answer.learned['tracking_code']} was returned at ")

    def test_a_delivered_parcel_is_back_when_its_return_is(self, system: System, opened: Opened) -> None:
        target, key = system("logistics"), "RO-195/ROI-7"
        host = opened(target.host())
        delivered = change(put(*parcel(key, "HWT-195", 0)))
        back = change(put(*parcel_back(f"{key}/return", "HWT-195", hoursUntilHandedIn=0, hoursUntilReturned=0)))
        for each in (delivered, back):
            assert for_platform(target.platform).push(pushes.push_of(target.name, each), host).state is TransactionState.CONFIRMED
        answer = eventually(lambda: asked(target, host, "returned", order=key))
        assert (answer.look, answer.awaits) == (Look.DONE, f"returned:{key}/return")

    def test_a_return_that_was_cancelled_is_a_trouble(self, system: System, opened: Opened) -> None:
        target, key = system("logistics"), "RO-194/ROI-7/return"
        host, line = opened(target.host()), change(put(*parcel_back(key, "HWT-194", hoursUntilHandedIn=None)))
        for each in (line, pushes.undone(line)):
            assert for_platform(target.platform).push(pushes.push_of(target.name, each), host).state is TransactionState.CONFIRMED
        answer = asked(target, host, "returned", order=key)
        assert (answer.look, answer.trouble.code if answer.trouble else None) == (Look.NOT_YET, "TARGET_REFUSED")


class TestInform:
    def test_not_yet_then_online_by_what_evidence(self, system: System, opened: Opened) -> None:
        target = system("acs")
        host = opened(target.host())
        before = asked(target, host, "inform", serial="HWT2340098")
        assert (before.look, before.awaits, before.trouble) == (Look.NOT_YET, "inform:HWT2340098", None)
        target.remote.post("/plug-in", {"serial": "HWT2340098", "mac": "48:57:54:34:00:98"})
        answer = eventually(lambda: asked(target, host, "inform", serial="HWT2340098"))
        assert answer.learned["acs_id"] == "00259E-HG8245H-HWT2340098"
        informed = answer.learned["last_inform"]
        assert informed in answer.evidence
        online = asked(target, host, "online", serial="HWT2340098")
        assert (online.look, online.learned["evidence"]) == (Look.DONE, "Inform")
        assert "lease and accounting not asked" in online.evidence
        assert online.learned["since"] <= informed
        later = asked(target, host, "inform", serial="HWT2340098", after="2999-01-01T00:00:00+11:00")
        assert later.look is Look.NOT_YET
        assert asked(target, host, "inform", serial="HWT2340098", after="2024-01-01T00:00:00+11:00").look is Look.DONE
        target.remote.post("/unplug", {"serial": "HWT2340098"})

    def test_not_found(self, system: System, opened: Opened) -> None:
        target = system("acs")
        target.remote.fail("GET /devices/*", "refuse", status=404)
        answer = asked(target, opened(target.host()), "inform", serial="HWT0000001")
        assert (answer.look, answer.trouble.code if answer.trouble else None) == (Look.NOT_YET, "TARGET_REFUSED")


@pytest.mark.parametrize("kind", ["kea", "radius", "acs", "cloudwifi", "logistics"])
def test_what_a_system_cannot_be_asked_for_is_a_trouble_and_no_waiting_for_ever(kind: str, system: System, opened: Opened) -> None:
    target = system(kind)
    answer = asked(target, opened(target.host()), "frobnicated")
    assert (answer.look, answer.trouble.code if answer.trouble else None) == (Look.NOT_YET, "TARGET_REFUSED")
    assert "frobnicated" in answer.evidence


def test_devices_cannot_be_waited_for(olt: Target, bng: Target) -> None:
    for target in (olt, bng):
        assert asked(target, target.host(), "inform", serial="X").trouble is not None
