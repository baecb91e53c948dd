"""NetBox' own document as the engine understands it."""

import pytest

from lab.netbox.models import MODELS
from lab.netbox.openapi import VERSIONS, Kind, OpenApi
from lab.netbox.tables import Registry


@pytest.fixture(scope="module", params=sorted(VERSIONS))
def registry(request: pytest.FixtureRequest) -> Registry:
    return Registry(OpenApi(request.param))


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(KeyError):
        OpenApi("3.7")


def test_every_model_is_in_the_document(registry: Registry) -> None:
    assert {resource.label for resource in registry} == {model.label for model in MODELS}
    assert all(resource.shown for resource in registry)


def test_choices_have_their_labels(registry: Registry) -> None:
    choices = registry.by_label["dcim.interface"].shown["type"].choices or {}
    assert choices["gpon"] == "GPON (2.5 Gbps / 1.25 Gbps)"
    assert choices["virtual"] == "Virtual"
    taken = registry.by_label["dcim.interface"].taken["type"].choices or {}
    assert choices.keys() == taken.keys()


def test_references_and_lists_are_told_apart(registry: Registry) -> None:
    interface = registry.by_label["dcim.interface"]
    assert interface.shown["device"].kind is Kind.REFERENCE
    assert interface.references["parent"] == "NestedInterface"
    assert interface.many["tagged_vlans"] == "VLAN"
    assert registry.by_label["ipam.vlangroup"].shown["vid_ranges"].kind is Kind.JSON
    assert registry.of_component("BriefDevice") is registry.of_component("NestedDevice") is registry.by_label["dcim.device"]


def test_what_is_required_and_what_may_be_null_is_read_from_it(registry: Registry) -> None:
    taken = registry.by_label["dcim.interface"].taken
    assert {name for name, field in taken.items() if field.required} == {"device", "name", "type"}
    assert taken["parent"].nullable
    assert not taken["device"].nullable
    assert taken["name"].max_length == 64


def test_filters_are_those_of_the_document(registry: Registry) -> None:
    filters = registry.by_label["dcim.interface"].endpoint.filters
    assert {"device_id", "name__ic", "parent_id", "type", "id__gt"} <= filters
    assert "parent" not in filters


def test_templates_of_the_supplement_resemble_what_they_make(registry: Registry) -> None:
    template, interface = registry.by_label["dcim.interfacetemplate"], registry.by_label["dcim.interface"]
    assert template.shown["type"].choices == interface.shown["type"].choices
    assert {"device_type_id", "module_type_id", "name__ic"} <= template.endpoint.filters
    assert "device_id" not in template.endpoint.filters


def test_4_6_has_what_4_4_has_not() -> None:
    old, new = Registry(OpenApi("4.4")), Registry(OpenApi("4.6"))
    assert "enabled" in new.by_label["dcim.modulebay"].shown
    assert "enabled" not in old.by_label["dcim.modulebay"].shown
    assert "start" in new.by_label["dcim.interface"].endpoint.filters
    assert "start" not in old.by_label["dcim.interface"].endpoint.filters
