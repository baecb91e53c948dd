"""The ACS: GenieACS' northbound interface (lib/nbi.ts, v1.2), provisions and presets; and what it knows of a router that called."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from nornir.core.inventory import Host

from engine.errors import TargetError, TargetRefused
from engine.ports import Answer, Look, Question, Trouble
from tasks.connections.http import HttpTarget, http_of
from tasks.kinds.bodies import Body
from tasks.kinds.documents import DocumentKind, DocumentStore
from tasks.kinds.unanswered import not_known
from tasks.transaction import Deadline

_COLLECTION = {"provision": "provisions", "preset": "presets"}
_QUESTIONS = ("inform", "online")
_SECONDS_TO_ASK = 30.0


class _GenieAcs(DocumentStore):
    def __init__(self, http: HttpTarget, deadline: Deadline) -> None:
        super().__init__(http.name, deadline)
        self._http = http

    def read(self, kind: str, key: str) -> Body | None:
        """There is no GET of one: a query of its `_id`."""
        found = self.query(_collection(kind, self.target), {"_id": key})
        return found[0] if found else None

    def create(self, kind: str, key: str, body: Body) -> None:
        self._put(kind, key, body)

    def replace(self, kind: str, key: str, body: Body) -> None:
        self._put(kind, key, body)

    def delete(self, kind: str, key: str) -> None:
        self._http.request("DELETE", self._url(kind, key), seconds=self._seconds(), expected={404})

    def query(self, collection: str, query: Mapping[str, str], projection: str = "") -> list[dict[str, Any]]:
        """Return the documents of a collection that a query (MongoDB's notation) finds."""
        parameters = {"query": json.dumps(query), **({"projection": projection} if projection else {})}
        base = self._http.access.url(target=self.target)
        found: list[dict[str, Any]] = self._http.request("GET", f"{base}/{collection}/", seconds=self._seconds(), params=parameters).json()
        return found

    def _put(self, kind: str, key: str, body: Body) -> None:
        content: dict[str, Any] = {"json": body}
        if kind == "provision":  # the script itself, not a document
            content = {"content": str(body["script"]), "headers": {"Content-Type": "text/javascript"}}
        self._http.request("PUT", self._url(kind, key), seconds=self._seconds(), **content)

    def _url(self, kind: str, key: str) -> str:
        return f"{self._http.access.url(target=self.target)}/{_collection(kind, self.target)}/{quote(key, safe='')}"

    def _seconds(self) -> float:
        return min(self._http.access.timeout, self.deadline.require(self.target, "it was asked"))


def _collection(kind: str, target: str) -> str:
    try:
        return _COLLECTION[kind]
    except KeyError:
        raise TargetRefused(f"{target} holds no documents of kind {kind}, only {', '.join(_COLLECTION)}", target=target) from None


@contextmanager
def _opened(host: Host, deadline: Deadline) -> Iterator[DocumentStore]:
    yield _GenieAcs(http_of(host), deadline)


class GenieAcsKind(DocumentKind):
    """Documents, and two questions about a router by its `serial`:

    `inform`: has it called the ACS (since `after`, an ISO time, if given)? `online`: is it seen online, and by what evidence?
    """

    def __init__(self) -> None:
        super().__init__(_opened)

    def ask(self, questions: Sequence[Question], host: Host) -> Mapping[int, Answer]:
        """Look whether the routers have called (`tasks.kinds.base.Kind`)."""
        acs = _GenieAcs(http_of(host), Deadline(_SECONDS_TO_ASK))
        return {question.step: _answer(acs, question) for question in questions}


def _answer(acs: _GenieAcs, question: Question) -> Answer:
    serial = question.arguments.get("serial", "")
    if question.until not in _QUESTIONS or not serial:
        return not_known(question, [f"{name} (argument serial)" for name in _QUESTIONS])
    awaits = f"inform:{serial}"
    try:
        found = acs.query("devices", {"_deviceId._SerialNumber": serial}, "_id,_lastInform,_registered")
    except TargetError as error:
        return Answer(Look.NOT_YET, error.message, awaits=awaits, trouble=Trouble.of(error))
    calls = [device for device in found if device.get("_lastInform")]
    if not calls:
        return Answer(Look.NOT_YET, f"{serial} has not called {question.target} yet", awaits=awaits)
    last = max(calls, key=lambda device: _time(device["_lastInform"]))
    informed = str(last["_lastInform"])
    after = question.arguments.get("after")
    if after and _time(informed) <= _time(after):
        return Answer(Look.NOT_YET, f"{serial} called {question.target} last at {informed}, not since {after}", awaits=awaits)
    learned = {"acs_id": str(last["_id"]), "last_inform": informed, "since": str(last.get("_registered") or informed)}
    if question.until == "inform":
        return Answer(Look.DONE, f"{serial} called {question.target} at {informed}", learned, awaits)
    evidence = (
        f"online since {learned['since']} by its Inform to {question.target} alone, last at {informed}; lease and accounting not asked"
    )
    return Answer(Look.DONE, evidence, {**learned, "evidence": "Inform"}, awaits)


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


GENIEACS = GenieAcsKind()
