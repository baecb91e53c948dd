"""Transient or permanent: what the answers of each protocol are to us."""

from __future__ import annotations

import pytest

from engine.errors import ErrorClass, TargetDenied, TargetError, TargetLocked, TargetLost, TargetRefused, TargetUnreachable
from tasks.connections import http
from tasks.kinds import kea
from tasks.netconf.errors import MEANINGS, meaning

RFC_6241_APPENDIX_A = {
    *("in-use", "invalid-value", "too-big", "missing-attribute", "bad-attribute", "unknown-attribute", "missing-element", "bad-element"),
    *("unknown-element", "unknown-namespace", "access-denied", "lock-denied", "resource-denied", "rollback-failed", "data-exists"),
    *("data-missing", "operation-not-supported", "operation-failed", "partial-operation", "malformed-message"),
}


def test_every_error_tag_of_the_rfc_has_a_meaning() -> None:
    assert set(MEANINGS) == RFC_6241_APPENDIX_A


@pytest.mark.parametrize(
    ("tags", "error"),
    [
        ({"lock-denied"}, TargetLocked),
        ({"access-denied"}, TargetDenied),
        ({"bad-element", "lock-denied"}, TargetLocked),
        ({"rollback-failed", "operation-failed"}, TargetLost),
        ({"data-missing", "bad-element"}, TargetRefused),
        ({"vendor-says-no"}, TargetRefused),
        (set(), TargetRefused),
    ],
)
def test_of_several_error_tags(tags: set[str], error: type[TargetError]) -> None:
    assert meaning(tags) is error


def test_what_may_pass_is_told_from_what_will_not() -> None:
    classes = {error.error_class for error in {*MEANINGS.values(), *http.MEANINGS.values(), *kea.MEANINGS.values()} if error.may_retry}
    assert classes == {ErrorClass.LOCKED, ErrorClass.UNREACHABLE}
    assert not any(error.may_retry for error in (TargetRefused, TargetDenied))


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ({"result": 1, "text": "address 10.42.17.22 is taken"}, TargetRefused, "refused reservation-add (dhcp4): result 1: address"),
        ({"result": 2, "text": "'reservation-add' command not supported."}, TargetRefused, "result 2"),
        ({"result": 4}, TargetRefused, "result 4: without a word"),
        (
            {
                "result": 1,
                "text": "unable to forward command to the dhcp4 service: No such file or directory. The server is likely to be offline",
            },
            TargetUnreachable,
            "likely to be offline",
        ),
    ],
)
def test_kea(answer: dict[str, object], error: type[TargetError], words: str) -> None:
    found = kea.error_of("DHCP-EAST-01", "reservation-add (dhcp4)", answer)
    assert type(found) is error
    assert words in found.message
    assert ("libdhcp_host_cmds" in found.hint) is (answer["result"] == 2)
