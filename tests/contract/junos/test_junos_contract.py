"""What we rely on of a Junos router and of NAPALM's stock driver (napalm 5.2, junos-eznc 2.8)."""

from collections.abc import Callable
from typing import Any

import pytest
from jnpr.junos.exception import CommitError
from lxml import etree
from napalm.base.exceptions import LockError, MergeConfigException

from tests.junos_router import Router

SHARED = """
set firewall policer CONTRACT-UP if-exceeding bandwidth-limit 50m
set firewall policer CONTRACT-UP if-exceeding burst-size-limit 625k
set firewall policer CONTRACT-UP then discard
set class-of-service traffic-control-profiles CONTRACT-DOWN shaping-rate 200m
"""
UNIT = """
set interfaces {interface} unit 3990 description "CONTRACT 3/12/1"
set interfaces {interface} unit 3990 vlan-id 3990
set interfaces {interface} unit 3990 family inet policer input CONTRACT-UP
set class-of-service interfaces {interface} unit 3990 output-traffic-control-profile CONTRACT-DOWN
"""


@pytest.fixture
def unit(router: Router) -> str:
    return UNIT.format(interface=router.interface).strip()


def load(driver: Any, config: str) -> str:
    """Stage a change and return what it changes."""
    driver.load_merge_candidate(config=config.strip())
    difference: str = driver.compare_config()
    return difference


def committed(driver: Any) -> list[str]:
    lines: list[str] = driver.get_config(retrieve="running", format="set")["running"].split("\n")
    return [line for line in lines if "CONTRACT" in line or " unit 399" in line]


def test_facts(driver: Any) -> None:
    facts = driver.get_facts()
    assert facts["vendor"] == "Juniper"
    assert facts["os_version"] not in ("", "None")
    assert facts["hostname"] not in ("", "None")
    assert driver.is_alive() == {"is_alive": True}


def test_merge_compare_commit_and_again(driver: Any, router: Router, unit: str) -> None:
    difference = load(driver, SHARED + unit)
    assert f"[edit interfaces {router.interface}]" in difference
    assert "+   unit 3990 {" in difference
    assert "vlan-id 3990;" in difference
    assert committed(driver) == []
    driver.commit_config(message="contract")
    assert set((SHARED.strip() + "\n" + unit).splitlines()) == set(committed(driver))
    assert load(driver, SHARED + unit) == ""
    driver.discard_config()


def test_discard(driver: Any, unit: str) -> None:
    assert load(driver, SHARED + unit)
    driver.discard_config()
    assert driver.compare_config() == ""
    assert committed(driver) == []


def test_deletes_and_rollback(driver: Any, router: Router, unit: str) -> None:
    load(driver, SHARED + unit)
    driver.commit_config()
    before = committed(driver)
    difference = load(
        driver, f"delete class-of-service interfaces {router.interface} unit 3990\ndelete interfaces {router.interface} unit 3990"
    )
    assert "-   unit 3990 {" in difference
    driver.commit_config()
    assert len(committed(driver)) == 4
    driver.rollback()
    assert sorted(committed(driver)) == sorted(before)


def test_deleting_what_is_not_there_is_a_warning(connect: Callable[..., Any], router: Router) -> None:
    """It makes NAPALM raise unless it is told to ignore just that."""
    line = f"delete interfaces {router.interface} unit 3991"
    strict = connect(ignore_warning=False)
    with pytest.raises(MergeConfigException, match="statement not found"):
        strict.load_merge_candidate(config=line)
    assert load(connect(), line) == ""


@pytest.mark.parametrize("line", ["set system frobnicate 1", "set interfaces {interface} unit 3990 vlan-id 4095"])
def test_a_load_that_fails_leaves_lock_and_candidate_clean(connect: Callable[..., Any], router: Router, line: str) -> None:
    driver, other = connect(), connect()
    with pytest.raises(MergeConfigException):
        driver.load_merge_candidate(config=line.format(interface=router.interface))
    assert load(other, SHARED) != ""
    other.discard_config()


def test_a_commit_that_fails_keeps_lock_and_candidate(connect: Callable[..., Any], unit: str) -> None:
    """The trap: the next configure on that connection would commit the refused lines too. discard_config ends it."""
    driver, other = connect(), connect()
    load(driver, unit)
    with pytest.raises(CommitError, match="CONTRACT-UP") as failure:
        driver.commit_config()
    assert "configuration check-out failed" in str(failure.value)
    with pytest.raises(LockError):
        other.load_merge_candidate(config=SHARED.strip())
    driver.discard_config()
    assert load(other, SHARED)
    other.discard_config()
    assert committed(driver) == []


def test_a_lock_names_its_session(connect: Callable[..., Any]) -> None:
    driver, other = connect(), connect()
    load(driver, SHARED)
    with pytest.raises(LockError) as failure:
        other.load_merge_candidate(config=SHARED.strip())
    assert "configuration database locked by" in str(failure.value)
    assert f"pid {driver.device._conn.session_id}" in str(failure.value)
    driver.discard_config()


def test_a_confirmed_commit(driver: Any, unit: str) -> None:
    load(driver, SHARED + unit)
    driver.commit_config(revert_in=120, message="T-17")
    assert driver.has_pending_commit()
    (remaining,) = driver._get_pending_commits().values()
    assert 0 < remaining <= 120
    driver.confirm_commit()
    assert not driver.has_pending_commit()
    assert committed(driver)


def test_the_log_tells_whose_commit_it_was(driver: Any) -> None:
    load(driver, SHARED)
    driver.commit_config(revert_in=60, message="T-18")
    newest = driver.device.rpc.get_commit_information().find(".//commit-history")
    assert newest.findtext("log") == "T-18"
    assert "rollback in 1mins" in newest.findtext("comment")
    driver.rollback()  # also a commit: it confirms
    assert not driver.has_pending_commit()


def test_xml(driver: Any, router: Router) -> None:
    load(driver, SHARED)
    driver.commit_config()
    unit = (
        "<unit{}><name>3990</name><vlan-id>3990</vlan-id><family><inet><policer><input>CONTRACT-UP</input></policer></inet></family></unit>"
    )

    def configuration(mark: str = "") -> str:
        interface = f"<interface><name>{router.interface}</name>{unit.format(mark)}</interface>"
        return f"<configuration><interfaces>{interface}</interfaces></configuration>"

    assert "vlan-id 3990;" in load(driver, configuration())
    driver.commit_config()
    assert load(driver, configuration()) == ""
    driver.discard_config()
    assert "-   unit 3990 {" in load(driver, configuration(' delete="delete"'))
    driver.commit_config()
    assert len(committed(driver)) == 4


def test_a_namespace_on_configuration_is_an_error(driver: Any) -> None:
    """PyEZ does not recognise it, wraps it in another <configuration>, and the router refuses."""
    document = '<configuration xmlns="http://yang.juniper.net/junos/conf/root"><system><host-name>x</host-name></system></configuration>'
    with pytest.raises(MergeConfigException):
        driver.load_merge_candidate(config=document)


def test_text(driver: Any, router: Router) -> None:
    config = f'interfaces {{\n  {router.interface} {{\n    unit 3990 {{\n      description "a b";\n      vlan-id 3990;\n    }}\n  }}\n}}'
    assert 'description "a b";' in load(driver, config)
    driver.discard_config()


def test_reading_a_part(driver: Any, router: Router, unit: str) -> None:
    load(driver, SHARED + unit)
    driver.commit_config()
    wanted = etree.fromstring(
        f"<configuration><interfaces><interface><name>{router.interface}</name><unit><name>3990</name></unit></interface></interfaces></configuration>"
    )
    found = driver.device.rpc.get_config(filter_xml=wanted, options={"database": "committed"})
    assert [name.text for name in found.iter("vlan-id")] == ["3990"]
    assert found.find("firewall") is None
