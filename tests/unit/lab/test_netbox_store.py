"""What is kept, and how it survives."""

from pathlib import Path

import pytest
from netbox_in_process import netbox_in_process

from lab.netbox.components import resolved
from lab.netbox.openapi import OpenApi
from lab.netbox.store import Store, natural
from lab.netbox.tables import Registry


def test_names_sort_as_people_count() -> None:
    names = ["LC1/P10", "LC10/P1", "LC1/P2", "lc2/P1"]
    assert sorted(names, key=natural) == ["LC1/P2", "LC1/P10", "lc2/P1", "LC10/P1"]


def test_a_transaction_that_fails_leaves_nothing() -> None:
    registry = Registry(OpenApi("4.6"))
    store, tags = Store(":memory:", registry), registry.by_label["extras.tag"]

    def write_and_fail() -> None:
        with store.transaction():
            store.insert(tags, {"name": "a", "slug": "a"})
            raise LookupError

    with pytest.raises(LookupError):
        write_and_fail()
    assert store.count(tags) == 0
    store.close()


def test_the_id_of_a_deleted_object_is_not_given_again() -> None:
    with netbox_in_process() as netbox:
        first = netbox.make("extras/tags/", name="a", slug="a")["id"]
        netbox.ask("DELETE", f"extras/tags/{first}/")
        assert netbox.make("extras/tags/", name="b", slug="b")["id"] > first


def test_a_file_of_an_older_release_gets_the_columns_that_it_lacks(tmp_path: Path) -> None:
    path = str(tmp_path / "netbox.sqlite")
    with netbox_in_process(path=path) as netbox:
        netbox.make("extras/tags/", name="a", slug="a")
        netbox.store._db.execute("ALTER TABLE extras_tag DROP COLUMN description")
    with netbox_in_process(path=path) as netbox:
        (tag,) = netbox.ask("GET", "extras/tags/").json()["results"]
        assert tag["name"] == "a"
        netbox.ask("PATCH", f"extras/tags/{tag['id']}/", {"description": "kept"})
        assert netbox.ask("GET", f"extras/tags/{tag['id']}/").json()["description"] == "kept"


@pytest.mark.parametrize(
    ("text", "positions", "name"),
    [
        ("LC{module}/P1", ["3"], "LC3/P1"),
        ("uplink", ["3"], "uplink"),
        ("{module}/{module}/1", ["2", "5"], "2/5/1"),
        ("sub{module}", ["2", "5"], "sub5"),
    ],
)
def test_the_position_of_the_bay_becomes_part_of_the_name(text: str, positions: list[str], name: str) -> None:
    assert resolved(text, positions) == name


def test_contexts_are_laid_over_one_another_by_weight() -> None:
    with netbox_in_process() as netbox:
        device = netbox.device("BNG-1")
        role = device["role"]["id"]
        other = netbox.make("dcim/device-roles/", name="other", slug="other")["id"]
        netbox.make("extras/config-contexts/", name="low", weight=100, roles=[role], data={"qos": {"a": 1, "b": 1}, "list": [1]})
        netbox.make("extras/config-contexts/", name="high", weight=200, data={"qos": {"b": 2}, "list": [2]})
        netbox.make("extras/config-contexts/", name="foreign", weight=300, roles=[other], data={"qos": {"a": 9}})
        netbox.make("extras/config-contexts/", name="off", weight=400, is_active=False, data={"qos": {"a": 9}})
        netbox.ask("PATCH", f"dcim/devices/{device['id']}/", {"local_context_data": {"own": True}})
        assert netbox.ask("GET", f"dcim/devices/{device['id']}/").json()["config_context"] == {
            "qos": {"a": 1, "b": 2},
            "list": [2],
            "own": True,
        }


def test_what_netbox_has_and_the_stand_in_has_not_is_said_aloud() -> None:
    with netbox_in_process() as netbox:
        assert netbox.ask("GET", "dcim/cables/").status_code == 501
        assert netbox.ask("GET", "dcim/interfaces/?wireless_lan_id=1").status_code == 501
        assert netbox.ask("GET", "dcim/no-such-model/").status_code == 404
        assert netbox.ask("POST", "core/object-changes/", {}).status_code == 405
