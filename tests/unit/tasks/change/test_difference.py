"""The rule of what is created, deleted and changed beside others."""

from __future__ import annotations

import pytest

from engine.errors import ChangeConflict, TargetUnknown
from tasks.change import FORMATS, for_platform
from tasks.change.difference import difference, union
from tasks.change.masking import digest, guarded, is_secret

NOBODY: dict[str, frozenset[str]] = {}


def test_alone_on_the_device() -> None:
    todo = difference({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}, NOBODY)
    assert (todo.created, todo.changed, todo.deleted) == ({"d": "1"}, {"b": ("1", "2")}, {"c": "1"})


def test_the_reverse_is_the_difference_read_backwards() -> None:
    applied, wanted = {"a": "1", "b": "1"}, {"b": "2", "c": "1"}
    assert difference(applied, wanted, NOBODY).reverse() == difference(wanted, applied, NOBODY)


def test_what_others_state_is_left_alone() -> None:
    assert not difference({"a": "1"}, {"b": "1"}, {"a": frozenset({"1"}), "b": frozenset({"1"})})


def test_another_value_than_others_state_is_refused_only_when_it_would_be_sent() -> None:
    theirs = {"a": frozenset({"2"})}
    with pytest.raises(ChangeConflict, match="a: wanted 1, but somebody else states 2"):
        difference({}, {"a": "1"}, theirs)
    with pytest.raises(ChangeConflict):
        difference({"a": "2"}, {"a": "1"}, theirs)
    assert not difference({"a": "1"}, {"a": "1"}, theirs)


def test_a_union_that_contradicts_itself_is_refused() -> None:
    assert union([{"a": "1"}, {"b": ""}, {"a": "1"}]) == {"a": "1", "b": ""}
    with pytest.raises(ChangeConflict):
        union([{"a": "1"}, {"a": ""}])


def test_every_platform_has_a_format_and_another_is_named_as_unknown() -> None:
    assert {form.extension for form in FORMATS.values()} == {"xml", "set", "json"}
    with pytest.raises(TargetUnknown, match="'ios'; known are bbf-olt"):
        for_platform("ios")


@pytest.mark.parametrize(
    "name", ["password", "KeyPassphrase", "shared-secret", "wpa3Key", "psk", "Cleartext-Password", "authentication-key"]
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)
    assert guarded(name, "/p", "hunter2") == digest("/p", "hunter2")


@pytest.mark.parametrize("name", ["description", "vlan-id", "ssid", "key-id", "serial", "authentication-key-chain"])
def test_names_of_what_is_no_secret(name: str) -> None:
    assert guarded(name, "/p", "x") == "x"
