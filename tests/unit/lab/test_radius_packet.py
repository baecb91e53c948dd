"""RADIUS packets, against the example of RFC 2865, 7.1 (user nemo, password arctangent, secret xyzzy5461)."""

import pytest

from lab.radius.packet import BadPacket, Code, check_response, parse, request, response

SECRET = b"xyzzy5461"
REQUEST = bytes.fromhex(
    "01000038 0f403f94 73978057 bd83d5cb 98f4227a 01066e65 6d6f0212 0dbe708d 93d413ce 3196e43f 782a0aee 0406c0a8 01100506 00000003"
)
ACCEPT = bytes.fromhex("02000026 86fe220e 7624ba2a 1005f6bf 9b55e0b2 06060000 00010f06 00000000 0e06c0a8 0103")


def test_the_rfcs_request_is_understood() -> None:
    packet = parse(REQUEST, SECRET)
    assert (packet.code, packet.identifier) == (Code.ACCESS_REQUEST, 0)
    assert packet.pairs == (("User-Name", "nemo"), ("User-Password", "arctangent"), ("NAS-IP-Address", "192.168.1.16"), ("NAS-Port", "3"))


def test_the_rfcs_answer_is_understood_by_who_knows_the_secret() -> None:
    packet = check_response(ACCEPT, REQUEST, SECRET)
    assert packet.pairs == (("Service-Type", "Login-User"), ("Login-Service", "0"), ("Login-IP-Host", "192.168.1.3"))
    with pytest.raises(BadPacket):
        check_response(ACCEPT, REQUEST, b"guess")


def test_what_we_answer_comes_back_word_for_word() -> None:
    pairs = (
        ("Framed-IP-Address", "10.42.17.22"),
        ("Delegated-IPv6-Prefix", "2001:db8:42:17::/64"),
        ("Cisco-AVPair", "ip:sub-qos-policy-out=BW-200-50-RES"),
        ("Acct-Interim-Interval", "300"),
        ("Service-Type", "Framed-User"),
        ("Class", "SI-INT-4821"),
    )
    sent = request(Code.ACCESS_REQUEST, 7, (("User-Name", "cpe-4821"), ("User-Password", "x" * 40)), SECRET)
    asked = parse(sent, SECRET)
    assert asked.get("User-Password") == "x" * 40
    answer = check_response(response(Code.ACCESS_ACCEPT, asked, pairs, SECRET), sent, SECRET)
    assert (answer.code, answer.identifier) == (Code.ACCESS_ACCEPT, 7)
    assert answer.pairs[1:] == pairs
    assert answer.pairs[0][0] == "Message-Authenticator"


def test_a_forged_request_is_no_packet() -> None:
    access = bytearray(request(Code.ACCESS_REQUEST, 1, (("User-Name", "nemo"),), SECRET))
    access[-1] ^= 1
    accounting = request(Code.ACCOUNTING_REQUEST, 1, (("User-Name", "nemo"), ("Acct-Status-Type", "Start")), b"guess")
    for forged in (bytes(access), accounting, b"", REQUEST[:-1], REQUEST[:30], b"\xff" * 40):
        with pytest.raises(BadPacket):
            parse(forged, SECRET)


def test_an_attribute_that_nobody_knows_is_not_sent() -> None:
    with pytest.raises(ValueError, match="Colour"):
        response(Code.ACCESS_ACCEPT, parse(REQUEST, SECRET), (("Colour", "red"),), SECRET)
