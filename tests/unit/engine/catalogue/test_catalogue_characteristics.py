"""Values of characteristics: what is refused, and what is completed."""

from __future__ import annotations

import pytest

from engine.catalogue.catalogue import Catalogue
from engine.catalogue.characteristics import offered, validate
from engine.catalogue.models import Characteristic, Specification
from engine.errors import CharacteristicInvalid, TemplateFailed

SPEEDS = {"downloadSpeed": 200, "uploadSpeed": 50, "routerModel": "HG8245H"}
JANE = {"customer": {"name": "Jane Smith"}}


def test_every_declared_characteristic_is_there_afterwards(catalogue: Catalogue) -> None:
    values = catalogue.validate_characteristics(catalogue.product("PS-RBA-01"), SPEEDS, JANE)
    assert values == {
        **SPEEDS,
        "technology": "GPON",
        "dataQuota": "unlimited",
        "delivery": "shipToCustomer",
        "wifiApp": True,
        "features": "speedTest+parental",
        "staticIp": False,
        "ssid": "SmithHome",
        "wifiPassword": None,
        "suspended": None,
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"downloadSpeed": 250}, "`downloadSpeed` is 250; legal values: 100, 200, 500, 1000"),
        ({"downloadSpeed": "200"}, "`downloadSpeed` is '200', an integer is needed; legal values: 100, 200, 500, 1000"),
        ({"downloadSpeed": True}, "`downloadSpeed` is True, an integer is needed"),
        ({"wifiApp": "yes"}, "`wifiApp` is 'yes', a boolean is needed"),
        ({"routerModel": "X"}, "`routerModel` is 'X'; legal values: HG8245H, HG8245Q2"),
        ({"features": "a,b"}, r"`features` is 'a,b', which does not match \w+(\+\w+)*"),
        ({"ssid": "x" * 33}, "which does not match [ -~]{1,32}"),
        ({"staticIP": True}, "unknown characteristic `staticIP`, did you mean `staticIp`?"),
    ],
)
def test_what_is_not_legal_is_said_with_what_is(catalogue: Catalogue, given: dict[str, object], message: str) -> None:
    with pytest.raises(CharacteristicInvalid) as raised:
        catalogue.validate_characteristics(catalogue.product("PS-RBA-01"), {**SPEEDS, **given}, JANE)
    assert message in str(raised.value)


def test_what_is_missing_is_said_with_everything_else(catalogue: Catalogue) -> None:
    with pytest.raises(CharacteristicInvalid) as raised:
        catalogue.validate_characteristics(catalogue.product("PS-RBA-01"), {"uploadSpeed": 1}, JANE)
    assert str(raised.value) == (
        "PS-RBA-01: `downloadSpeed` is missing; legal values: 100, 200, 500, 1000; "
        "`uploadSpeed` is 1; legal values: 20, 50, 100, 400; "
        "`routerModel` is missing; legal values: HG8245H, HG8245Q2"
    )


def test_a_secret_is_not_repeated_in_the_complaint(catalogue: Catalogue) -> None:
    with pytest.raises(CharacteristicInvalid) as raised:
        catalogue.validate_characteristics(catalogue.product("PS-RBA-01"), {**SPEEDS, "wifiPassword": "short"}, JANE)
    assert "short" not in str(raised.value)
    assert "`wifiPassword` is the value given, which does not match" in str(raised.value)


def test_a_secret_that_is_generated_is_never_missing(catalogue: Catalogue) -> None:
    values = catalogue.validate_characteristics(catalogue.service("CFS:CPE-Management"), {"equipmentModel": "HG8245H", "ssid": "x"})
    assert values["wifiPassword"] is None


def test_a_default_may_be_an_expression() -> None:
    found = Specification(id="X", name="X", characteristics={"ssid": Characteristic(default="{{ customer.name }}Home", pattern=".{1,8}")})
    assert validate(found, {}, {"customer": {"name": "Jane"}}) == {"ssid": "JaneHome"}
    with pytest.raises(CharacteristicInvalid, match="does not match"):
        validate(found, {}, {"customer": {"name": "Wilhelmina"}})
    with pytest.raises(TemplateFailed, match="unknown name `customer`"):
        validate(found, {})


def test_an_offering_gives_defaults_and_fixes_values(catalogue: Catalogue) -> None:
    offering = catalogue.offering("PO-SF200H")
    assert offered(offering, {}) == {
        "downloadSpeed": 200,
        "uploadSpeed": 50,
        "dataQuota": "unlimited",
        "routerModel": "HG8245H",
        "wifiApp": True,
        "staticIp": False,
    }
    assert offered(offering, {"wifiApp": False, "ssid": "Nest"})["wifiApp"] is False
    with pytest.raises(CharacteristicInvalid, match="PO-SF200H: `downloadSpeed` is 1000; SuperFibre 200 Home fixes it to 200"):
        offered(offering, {"downloadSpeed": 1000})
