"""Signatures of the carrier's webhooks, labels of routers, and when a parcel is where."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from lab.clock import BEGINNING
from lab.logistics.customer import label_of
from lab.logistics.model import DEFAULT_HOURS, NEVER, ShippingOrder
from lab.logistics.webhooks import signature


def order(serial: str = "HWT2340098", characteristics: dict[str, str] | None = None, action: str = "add", **more: Any) -> ShippingOrder:
    product = {
        "productSerialNumber": serial,
        "productCharacteristic": [{"name": name, "value": value} for name, value in (characteristics or {}).items()],
    }
    item = {"id": "1", "action": action, "shipment": {"shipmentItem": [{"id": "1", "sku": "HG8245H", "product": product}]}}
    return ShippingOrder.model_validate({"shippingOrderItem": [item], **more})


def test_a_signature_is_hmac_sha256_of_the_raw_body() -> None:
    # RFC 4231, test case 2
    assert signature("Jefe", b"what do ya want for nothing?") == (
        "hmac-sha256-hex=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_a_secret_is_the_same_however_its_accents_are_written() -> None:
    composed, decomposed = "s\N{LATIN SMALL LETTER E WITH ACUTE}cret", "se\N{COMBINING ACUTE ACCENT}cret"
    assert composed != decomposed
    assert signature(composed, b"{}") == signature(decomposed, b"{}")


def test_the_label_is_numbered_as_the_vendor_does_it() -> None:
    label = label_of(order(characteristics={"ssid": "SmithHome", "security": "WPA3", "wifiPassword": "secret", "assetTag": "x"}).parcel)
    assert (label.serial, label.pon_serial, label.mac) == ("HWT2340098", "HWTC02340098", "48:57:54:34:00:98")
    assert label.product_class == "HG8245H"
    assert label.settings == {"ssid": "SmithHome", "security": "WPA3", "passphrase": "secret"}


def test_what_the_order_says_of_the_router_counts() -> None:
    label = label_of(order("X1", {"ponSerial": "ABCD12345678", "macAddress": "02:00:00:00:00:01"}).parcel)
    assert (label.pon_serial, label.mac) == ("ABCD12345678", "02:00:00:00:00:01")


def due(order: ShippingOrder) -> list[timedelta | None]:
    moments = order.due(BEGINNING, order.hours(DEFAULT_HOURS)).values()
    return [None if moment == NEVER else moment - BEGINNING for moment in moments]


def hours(*numbers: float) -> list[timedelta]:
    return [timedelta(hours=number) for number in numbers]


def saying(**hours: Any) -> dict[str, Any]:
    return {"shippingOrderCharacteristic": [{"name": name, "value": value} for name, value in hours.items()]}


def test_delivered_after_36_hours_and_plugged_in_half_an_hour_later() -> None:
    assert due(order()) == hours(0.5, 2, 36, 36.5)


def test_handed_in_after_half_a_day_and_returned_a_day_later() -> None:
    assert due(order(action="delete", placeFrom={"role": "customer"})) == hours(12, 36)


def test_an_order_may_say_its_own_hours() -> None:
    assert due(order(**saying(hoursUntilDelivered=1, hoursUntilPluggedIn="0"))) == hours(0.5, 1, 1, 1)
    for wrong in ("inf", "-1", "nan", "soon"):
        with pytest.raises(ValueError, match=r"hoursUntilDelivered|could not convert"):
            due(order(**saying(hoursUntilDelivered=wrong)))


def test_what_never_comes_does_not_come_later_either() -> None:
    assert due(order(**saying(hoursUntilDelivered=None))) == [*hours(0.5, 2), None, None]
    assert due(order(action="delete", placeFrom={"role": "customer"}, **saying(hoursUntilHandedIn=None))) == [None, None]


def test_a_return_says_where_it_comes_from() -> None:
    with pytest.raises(ValidationError, match="placeFrom"):
        order(action="delete")


@pytest.mark.parametrize("items", [[], [{"id": "1"}], [{"id": "1", "action": "explode"}], [{"id": "1", "action": "add"}]])
def test_what_cannot_be_shipped_is_no_order(items: list[Any]) -> None:
    with pytest.raises(ValidationError):
        ShippingOrder.model_validate({"shippingOrderItem": items})
