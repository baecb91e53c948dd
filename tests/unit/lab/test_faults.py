"""The table of faults."""

import pytest
from pydantic import ValidationError

from lab.faults import Do, Fault, Faults, When


def test_a_fault_waits_for_its_operation_and_happens_as_often_as_it_was_asked_for() -> None:
    faults = Faults()
    faults.add(Fault(on="commit", do=Do.REFUSE, times=2))
    assert faults.take("lock") is None
    assert [fault.do if fault else None for fault in (faults.take("commit"), faults.take("commit"), faults.take("commit"))] == [
        Do.REFUSE,
        Do.REFUSE,
        None,
    ]
    assert not faults


def test_without_times_it_stays_until_it_is_removed() -> None:
    faults = Faults()
    number = faults.add(Fault(on="*", do=Do.HANG, times=None))
    assert all(faults.take("get") for _ in range(5))
    assert faults.remove(number)
    assert faults.take("get") is None
    assert not faults.remove(number)


def test_the_glob_goes_over_slashes_and_counts_case() -> None:
    faults = Faults()
    faults.add(Fault(on="POST /api/ipam/prefixes/*", do=Do.EXHAUST, times=None))
    assert faults.take("POST /api/ipam/prefixes/7/available-prefixes/")
    assert not faults.take("GET /api/ipam/prefixes/7/available-prefixes/")
    assert not faults.take("post /api/ipam/prefixes/7/")


def test_before_and_after_are_different_moments() -> None:
    faults = Faults()
    faults.add(Fault(on="commit", do=Do.DROP, when=When.AFTER))
    assert faults.take("commit") is None
    assert faults.take("commit", when=When.AFTER) is not None


def test_an_operation_with_two_names_meets_one_fault_at_a_time_in_the_order_given() -> None:
    faults = Faults()
    faults.add(Fault(on="reservation-add", do=Do.REFUSE))
    faults.add(Fault(on="POST /", do=Do.SLOW))
    names = ("POST /", "reservation-add")
    assert [fault.do for _ in range(2) if (fault := faults.take(*names))] == [Do.REFUSE, Do.SLOW]


@pytest.mark.parametrize("wrong", [{"on": ""}, {"do": "explode"}, {"times": 0}, {"seconds": -1}, {"status": 42}, {"more": 1}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate({"on": "get", "do": "refuse", **wrong})
