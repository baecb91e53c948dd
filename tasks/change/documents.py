"""Configuration as documents with a kind and a key: Kea reservations, FreeRADIUS rows, ACS presets, cloud and shipping orders."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import ndiff
from typing import Literal, NoReturn, TypedDict, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from engine.errors import TemplateFailed
from engine.ports import Change, Json, Node
from engine.vault import MASK
from tasks.change.difference import Difference, difference, union
from tasks.change.format import Others
from tasks.change.masking import digest, is_secret


class Document(BaseModel):
    """One document of a fragment. `kind` and `key` identify it on its target."""

    # a message of pydantic would quote the input, and that may be a secret
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)

    kind: str
    key: str
    body: dict[str, object]

    @property
    def path(self) -> str:
        """`kind/key`."""
        return f"{self.kind}/{self.key}"


class Operation(TypedDict, total=False):
    """One line of a change. `body`: what is put; `was`: what is replaced or deleted, absent when a document is put anew."""

    op: Literal["put", "delete"]
    kind: str
    key: str
    body: dict[str, object]
    was: dict[str, object]


_DOCUMENTS = TypeAdapter(list[Document])


class Documents:
    """A fragment is a JSON list of {"kind", "key", "body"}; a change is a JSON list of operations, carried out in this order.

    Documents that several services state must be equal. Deletes go first, in reverse order of statement, because a key or an
    address may move to another document; then what is put, in the order of statement, so that a preset may follow its provision.
    """

    extension = "json"

    def parse(self, text: str) -> Sequence[Document]:
        """Raises TemplateFailed when it is not such a list, or states a document twice with different bodies."""
        try:
            found = _DOCUMENTS.validate_python(json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse))
        except json.JSONDecodeError as error:
            raise TemplateFailed(f"line {error.lineno}: not JSON: {error.msg}") from None
        except ValidationError as error:
            where = "; ".join(f"{'/'.join(map(str, item['loc'])) or 'top level'}: {item['msg']}" for item in error.errors())
            raise TemplateFailed(f'not a list of documents {{"kind", "key", "body"}}: {where}') from None
        seen: dict[str, str] = {}
        for document in found:
            if seen.setdefault(document.path, value := _value(document)) != value:
                raise TemplateFailed(f"{document.path} is stated twice, with different bodies")
        return found

    def nodes(self, text: str) -> Sequence[Node]:
        """One node a document; its value is a digest of the body, which may hold secrets."""
        return [Node(path, value) for path, value in _flat(_by_path(self.parse(text))).items()]

    def part(self, text: str, fragments: Sequence[str], also: Collection[str]) -> str:
        """These documents, of those that are there."""
        stated = {document.path for fragment in fragments for document in self.parse(fragment)} | set(also)
        return json.dumps([document.model_dump() for document in self.parse(text) if document.path in stated], ensure_ascii=False)

    def as_held(self, text: str, held: str, paths: Collection[str]) -> str:
        """These documents as the system has them."""
        there = _by_path(self.parse(held))
        found = (there.get(document.path) if document.path in paths else document for document in self.parse(text))
        return json.dumps([document.model_dump() for document in found if document is not None], ensure_ascii=False)

    def around(self, path: str) -> Iterator[str]:  # noqa: ARG002 - the shape of a notation
        """Nothing: documents are beside each other."""
        return iter(())

    def change(self, applied: Sequence[str], wanted: Sequence[str], others: Others) -> Change:
        """Operations as JSON; the reverse is their inverses, backwards. Raises ChangeConflict."""
        before, after = ([_by_path(self.parse(text)) for text in texts] for texts in (applied, wanted))
        todo = difference(union(map(_flat, before)), union(map(_flat, after)), others)
        forward = list(_operations(_together(before), _together(after), todo))
        return Change(_dump(forward), _dump([_inverse(operation) for operation in reversed(forward)]))

    def show(self, change: Change) -> str:
        """The bodies as indented JSON, lines that do not differ with a blank."""
        return "\n".join(line for operation in json.loads(change.forward or "[]") for line in _shown(operation))


def _by_path(fragment: Sequence[Document]) -> dict[str, Document]:
    return {document.path: document for document in fragment}


def _together(fragments: Iterable[Mapping[str, Document]]) -> dict[str, Document]:
    return {path: document for fragment in fragments for path, document in fragment.items()}


def _flat(documents: Mapping[str, Document]) -> dict[str, str]:
    return {path: _value(document) for path, document in documents.items()}


def _value(document: Document) -> str:
    return digest(document.path, json.dumps(document.body, sort_keys=True))


def _operations(old: Mapping[str, Document], new: Mapping[str, Document], todo: Difference) -> Iterator[Operation]:
    for path in reversed(list(old)):
        if path in todo.deleted:
            yield {"op": "delete", "kind": old[path].kind, "key": old[path].key, "was": old[path].body}
    for path, document in new.items():
        if path in todo.created:
            yield {"op": "put", "kind": document.kind, "key": document.key, "body": document.body}
        elif path in todo.changed:
            yield {"op": "put", "kind": document.kind, "key": document.key, "body": document.body, "was": old[path].body}


def _inverse(operation: Operation) -> Operation:
    same: Operation = {"op": "put", "kind": operation["kind"], "key": operation["key"]}
    if operation["op"] == "delete":
        return {**same, "body": operation["was"]}
    if "was" in operation:
        return {**same, "body": operation["was"], "was": operation["body"]}
    return {**same, "op": "delete", "was": operation["body"]}


def _dump(operations: Sequence[Operation]) -> str:
    return json.dumps(operations, ensure_ascii=False) if operations else ""


def _shown(operation: Operation) -> Iterator[str]:
    sign = {"delete": "-", "put": "+"}[operation["op"]] if len({"body", "was"} & operation.keys()) == 1 else " "
    yield f"{sign} {operation['kind']} {operation['key']}"
    was, body = (_pretty(operation["key"], there) for there in (operation.get("was"), operation.get("body")))
    for line in ndiff(was, body):
        if not line.startswith("?"):  # ndiff's hints at where within a line
            yield f"{line[:2]}  {line[2:]}"
    if was == body:
        yield f"+   {MASK} (a value that is not shown)"


def _pretty(key: str, body: Mapping[str, object] | None) -> list[str]:
    if body is None:
        return []
    # the last part of a FreeRADIUS row's key is the attribute that its value is of
    named = {"name": key.rpartition("/")[2], **body}
    masked = cast("dict[str, Json]", _masked(cast("Json", named)))
    return json.dumps({name: masked[name] for name in body}, indent=2, ensure_ascii=False).splitlines()


def _masked(value: Json) -> Json:
    """Without what a secret name holds: as a member, or as the `value` beside a `name` (TMF characteristics, GenieACS, RADIUS)."""
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        named = is_secret(str(value.get("name", "")))
        return {name: MASK if is_secret(name) or (named and name == "value") else _masked(item) for name, item in value.items()}
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise TemplateFailed(f"a member is stated twice among {', '.join(name for name, _ in pairs)}")
    return found


def _refuse(constant: str) -> NoReturn:
    raise TemplateFailed(f"{constant} is not JSON")
