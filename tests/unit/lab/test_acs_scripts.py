"""The subset of GenieACS' provision scripts, and the presets that call them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lab.acs.presets import BadPreset, Presets
from lab.acs.scripts import ScriptError, Setting, evaluate, parse
from lab.documents import Documents

SCRIPT = """
// what every router of this template gets
const now = Date.now();
declare("InternetGatewayDevice.DeviceInfo.ProvisioningCode", {value: now}, {value: args[1]});
/* and
   its name */
declare('InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID', {value: Date.now()}, {value: args[0]});
declare("InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.Enable", null, {value: true});
declare("InternetGatewayDevice.ManagementServer.PeriodicInformInterval", null, {value: 3600});
declare("InternetGatewayDevice.DeviceInfo.SoftwareVersion", {value: 1}, null);
declare("Tags.residential-gpon", null, {value: true});
"""
CODE = "InternetGatewayDevice.DeviceInfo.ProvisioningCode"
SSID = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID"


def test_a_script_is_what_it_declares() -> None:
    declarations = parse(SCRIPT)
    assert evaluate(declarations, ["SmithHome", "SI-CPE-4821"]) == [
        Setting(CODE, "SI-CPE-4821"),
        Setting(SSID, "SmithHome"),
        Setting("InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.Enable", True),
        Setting("InternetGatewayDevice.ManagementServer.PeriodicInformInterval", 3600),
        Setting("Tags.residential-gpon", True),
    ]
    assert [one.refresh for one in declarations] == [True, True, False, False, True, False]


def test_what_has_no_argument_is_not_asked_for() -> None:
    assert Setting(CODE, "x") not in evaluate(parse(SCRIPT), ["SmithHome"])


def test_a_string_may_hold_what_looks_like_script() -> None:
    (only,) = evaluate(parse(f'declare(\'{CODE}\', null, {{value: "// \\"it\'s\\" ; }}"}});'), [])
    assert only.value == '// "it\'s" ; }'


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("let x = 1;", 1),
        ('\n\ndeclare("InternetGatewayDevice.A", null, {path: 1});', 3),
        (f'declare("{CODE}", null, {{value: args[0]}})', 1),
        (f'declare("{CODE}", {{value: later}}, null);', 1),
        ('declare("Downloads.[FileType:1 Firmware Upgrade Image]", null, {value: 1});', 1),
        ('declare("InternetGatewayDevice.A", null, {value: "unended});', 1),
        ("for (const x of args) log(x);", 1),
        ("declare(", 1),
    ],
)
def test_any_other_script_is_refused_with_its_line(script: str, line: int) -> None:
    with pytest.raises(ScriptError, match=f"line {line}: "):
        parse(script)


DEVICE: dict[str, Any] = {
    "_id": "00259E-HG8245H-HWT2340098",
    "_deviceId": {"_Manufacturer": "Huawei", "_OUI": "00259E", "_ProductClass": "HG8245H", "_SerialNumber": "HWT2340098"},
    "_tags": ["gold"],
}


def preset(serial: str = "HWT2340098", **more: Any) -> dict[str, Any]:
    configuration = {"type": "provision", "name": "residential", "args": ["SmithHome", "SI-CPE-4821"]}
    return {"precondition": f'{{"DeviceID.SerialNumber":"{serial}"}}', "configurations": [configuration], **more}


@pytest.fixture
def documents(tmp_path: Path) -> Iterator[Documents]:
    with closing(Documents(tmp_path / "acs.db")) as documents:
        yield documents


@pytest.fixture
def presets(documents: Documents) -> Presets:
    presets = Presets(documents)
    presets.put_provision("residential", SCRIPT)
    return presets


def test_a_preset_is_for_the_devices_of_its_precondition(presets: Presets) -> None:
    presets.put("HWT2340098", preset())
    presets.put("HWT2340099", preset("HWT2340099"))
    asked = presets.wanted(DEVICE, ["2 PERIODIC"])
    assert asked.settings[SSID] == "SmithHome"
    assert {CODE, SSID} <= asked.refresh
    assert asked.tags == {"residential-gpon": True}
    assert "Tags.residential-gpon" not in asked.settings


def test_they_are_there_after_a_restart_and_gone_when_deleted(presets: Presets, tmp_path: Path) -> None:
    presets.put("HWT2340098", preset())
    with closing(Documents(tmp_path / "acs.db")) as reopened:
        again = Presets(reopened)
        assert again.wanted(DEVICE, []) == presets.wanted(DEVICE, [])
        again.delete_provision("residential")
        assert again.wanted(DEVICE, []).settings == {}
        again.put_provision("residential", SCRIPT)
        again.delete("HWT2340098")
        assert again.wanted(DEVICE, []).settings == {}


def test_the_heavier_preset_has_the_last_word(presets: Presets) -> None:
    presets.put("a", preset(weight=20, configurations=[{"type": "value", "name": SSID, "value": "Heavy"}]))
    presets.put("b", preset(weight=10))
    assert presets.wanted(DEVICE, []).settings[SSID] == "Heavy"


def test_a_preset_may_be_for_some_events_only(presets: Presets) -> None:
    presets.put("first", preset(events={"0 BOOTSTRAP": True}))
    presets.put("later", preset(events={"0 BOOTSTRAP": False}, configurations=[{"type": "add_tag", "tag": "known"}]))
    assert presets.wanted(DEVICE, ["0 BOOTSTRAP", "1 BOOT"]).settings
    assert presets.wanted(DEVICE, ["1 BOOT"]).tags == {"known": True}


def test_a_provision_that_is_missing_is_passed_over(presets: Presets) -> None:
    presets.put("x", preset(configurations=[{"type": "provision", "name": "nowhere"}]))
    assert presets.wanted(DEVICE, []).settings == {}


@pytest.mark.parametrize("wrong", [[], {"configurations": [{"type": "magic"}]}, {"precondition": "{"}, {"precondition": '{"$where": 1}'}])
def test_what_is_no_preset_is_refused(presets: Presets, wrong: object) -> None:
    with pytest.raises(BadPreset):
        presets.put("x", wrong)
    assert presets.wanted(DEVICE, []).settings == {}
