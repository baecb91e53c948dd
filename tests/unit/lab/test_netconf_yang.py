"""libyang as the lab's servers use it."""

import pytest

from lab.netconf.errors import RpcFailed
from lab.netconf.schema import load_schema
from lab.netconf.yang import Yang

IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"


@pytest.fixture(scope="module")
def yang() -> Yang:
    return Yang(load_schema())


def interface(content: str) -> str:
    return f"<interface>{content}<type xmlns:i='urn:ietf:params:xml:ns:yang:iana-if-type'>i:ethernetCsmacd</type></interface>"


def interfaces(*entries: str) -> str:
    return f'<interfaces xmlns="{IF}">{"".join(entries)}</interfaces>'


def tags(failure: pytest.ExceptionInfo[RpcFailed]) -> list[str]:
    return [error.tag for error in failure.value.errors]


def test_a_key_that_is_missing_is_an_error_and_no_crash(yang: Yang) -> None:
    """libyang 4.5.5 dies of it when it is asked for all errors of a document (MultiError)."""
    document = interfaces(interface("<name>a</name>"), interface(""), interface("<name>b</name>"))
    with pytest.raises(RpcFailed) as failure:
        yang.validate(document)
    assert tags(failure) == ["missing-element"]


def test_all_errors_are_found(yang: Yang) -> None:
    links = "".join(f"<link-table><from-interface>{name}</from-interface></link-table>" for name in ("x", "y"))
    with pytest.raises(RpcFailed) as failure:
        yang.validate(interfaces(interface("<name>a</name>")) + f'<link-table xmlns="urn:bbf:yang:bbf-link-table">{links}</link-table>')
    assert tags(failure) == ["data-missing", "data-missing"]


def test_paths_have_the_prefix_of_the_module_on_each_name(yang: Yang) -> None:
    hardware = "<hardware-component xmlns='urn:bbf:yang:bbf-hardware'><port-layer-if>none</port-layer-if></hardware-component>"
    with pytest.raises(RpcFailed) as failure:
        yang.validate(interfaces(interface("<name>a:b/c</name>" + hardware)))
    path = failure.value.errors[0].path
    assert path is not None
    assert path.text == "/if:interfaces/if:interface[if:name='a:b/c']/bbf-hw:hardware-component/bbf-hw:port-layer-if[.='none']"
    assert path.prefixes == {"if": IF, "bbf-hw": "urn:bbf:yang:bbf-hardware"}


def test_values_are_checked_without_references(yang: Yang) -> None:
    hardware = "<hardware-component xmlns='urn:bbf:yang:bbf-hardware'><port-layer-if>none</port-layer-if></hardware-component>"
    yang.check_values(interfaces(interface("<name>a</name>" + hardware)))


def test_nothing_is_valid(yang: Yang) -> None:
    yang.validate("")


def test_sources(yang: Yang) -> None:
    assert yang.source("bbf-xponvani-base", "2024-04-23").startswith("submodule bbf-xponvani-base")
    for name, revision in (("bbf-xponvani-base", "1999-01-01"), ("nothing", None), ("../closure.txt", None)):
        with pytest.raises(KeyError):
            yang.source(name, revision)
