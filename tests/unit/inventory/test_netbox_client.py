"""The client: what it sends, what it makes of answers, and the traps of the libraries below it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from http_double import Answer, Double, answering

from engine.errors import InventoryDenied, InventoryError, InventoryIncomplete, InventoryRefused, InventoryUnreachable
from inventory.client import NetBox
from inventory.fields import CustomFields
from inventory.filters import FILTERS, SHOW
from inventory.refusal import ClaimLost, NotFound, PoolEmpty, UnknownReference, words
from inventory.session import Call, Patience
from lab.netbox.openapi import OpenApi

SECRET = "0123456789abcdef0123456789abcdef01234567"
ONCE = Patience(connect=1.0, read=2.0, retries=0)


@contextmanager
def client(double: Double, patience: Patience = ONCE, calls: list[Call] | None = None) -> Iterator[NetBox]:
    netbox = NetBox(double.url, SECRET, patience=patience, on_call=calls.append if calls is not None else None)
    try:
        yield netbox
    finally:
        netbox.close()


def page(*rows: dict[str, object], count: int | None = None) -> Answer:
    return Answer(
        200, json.dumps({"count": count if count is not None else len(rows), "next": None, "previous": None, "results": rows}).encode()
    )


def refused(status: int, body: object) -> Answer:
    return Answer(status, json.dumps(body).encode())


@pytest.mark.parametrize("version", ["4.4", "4.6"])
def test_netbox_knows_every_filter_that_we_use(version: str) -> None:
    """NetBox ignores what it does not know, so a misspelt filter would find everything."""
    known = OpenApi(version).endpoints
    assert {path: sorted(names - known[path].filters) for path, names in FILTERS.items() if names - known[path].filters} == {}


def test_a_filter_that_is_not_known_is_not_sent() -> None:
    with answering(page()) as double, client(double) as netbox:
        for filters in ({"nmae": "x"}, {"cf_oder_id": "x"}, {"site": "east-07"}):
            with pytest.raises(ValueError, match="has no filter"):
                netbox.read("dcim/devices", filters)
        with pytest.raises(ValueError, match="has no filter"):
            netbox.read("dcim/nowhere", {"id": 1})
        assert double.seen == []
        assert "limit" in SHOW


def test_rows_that_a_custom_field_filter_should_not_have_found() -> None:
    with answering(page({"id": 1, "custom_fields": {"order_id": "RO-2"}})) as double, client(double) as netbox:
        with pytest.raises(InventoryIncomplete, match="order_id"):
            netbox.read("ipam/vlans", {"cf_order_id": ["RO-1"]})
        assert netbox.read("ipam/vlans", {"cf_order_id": ["RO-1", "RO-2"]}) == [{"id": 1, "custom_fields": {"order_id": "RO-2"}}]


def test_pages_are_asked_for_by_offset_and_next_is_not_followed() -> None:
    """`next` names the host that the server believes to be; the token must not go there."""
    first = Answer(200, json.dumps({"count": 3, "next": "http://elsewhere.invalid/?limit=2", "results": [{"id": 1}, {"id": 2}]}).encode())
    with answering(first, page({"id": 3}, count=3)) as double, client(double) as netbox:
        assert [row["id"] for row in netbox.read("ipam/vlans")] == [1, 2, 3]
        assert [path.rpartition("&")[2] for _, path, _ in double.seen] == ["offset=0", "offset=2"]


def test_a_list_that_shrinks_while_it_is_read_ends() -> None:
    with answering(page({"id": 1}, count=5), page(count=5)) as double, client(double) as netbox:
        assert netbox.read("ipam/vlans") == [{"id": 1}]


def test_one_page_only() -> None:
    with answering(page({"id": 1}, count=500)) as double, client(double) as netbox:
        assert len(netbox.read("ipam/vlans", limit=1, offset=7)) == 1
        assert double.seen[0][1].endswith("limit=1&offset=7")
        assert len(double.seen) == 1


@pytest.mark.parametrize(("token", "header"), [(SECRET, f"Token {SECRET}"), ("nbt_abcdefabcdef.x", "Bearer nbt_abcdefabcdef.x")])
def test_both_kinds_of_token(token: str, header: str) -> None:
    with answering(page()) as double:
        netbox = NetBox(double.url, token, patience=ONCE)
        netbox.read("ipam/vlans")
        netbox.close()
        assert double.seen[0][2]["authorization"] == header


def test_credentials_of_the_environment_do_not_replace_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """requests reads ~/.netrc and proxies from the environment unless it is told not to."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with answering(page()) as double, client(double) as netbox:
        netbox.read("ipam/vlans")
        assert double.seen[0][2]["authorization"] == f"Token {SECRET}"


def test_a_redirect_is_refused() -> None:
    """requests would turn a redirected POST into a GET: a list comes back with 200, and nothing was created."""
    with answering(Answer(301, b"", {"Location": "https://netbox.example.net/"})) as double, client(double) as netbox:
        with pytest.raises(InventoryRefused, match=r"redirects to https://netbox\.example\.net/"):
            netbox.create("ipam/vlans", [{"vid": 1}])
        assert [method for method, _, _ in double.seen] == ["POST"]


@pytest.mark.parametrize("answer", [Answer(200, b"<html>log in</html>"), Answer(200, b"")])
def test_what_is_no_json_is_not_netbox(answer: Answer) -> None:
    with answering(answer) as double, client(double) as netbox, pytest.raises(InventoryRefused, match="is not NetBox's API"):
        netbox.read("ipam/vlans")


def test_an_old_netbox_is_refused() -> None:
    answer = page()
    answer.headers["API-Version"] = "4.3"
    with answering(answer) as double, client(double) as netbox, pytest.raises(InventoryRefused, match=r"is 4\.3"):
        netbox.read("ipam/vlans")


@pytest.mark.parametrize(("header", "version"), [("4.6", (4, 6)), ("4.10", (4, 10)), ("5.0", (5, 0))])
def test_version(header: str, version: tuple[int, int]) -> None:
    answer = page()
    answer.headers["API-Version"] = header
    with answering(answer) as double, client(double) as netbox:
        assert netbox.version == version
        assert netbox.version == version
        assert len(double.seen) == 1


def test_something_else_tells_no_version() -> None:
    with answering(Answer(200, b"{}", {})) as double, client(double) as netbox, pytest.raises(InventoryRefused, match="is not NetBox"):
        assert netbox.version


UNIQUE = "The fields device, name must make a unique set."


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (401, {"detail": "Invalid token"}, InventoryDenied, "Invalid token"),
        (403, {"detail": "no permission"}, InventoryDenied, "no permission"),
        (400, {"name": ["too long"]}, InventoryRefused, "name: too long"),
        (400, [{}, {"non_field_errors": [UNIQUE]}], ClaimLost, UNIQUE),
        (400, [{"type": ["not a choice"]}, {"non_field_errors": [UNIQUE]}], InventoryRefused, "not a choice"),
        (400, {"detail": "x", "errors": [{"index": 1, "errors": {"__all__": [UNIQUE]}}]}, ClaimLost, UNIQUE),
        (
            400,
            {"custom_fields": {"order_id": ["Custom field 'order_id' does not exist for this object type."]}},
            InventoryIncomplete,
            "order_id",
        ),
        (400, {"__all__": ["Unknown field name 'order_id' in custom field data."]}, InventoryIncomplete, "order_id"),
        (404, {"detail": "Not found."}, NotFound, "Not found"),
        (409, {"detail": "in use"}, ClaimLost, "in use"),
        (412, {"detail": "Precondition failed."}, ClaimLost, "Precondition"),
        (429, {"detail": "slow down"}, InventoryUnreachable, "slow down"),
        (500, {"error": "duplicate key", "exception": "IntegrityError"}, ClaimLost, "duplicate key"),
        (500, {"error": "boom", "exception": "OperationalError"}, InventoryUnreachable, "boom"),
        (503, {}, InventoryUnreachable, "503"),
    ],
)
def test_what_refusals_mean(status: int, body: object, error: type[InventoryError], says: str) -> None:
    with answering(refused(status, body)) as double, client(double) as netbox:
        with pytest.raises(error) as caught:
            netbox.create("dcim/interfaces", [{}, {}])
        assert type(caught.value) is error
        assert says in caught.value.message
        assert str(status) in caught.value.message
        assert "POST /api/dcim/interfaces/" in caught.value.message


def test_which_claims_were_lost() -> None:
    bodies = [
        [{}, {"non_field_errors": [UNIQUE]}, {"non_field_errors": [UNIQUE]}],
        {"errors": [{"index": 2, "errors": {"__all__": [UNIQUE]}}]},
    ]
    for body, lost in zip(bodies, ({1, 2}, {2}), strict=True):
        with answering(refused(400, body)) as double, client(double) as netbox:
            with pytest.raises(ClaimLost) as caught:
                netbox.create("dcim/interfaces", [{}, {}, {}])
            assert caught.value.indexes == lost
    with answering(refused(500, {"exception": "IntegrityError"})) as double, client(double) as netbox:
        with pytest.raises(ClaimLost) as caught:
            netbox.create("dcim/interfaces", [{}])
        assert caught.value.indexes is None


def test_an_empty_pool_is_told_from_a_lost_claim() -> None:
    body = {"detail": "An insufficient number of VLANs are available within the VLAN group EAST-07-RES (1 requested, 0 available)"}
    with answering(refused(409, body)) as double, client(double) as netbox, pytest.raises(PoolEmpty, match="insufficient"):
        netbox.take("ipam/vlan-groups/1/available-vlans", [{}])


def test_a_filter_that_names_what_is_gone() -> None:
    body = {"device_id": ["Select a valid choice. 7 is not one of the available choices."]}
    with answering(refused(400, body)) as double, client(double) as netbox, pytest.raises(UnknownReference):
        netbox.read("dcim/interfaces", {"device_id": 7})


def test_the_token_is_in_no_message() -> None:
    with answering(refused(400, {"detail": f"you sent {SECRET}"})) as double, client(double) as netbox:
        with pytest.raises(InventoryRefused) as caught:
            netbox.create("ipam/vlans", [{}])
        assert SECRET not in str(caught.value)
        assert "you sent ***" in str(caught.value)
        assert SECRET not in repr(netbox)


def test_ids_that_a_bulk_change_skipped_are_noticed() -> None:
    """NetBox answers 200 and leaves out what it does not know."""
    with answering(refused(200, [{"id": 1}])) as double, client(double) as netbox, pytest.raises(InventoryIncomplete, match="id 2, 3"):
        netbox.update("ipam/vlans", [{"id": 1}, {"id": 2}, {"id": 3}])


def test_a_change_is_made_only_if_nobody_else_made_one() -> None:
    with answering(refused(200, [{"id": 1}, {"id": 2}])) as double, client(double) as netbox:
        netbox.update("ipam/vlans", [{"id": 1}, {"id": 2}], seen=["2024-03-11T09:00:00.123456Z", "2024-03-11T09:00:01Z"])
        assert double.seen[0][2]["If-Match"] == 'W/"2024-03-11T09:00:00.123456+00:00", W/"2024-03-11T09:00:01+00:00"'
        netbox.update("ipam/vlans", [{"id": 1}, {"id": 2}])
        assert "If-Match" not in double.seen[1][2]


def test_bulk_writes_are_cut() -> None:
    answers = [refused(200, [{"id": key} for key in part]) for part in (range(100), range(100, 200), range(200, 250))]
    with answering(*answers) as double, client(double) as netbox:
        assert len(netbox.update("ipam/vlans", [{"id": key} for key in range(250)])) == 250
        assert len(double.seen) == 3
    with answering(Answer(204, b"")) as double, client(double) as netbox:
        netbox.delete("ipam/vlans", dict.fromkeys(range(250), "gone"))
        assert len(double.seen) == 3
        netbox.delete("ipam/vlans", {})
        assert len(double.seen) == 3


def test_an_answer_with_another_number_of_objects() -> None:
    with (
        answering(refused(201, [{"id": 1}])) as double,
        client(double) as netbox,
        pytest.raises(InventoryRefused, match="asked to create 2"),
    ):
        netbox.create("ipam/vlans", [{}, {}])


def test_reads_are_repeated_and_writes_are_not() -> None:
    patient = Patience(connect=1.0, read=2.0, retries=2)
    with answering(refused(503, {}), refused(502, {}), page({"id": 1})) as double, client(double, patient) as netbox:
        assert netbox.read("ipam/vlans") == [{"id": 1}]
        assert len(double.seen) == 3
    with answering(refused(503, {}), refused(201, [{"id": 1}])) as double, client(double, patient) as netbox:
        with pytest.raises(InventoryUnreachable):
            netbox.create("ipam/vlans", [{}])
        assert len(double.seen) == 1


def test_every_request_is_told_of() -> None:
    calls: list[Call] = []
    with answering(page(), refused(403, {})) as double, client(double, calls=calls) as netbox:
        netbox.read("ipam/vlans", {"id": [1, 2]})
        with pytest.raises(InventoryDenied):
            netbox.create("ipam/vlans", [{}])
    assert [(call.method, call.path, call.status) for call in calls] == [
        ("GET", "/api/ipam/vlans/?ordering=id&id=1&id=2&limit=1000&offset=0", 200),
        ("POST", "/api/ipam/vlans/", 403),
    ]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ({"detail": "no"}, "no"),
        ({"name": ["a", "b"], "vid": ["c"]}, "name: a; name: b; vid: c"),
        ([{}, {"name": ["a"]}, {"name": ["a"]}], "name: a"),
        ({"error": "x\n y", "exception": "E"}, "x y; exception: E"),
        (None, ""),
        ({"custom_fields": {"order_id": ["unknown"]}}, "order_id: unknown"),
    ],
)
def test_netboxs_words_as_one_line(body: object, line: str) -> None:
    assert words(body) == line


@pytest.mark.parametrize("value", ["reserved", {"value": "reserved", "label": "Reserved"}])
def test_select_fields_in_both_forms(value: object) -> None:
    """NetBox 4.7 shows select fields as objects."""
    assert CustomFields.model_validate({"alloc_state": value, "something": 1}).alloc_state == "reserved"
