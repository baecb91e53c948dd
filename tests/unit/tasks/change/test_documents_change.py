"""Changes of systems that hold documents: Kea, FreeRADIUS, ACS, cloud WiFi, logistics."""

from __future__ import annotations

import json
import re

import pytest

from engine.errors import ChangeConflict, TemplateFailed
from engine.ports import Change
from engine.vault import MASK
from tasks.change.documents import Documents

DOCUMENTS = Documents()


def fragment(**bodies: object) -> str:
    """`a_1=body` is the document of kind a with key 1."""
    return json.dumps([{"kind": name.split("_")[0], "key": name.split("_")[1], "body": body} for name, body in bodies.items()])


def others(*texts: str) -> dict[str, frozenset[str]]:
    return {path: frozenset({value}) for text in texts for path, value in DOCUMENTS.nodes(text)}


class TestChange:
    def test_put_anew_replaced_and_deleted_with_the_reverse_backwards(self) -> None:
        change = DOCUMENTS.change([fragment(a_1={"x": 1}, b_1={"y": 1}, b_2={})], [fragment(a_1={"x": 2}, c_1={"z": 1})], {})
        forward, reverse = json.loads(change.forward), json.loads(change.reverse)
        assert forward == [
            {"op": "delete", "kind": "b", "key": "2", "was": {}},
            {"op": "delete", "kind": "b", "key": "1", "was": {"y": 1}},
            {"op": "put", "kind": "a", "key": "1", "body": {"x": 2}, "was": {"x": 1}},
            {"op": "put", "kind": "c", "key": "1", "body": {"z": 1}},
        ]
        assert reverse == [
            {"op": "delete", "kind": "c", "key": "1", "was": {"z": 1}},
            {"op": "put", "kind": "a", "key": "1", "body": {"x": 1}, "was": {"x": 2}},
            {"op": "put", "kind": "b", "key": "1", "body": {"y": 1}},
            {"op": "put", "kind": "b", "key": "2", "body": {}},
        ]

    def test_an_address_that_moves_to_another_key_is_free_before_it_is_taken(self) -> None:
        old, new = fragment(reservation4_aa={"ip-address": "10.42.17.22"}), fragment(reservation4_bb={"ip-address": "10.42.17.22"})
        assert [operation["op"] for operation in json.loads(DOCUMENTS.change([old], [new], {}).forward)] == ["delete", "put"]

    def test_equal_bodies_are_no_change_however_they_are_written(self) -> None:
        one, two = '[{"kind": "a", "key": "1", "body": {"x": 1, "y": [2]}}]', '[{"body": {"y": [2], "x": 1}, "key": "1", "kind": "a"}]'
        assert DOCUMENTS.change([one], [two], {}) == Change("", "")

    def test_a_shared_document_is_put_once_and_stays_while_somebody_needs_it(self) -> None:
        shared, more = fragment(provision_x={"script": "s"}), fragment(provision_x={"script": "s"}, preset_1={})
        assert [operation["kind"] for operation in json.loads(DOCUMENTS.change([], [more], others(shared)).forward)] == ["preset"]
        assert [operation["kind"] for operation in json.loads(DOCUMENTS.change([more], [], others(shared)).forward)] == ["preset"]

    def test_two_bodies_of_one_document_are_refused_without_showing_them(self) -> None:
        mine, theirs = fragment(radcheck_1={"value": "hunter2"}), fragment(radcheck_1={"value": "swordfish"})
        with pytest.raises(ChangeConflict) as caught:
            DOCUMENTS.change([], [mine], others(theirs))
        assert "radcheck/1" in str(caught.value)
        assert not re.search("hunter2|swordfish", str(caught.value))
        with pytest.raises(ChangeConflict):
            DOCUMENTS.change([], [mine, theirs], {})

    def test_the_index_does_not_hold_bodies(self) -> None:
        nodes = DOCUMENTS.nodes(fragment(radcheck_1={"value": "hunter2"}, radcheck_2={"value": "hunter2"}))
        assert "hunter2" not in str(nodes)
        assert nodes[0].value != nodes[1].value, "equal secrets of two customers must not be told from it"


class TestShown:
    def test_whole_documents_and_differing_lines(self) -> None:
        change = DOCUMENTS.change([fragment(a_1={"x": 1, "y": 0}, b_1={})], [fragment(a_1={"x": 2, "y": 0}, c_1={"z": None})], {})
        assert DOCUMENTS.show(change).splitlines() == [
            "- b 1",
            "-   {}",
            "  a 1",
            "    {",
            '-     "x": 1,',
            '+     "x": 2,',
            '      "y": 0',
            "    }",
            "+ c 1",
            "+   {",
            '+     "z": null',
            "+   }",
        ]
        assert DOCUMENTS.show(Change("", "")) == ""

    @pytest.mark.parametrize(
        ("key", "body"),
        [
            ("SI-INT-4821/Cleartext-Password", {"op": ":=", "value": "hunter2"}),
            ("1", {"KeyPassphrase": "hunter2"}),
            ("1", {"shippingItem": [{"characteristic": [{"name": "wpa3Key", "value": "hunter2"}]}]}),
            ("1", {"name": "preSharedKey", "value": "hunter2"}),
        ],
    )
    def test_secrets_are_masked(self, key: str, body: dict[str, object]) -> None:
        text = json.dumps([{"kind": "k", "key": key, "body": body}])
        shown = DOCUMENTS.show(DOCUMENTS.change([], [text], {}))
        assert "hunter2" not in shown
        assert MASK in shown

    def test_a_secret_that_changes_is_seen_to_change(self) -> None:
        shown = DOCUMENTS.show(DOCUMENTS.change([fragment(a_1={"password": "hunter2"})], [fragment(a_1={"password": "swordfish"})], {}))
        assert [line for line in shown.splitlines() if line.startswith("+")] == [f"+   {MASK} (a value that is not shown)"]


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('[\n{"kind": }]', "line 2: not JSON"),
            ("{}", "not a list of documents"),
            ('[{"kind": "a", "key": 1, "body": {}}]', "0/key: Input should be a valid string"),
            ('[{"kind": "a", "key": "1"}]', "0/body: Field required"),
            ('[{"kind": "a", "key": "1", "body": {}, "hunter2": 1}]', "Extra inputs are not permitted"),
            ('[{"kind": "a", "key": "1", "body": "hunter2"}]', "0/body"),
            ('[{"kind": "a", "key": "1", "body": {"x": 1, "x": 2}}]', "a member is stated twice"),
            ('[{"kind": "a", "key": "1", "body": {"x": NaN}}]', "NaN is not JSON"),
            ('[{"kind": "a", "key": "1", "body": {"x": 1}}, {"kind": "a", "key": "1", "body": {"x": 2}}]', "a/1 is stated twice"),
        ],
    )
    def test_what_a_template_must_not_render(self, text: str, message: str) -> None:
        with pytest.raises(TemplateFailed, match=re.escape(message)) as caught:
            DOCUMENTS.parse(text)
        assert "swordfish" not in str(caught.value)
