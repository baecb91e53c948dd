"""Where settings come from, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from nornir.core.inventory import Host
from pydantic import SecretStr

from engine.errors import SettingsInvalid
from tasks.access import Access
from turnup.reaching import of_settings
from turnup.settings import Settings, TargetSettings, WorkingSettings, load
from turnup.wiring import Wiring


def test_without_any_setting_the_embedded_lab_is_used(home: Path) -> None:
    settings = load()
    assert settings.embedded
    assert settings.home == home
    assert settings.database == f"sqlite:///{home}/turnup.db"
    assert set(settings.hosts) == {"cloudwifi", "logistics"}
    assert (settings.catalogue / "products.yaml").is_file()
    assert (settings.templates / "junos").is_dir()


def test_naming_a_netbox_ends_the_embedded_lab_unless_both_are_wanted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNUP_NETBOX__URL", "https://netbox.example.com")
    assert not load().embedded
    monkeypatch.setenv("TURNUP_LAB__EMBEDDED", "true")
    assert load().embedded


def test_environment_comes_before_dotenv_and_dotenv_before_toml(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    (home / "turnup.toml").write_text('[netbox]\nurl = "http://toml"\ntimeout = 3\n[webhook]\nport = 8001\n')
    (home / ".env").write_text("TURNUP_NETBOX__URL=http://dotenv\nTURNUP_WEBHOOK__PORT=8002\n")
    monkeypatch.setenv("TURNUP_WEBHOOK__PORT", "8003")
    settings = load()
    assert (settings.netbox.timeout, settings.netbox.url, settings.webhook.port) == (3, "http://dotenv", 8003)


@pytest.mark.parametrize("name", ["DATABASE_URL", "TURNUP_DATABASE_URL"])
def test_the_database_url_from_the_environment(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "postgresql://me:geheim@db/turnup")
    assert load().database == "postgresql://me:geheim@db/turnup"
    assert "geheim" not in repr(load())


def test_the_database_url_from_the_files(home: Path) -> None:
    home.mkdir()
    (home / "turnup.toml").write_text('database_url = "sqlite:///toml.db"\n')
    assert load().database == "sqlite:///toml.db"
    (home / ".env").write_text("DATABASE_URL=sqlite:///dotenv.db\n")
    assert load().database == "sqlite:///dotenv.db"


def test_a_misspelt_variable_is_refused_with_the_one_that_was_meant(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNUP_NETBOX_URL", "http://netbox")
    with pytest.raises(SettingsInvalid, match=r"unknown setting `TURNUP_NETBOX_URL`, did you mean `TURNUP_NETBOX`.*two underscores"):
        load()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[netbx]\nurl = 'x'\n", "unknown setting `netbx`, did you mean `netbox`?"),
        ("[netbox]\ntimeout = 0\n", "netbox.timeout: Input should be greater than 0"),
        ("[targets.'OLT-EAST-07']\npasword = 'x'\n", "targets.OLT-EAST-07: unknown setting `pasword`, did you mean `password`?"),
        ("[hosts.billing]\nport = 1\n", "hosts.billing.platform: Field required"),
        ("netbox = [", "turnup.toml"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(text: str, said: str, home: Path) -> None:
    home.mkdir()
    (home / "turnup.toml").write_text(text)
    with pytest.raises(SettingsInvalid) as raised:
        load()
    assert said in str(raised.value)


def test_a_secret_in_a_wrong_setting_is_not_repeated(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNUP_TARGETS__JUNOS__PORT", "hunter2-typed-into-the-wrong-variable")
    with pytest.raises(SettingsInvalid) as raised:
        load()
    assert "hunter2" not in str(raised.value)


def test_own_hosts_stand_beside_those_of_the_example(home: Path) -> None:
    home.mkdir()
    (home / "turnup.toml").write_text("[hosts.cloudwifi]\nplatform = 'other'\n[hosts.billing]\nplatform = 'kea'\n")
    assert {name: host.platform for name, host in load().hosts.items()} == {
        "cloudwifi": "other",
        "logistics": "logistics",
        "billing": "kea",
    }


OLT, BNG = Host("OLT-EAST-07", platform="bbf-olt"), Host("BNG-EAST-01", platform="junos")


def test_access_finds_its_target_without_case_and_with_underscores(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNUP_TARGETS__OLT_EAST_07__PASSWORD", "hunter2")
    monkeypatch.setenv("TURNUP_TARGETS__JUNOS__USERNAME", "netops")
    monkeypatch.setenv("TURNUP_TARGETS__JUNOS__URL", "http://x")
    access = of_settings(load().targets, [OLT, BNG], {})
    assert access["OLT-EAST-07"].password == "hunter2"
    assert (access["BNG-EAST-01"].username, access["BNG-EAST-01"].url(target="x")) == ("netops", "http://x")
    assert "hunter2" not in repr(access)


def test_access_for_a_target_is_laid_over_that_for_its_platform_for_all_and_of_the_lab() -> None:
    said = {
        "*": TargetSettings(username="all", timeout=1),
        "bbf-olt": TargetSettings(username="olts", insecure=True),
        "OLT-EAST-07": TargetSettings(password=SecretStr("its own")),
    }
    lab = {"OLT-EAST-07": Access("lab", "lab's", "127.0.0.1", 4711, {"": "lab"}, known_hosts=Path("known"))}
    olt = of_settings(said, [OLT, BNG], lab)["OLT-EAST-07"]
    assert (olt.username, olt.password, olt.timeout, olt.insecure) == ("olts", "its own", 1, True)
    assert (olt.hostname, olt.port, olt.urls, olt.known_hosts) == ("127.0.0.1", 4711, {"": "lab"}, Path("known"))
    assert of_settings(said, [BNG], lab) == {"BNG-EAST-01": Access("all", timeout=1)}
    assert of_settings({}, [BNG], lab) == {}


def test_every_setting_is_described() -> None:
    assert [
        name
        for name, field in Settings.model_fields.items()
        if name not in ("netbox", "lab", "webhook", "worker", "quarantine") and not field.description
    ] == []


def test_how_the_lanes_are_worked_reaches_the_worker(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"threads": 7, "lease": 8.0, "push_timeout": 9.0, "sweep": 1.5, "pause": 2.5, "batch_targets": 3, "batch_systems": 4}
    given |= {"netbox_lanes": 5, "watch": 6.0, "patience": 60.0}
    assert set(given) == set(WorkingSettings.model_fields)
    for name, value in given.items():
        monkeypatch.setenv(f"TURNUP_WORKER__{name.upper()}", str(value))
    assert {name: getattr(Wiring(load()).worker_settings, name) for name in given} == given
