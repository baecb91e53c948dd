"""MongoDB's queries as far as the northbound interface takes them, ids, and CWMP messages."""

from typing import Any

import pytest

from lab.acs import soap
from lab.acs.devices import Identity, Parameter
from lab.acs.query import BadQuery, matches, projected

DEVICE: dict[str, Any] = {
    "_id": "00259E-HG8245H-HWT2340098",
    "_deviceId": {"_SerialNumber": "HWT2340098"},
    "_lastInform": "2024-03-12T10:30:00.000Z",
    "_tags": ["gold", "residential-gpon"],
    "InternetGatewayDevice": {
        "_object": True,
        "DeviceInfo": {"_object": True, "SoftwareVersion": {"_value": "v3.2", "_type": "xsd:string"}},
    },
}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, True),
        ({"_deviceId._SerialNumber": "HWT2340098"}, True),
        ({"_deviceId._SerialNumber": "HWT2340099"}, False),
        ({"InternetGatewayDevice.DeviceInfo.SoftwareVersion": "v3.2"}, True),
        ({"InternetGatewayDevice.DeviceInfo.SoftwareVersion._value": "v3.2"}, True),
        ({"_tags": "gold"}, True),
        ({"_tags": {"$ne": "gold"}}, False),
        ({"_id": {"$in": ["x", "00259E-HG8245H-HWT2340098"]}}, True),
        ({"_id": {"$nin": ["x"]}}, True),
        ({"_lastInform": {"$gt": "2024-03-12T10:00:00.000Z", "$lte": "2024-03-12T10:30:00.000Z"}}, True),
        ({"_lastInform": {"$lt": 5}}, False),
        ({"_lastBoot": {"$exists": False}}, True),
        ({"$or": [{"_id": "x"}, {"_tags": "gold"}]}, True),
        ({"$and": [{"_id": "x"}, {"_tags": "gold"}]}, False),
        ({"_lastBoot": None}, True),
    ],
)
def test_queries(query: dict[str, Any], found: bool) -> None:
    assert matches(DEVICE, query) is found


@pytest.mark.parametrize("query", [[], {"$where": "1"}, {"_id": {"$regex": "x"}}, {"$or": {}}])
def test_what_is_not_understood_is_not_guessed(query: Any) -> None:
    with pytest.raises(BadQuery):
        matches(DEVICE, query)


def test_a_projection_has_the_id_and_what_is_named() -> None:
    assert projected(DEVICE, ["_tags", "InternetGatewayDevice.DeviceInfo", "nowhere.at.all"]) == {
        "_id": DEVICE["_id"],
        "_tags": DEVICE["_tags"],
        "InternetGatewayDevice": {"DeviceInfo": DEVICE["InternetGatewayDevice"]["DeviceInfo"]},
    }


def test_an_id_is_encoded_so_that_its_hyphens_are_the_separators() -> None:
    assert Identity("Huawei", "00259E", "HG8245H", "HWT2340098").device_id == "00259E-HG8245H-HWT2340098"
    assert Identity("x", "00259E", "EG-8145 V5", "a.b_c").device_id == "00259E-EG%2D8145%20V5-a%2Eb_c"


def test_messages_come_back_as_they_were_sent() -> None:
    identity = Identity("Huawei", "00259E", "HG8245H", "HWT2340098")
    parameters = {"InternetGatewayDevice.DeviceInfo.ProvisioningCode": Parameter("a<b>&c", "xsd:string")}
    sent = soap.parse(soap.inform("7", identity, ["0 BOOTSTRAP", "1 BOOT"], parameters, "2024-03-12T10:30:00.000Z"))
    assert (sent.id, sent.name) == ("7", "Inform")
    assert soap.identity_of(sent) == identity
    assert soap.events_of(sent) == ["0 BOOTSTRAP", "1 BOOT"]
    assert soap.parameters_of(sent) == parameters
    refused = soap.parse(soap.fault("8", 9003, "Invalid arguments", {"A.B": (9005, "Invalid parameter name")}))
    assert (refused.name, refused.text("detail/cwmp:Fault/FaultCode")) == ("Fault", "9003")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html/>",
        b'<!DOCTYPE x [<!ENTITY e "boom">]><Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><a>&e;</a></Body></Envelope>',
        b'<!DOCTYPE Envelope SYSTEM "http://127.0.0.1:1/x.dtd"><Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><a/></Body></Envelope>',
    ],
)
def test_what_is_no_message_is_refused_and_no_entity_is_expanded(content: bytes) -> None:
    with pytest.raises(soap.BadMessage):
        soap.parse(content)
