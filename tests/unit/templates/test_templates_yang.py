"""What the OLT and the access switch are given is valid by the YANG modules on top of their day-0, and is what the examples say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from lxml import etree

from engine.ports import Node
from lab.netconf import day0
from lab.netconf.datastore import Datastore
from lab.netconf.errors import RpcFailed
from lab.netconf.schema import load_schema
from lab.netconf.store import Store
from lab.netconf.yang import Yang
from tasks.change import for_platform


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Datastore]:
    schema = load_schema()
    store = Store(tmp_path_factory.mktemp("device"))
    yield Datastore(schema, Yang(schema), store)
    store.close()


def config(start: etree._Element, *fragments: str) -> etree._Element:
    for fragment in fragments:
        start.extend(etree.fromstring(f"<config>{fragment}</config>"))
    return start


def statements(*fragments: str) -> set[Node]:
    return {node for fragment in fragments for node in for_platform("bbf-olt").nodes(fragment)}


def of(order: SimpleNamespace, platform: str, *templates: str) -> list[str]:
    return [order.text(platform, template) for template in templates]


BEARER = ("gpon-bearer",)
QOS = ("traffic-descriptor", "qos-policy", "qos-profile")
T_CONT = "traffic-descriptor-profile-ref"
"""The one thing that the example's bearer says and ours leaves to the QoS profile: a speed is not the bearer's."""


@pytest.mark.parametrize(
    "templates",
    [BEARER, (*BEARER, "vlan-service"), (*BEARER, *QOS), (*BEARER, "vlan-service", *QOS)],
    ids=["bearer", "bearer+vlan", "bearer+qos", "all"],
)
@pytest.mark.parametrize("which", ["first", "second"])
def test_the_olt_s_configuration_is_valid_after_each_item(
    device: Datastore, orders: SimpleNamespace, which: str, templates: tuple[str, ...]
) -> None:
    device.validate_config(config(day0.olt("OLT-EAST-07"), *of(getattr(orders, which), "bbf-olt", *templates)))


def test_two_customers_fit_on_one_olt(device: Datastore, orders: SimpleNamespace) -> None:
    both = [text for order in (orders.first, orders.second) for platform, _, text in order.fragments() if platform == "bbf-olt"]
    device.validate_config(config(day0.olt("OLT-EAST-07"), *both))


def test_the_access_switch_s_configuration_is_valid(device: Datastore, orders: SimpleNamespace) -> None:
    both = [order.text("bbf-switch", "vlan-service") for order in (orders.first, orders.second)]
    device.validate_config(config(day0.switch("ASW-EAST-07"), *both))


def test_a_dangling_reference_would_be_seen(device: Datastore, orders: SimpleNamespace) -> None:
    """The validation of the other tests can fail: a profile without its policy is refused."""
    with pytest.raises(RpcFailed):
        device.validate_config(config(day0.olt("OLT-EAST-07"), *of(orders.first, "bbf-olt", *BEARER, "vlan-service", "qos-profile")))


@pytest.mark.parametrize(
    ("template", "file"),
    [("gpon-bearer", "10-roi001-gpon-bearer.data.xml"), ("vlan-service", "20-roi002-vlan-1042.data.xml")],
)
def test_bearer_and_vlan_say_what_the_validated_examples_say(
    orders: SimpleNamespace, example: Callable[[str], str], template: str, file: str
) -> None:
    assert statements(orders.first.text("bbf-olt", template)) == {node for node in statements(example(file)) if T_CONT not in node.path}


def test_qos_says_what_the_example_says_and_states_the_sub_interface_it_polices(
    orders: SimpleNamespace, example: Callable[[str], str]
) -> None:
    given, wanted = statements(orders.first.text("bbf-olt", "qos-profile")), statements(example("30-roi004-qos-200-50.data.xml"))
    assert wanted < given
    t_cont = {node for node in statements(example("10-roi001-gpon-bearer.data.xml")) if T_CONT in node.path}
    others = statements(*of(orders.first, "bbf-olt", "vlan-service", "gpon-bearer"))
    assert t_cont <= given
    assert given - wanted - t_cont < others


def test_policy_and_traffic_descriptor_say_what_the_example_s_baseline_says(orders: SimpleNamespace, example: Callable[[str], str]) -> None:
    baseline = statements(example("00-olt-baseline.data.xml"))
    assert statements(*of(orders.first, "bbf-olt", "qos-policy", "traffic-descriptor")) < baseline


def test_the_traffic_descriptor_of_50_mbit_is_the_one_of_day_0(orders: SimpleNamespace) -> None:
    """So the first order adds nothing to it, and the last one that goes does not take it away."""
    start = "".join(etree.tostring(element, encoding="unicode") for element in day0.olt("OLT-EAST-07"))
    assert statements(orders.first.text("bbf-olt", "traffic-descriptor")) < statements(start)


def test_fragments_of_one_service_agree_where_they_state_the_same(orders: SimpleNamespace) -> None:
    values: dict[str, str] = {}
    for platform, _, text in orders.first.fragments():
        if platform in ("bbf-olt", "bbf-switch", "junos"):
            for node in for_platform(platform).nodes(text):
                assert values.setdefault(f"{platform} {node.path}", node.value) == node.value
