"""Seeding profiles as data."""

from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from inventory.profile import load_model, load_profile, profiles
from inventory.sites import ROLES
from inventory.upsert import same


@pytest.mark.parametrize("name", profiles())
def test_profiles_name_only_what_is_there(name: str) -> None:
    profile, model = load_profile(name), load_model()
    sites = {site.slug for site in profile.sites}
    for element in profile.elements:
        assert element.role in ROLES
        assert element.role in {role.slug for role in model.roles}
        assert element.platform in {platform.slug for platform in model.platforms}
        assert element.site in sites
        kind = next(one for one in model.device_types if one.slug == element.type)
        assert set(element.cards) <= set(kind.bays)
        assert set(element.cards.values()) <= {card.model for card in model.module_types}
    assert {group.site for group in profile.vlan_groups} | {stock.site for stock in profile.stock} <= sites
    assert {pool.role for pool in profile.pools} <= {role.slug for role in model.prefix_roles}
    assert all(pool.network.prefixlen >= 20 for pool in profile.pools if pool.network.version == 4)  # NetBox looks address by address
    assert len({pool.prefix for pool in profile.pools}) == len(profile.pools)


def test_bench_has_room_for_thousands_of_orders() -> None:
    profile = load_profile("bench")
    olt = next(element for element in profile.elements if element.role == "olt")
    assert profile.onu_capacity == 64
    assert len(olt.cards) * 16 * profile.onu_capacity >= 4000
    assert profile.vlan_groups[0].vids[1] - profile.vlan_groups[0].vids[0] >= 4000
    assert sum(pool.network.num_addresses for pool in profile.pools if pool.name == "EAST-RES") >= 4000
    assert profile.stock[0].count >= 4000


def test_capacity_has_room_for_ten_thousand_lines_on_several_exchanges() -> None:
    profile = load_profile("capacity")
    olts = [element for element in profile.elements if element.role == "olt"]
    assert len({olt.site for olt in olts}) == 8
    assert sum(len(olt.cards) * 16 for olt in olts) * profile.onu_capacity >= 10_000
    assert sum(group.vids[1] - group.vids[0] + 1 for group in profile.vlan_groups) >= 10_000
    assert sum(pool.network.num_addresses for pool in profile.pools if pool.name == "EAST-RES") >= 10_000
    assert profile.stock[0].count >= 10_000


def test_ranges_of_ports() -> None:
    assert load_profile("example").used("OLT-EAST-07") >= {"LC1/P1", "LC2/P16", "LC3/P11"}
    assert "LC3/P12" not in load_profile("example").used("OLT-EAST-07")
    assert len(load_profile("example").used("OLT-EAST-07")) == 43


def test_an_unknown_profile_and_a_wrong_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="no seeding profile 'nothing'") as caught:
        load_profile("nothing")
    assert "bench, capacity, example" in caught.value.hint
    (tmp_path / "own.yaml").write_text("onu_capacity: 0\nsties: []\n")
    with pytest.raises(SettingsInvalid, match="sties"):
        load_profile(str(tmp_path / "own.yaml"))
    (tmp_path / "own.yaml").write_text("a: [")
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load_profile(str(tmp_path / "own.yaml"))
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load_profile(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("wanted", "shown", "equal"),
    [
        ("active", {"value": "active", "label": "Active"}, True),
        (7, {"id": 7, "url": "..."}, True),
        (7, {"id": 8, "url": "..."}, False),
        (None, None, True),
        (0, 0.0, True),
        (6, 6.0, True),
        ("", None, True),
        (False, None, False),
        (["a", "b"], ["b", "a"], True),
        ([[1, 2]], [[1, 2]], True),
        ([[1, 2]], [[1, 3]], False),
        ([{"slug": "x"}], [{"id": 1, "slug": "x", "name": "X"}], True),
        ({"gateway": "x"}, {"gateway": "x", "other": 1}, True),
        ({"gateway": "x"}, {"gateway": None}, False),
    ],
)
def test_what_netbox_shows_against_what_is_wanted(wanted: object, shown: object, equal: bool) -> None:
    assert same(wanted, shown) is equal
