"""The operations of RFC 6241 (and get-schema of RFC 6022) on a device's datastores."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, get_args

from lxml import etree

from lab.faults import Faults
from lab.netconf.datastore import Confirmed, Datastore, ErrorOption, Name, TestOption
from lab.netconf.errors import failed
from lab.netconf.filter import Source, everything, select
from lab.netconf.monitoring import Monitoring
from lab.netconf.names import MONITORING, local, make, nc
from lab.netconf.schema import Schema
from lab.netconf.session import Session, child_text
from lab.netconf.sources import Configuration, Together
from lab.netconf.yang import Yang

_CAPABILITY = "urn:ietf:params:netconf:capability:"
_CAPABILITIES = ("candidate:1.0", "confirmed-commit:1.1", "rollback-on-error:1.0", "validate:1.1")
_DEFAULT_OPERATIONS = ("merge", "replace", "none")

T = TypeVar("T", bound=str)
Perform = Callable[[Session, etree._Element], str | None]


class Operations:
    """A NETCONF server with a candidate, as `lab.netconf.session.Personality`."""

    reply_namespaces: Mapping[str, str] = {}

    def __init__(self, datastore: Datastore, schema: Schema, yang: Yang, state: Source, sessions: Mapping[int, Session]) -> None:
        """`state` is what `get` reads; `sessions` are the server's, for kill-session."""
        self.faults = Faults()
        self._datastore, self._schema, self._yang, self._sessions = datastore, schema, yang, sessions
        self.capabilities = (
            "urn:ietf:params:netconf:base:1.0",
            "urn:ietf:params:netconf:base:1.1",
            *(_CAPABILITY + name for name in _CAPABILITIES),
            f"{MONITORING}?module=ietf-netconf-monitoring&revision=2010-10-04",
            *yang.capabilities,
        )
        self._state = Together(state, Monitoring(yang, self.capabilities))
        self._operations: dict[str, Perform] = {
            nc("get"): self._get,
            nc("get-config"): self._get_config,
            nc("edit-config"): self._edit_config,
            nc("validate"): self._validate,
            nc("commit"): self._commit,
            nc("cancel-commit"): self._cancel_commit,
            nc("discard-changes"): lambda session, _: datastore.discard(session.id),
            nc("lock"): lambda session, operation: datastore.lock(_datastore(operation, "target"), session.id),
            nc("unlock"): lambda session, operation: datastore.unlock(_datastore(operation, "target"), session.id),
            nc("close-session"): self._close_session,
            nc("kill-session"): self._kill_session,
            f"{{{MONITORING}}}get-schema": self._get_schema,
        }

    def perform(self, session: Session, operation: etree._Element) -> str:
        """Do an operation and return the content of the rpc-reply, "" for <ok/>. Raises RpcFailed."""
        do = self._operations.get(operation.tag)
        if do is None:
            raise failed("operation-not-supported", f"there is no operation {local(operation)}", type_="protocol")
        return do(session, operation) or ""

    def session_ended(self, session: Session) -> None:
        """Give back what the session held."""
        self._datastore.session_ended(session.id)

    def _get(self, _: Session, operation: etree._Element) -> str:
        return _data(self._state, operation)

    def _get_config(self, _: Session, operation: etree._Element) -> str:
        name = _datastore(operation, "source")
        units = self._datastore.candidate if name == "candidate" else self._datastore.running
        return _data(Configuration(self._schema, units), operation)

    def _edit_config(self, session: Session, operation: etree._Element) -> None:
        if _datastore(operation, "target") != "candidate":
            raise failed("operation-not-supported", "only the candidate can be edited", type_="protocol")
        config = operation.find(nc("config"))
        if config is None:
            raise _missing("config")
        test: TestOption = _option(operation, "test-option", get_args(TestOption), "test-then-set")
        error: ErrorOption = _option(operation, "error-option", get_args(ErrorOption), "stop-on-error")
        default = _option(operation, "default-operation", _DEFAULT_OPERATIONS, "merge")
        self._datastore.edit(config, session.id, default, test, error)

    def _validate(self, _: Session, operation: etree._Element) -> None:
        source = operation.find(nc("source"))
        config = source.find(nc("config")) if source is not None else None
        if config is not None:
            self._datastore.validate_config(config)
        elif _datastore(operation, "source") == "candidate":
            self._datastore.validate()
        else:
            self._datastore.validate_running()

    def _commit(self, session: Session, operation: etree._Element) -> None:
        confirmed = None
        if operation.find(nc("confirmed")) is not None:
            confirmed = Confirmed(_seconds(child_text(operation, "confirm-timeout")), child_text(operation, "persist"))
        self._datastore.commit(session.id, confirmed, child_text(operation, "persist-id"))

    def _cancel_commit(self, session: Session, operation: etree._Element) -> None:
        self._datastore.cancel(session.id, child_text(operation, "persist-id"))

    @staticmethod
    def _close_session(session: Session, _: etree._Element) -> None:
        session.closing = True

    def _kill_session(self, session: Session, operation: etree._Element) -> None:
        wanted = child_text(operation, "session-id")
        if wanted is None:
            raise _missing("session-id")
        victim = self._sessions.get(int(wanted)) if wanted.isdecimal() else None
        if victim is None or victim is session:
            raise failed("invalid-value", f"{wanted} is not another session", info=[("bad-element", "session-id")])
        # its locks are free when the client reads the answer, not some time later
        self._datastore.session_ended(victim.id)
        victim.kill()

    def _get_schema(self, _: Session, operation: etree._Element) -> str:
        name, version, form = (child_text(operation, parameter) for parameter in ("identifier", "version", "format"))
        if name is None:
            raise _missing("identifier")
        if (form or "yang").rpartition(":")[2] != "yang":
            raise failed("invalid-value", f"no schema in the format {form}", info=[("bad-element", "format")])
        try:
            text = self._yang.source(name, version)
        except KeyError as error:
            raise failed("invalid-value", f"there is no module {name} {version or ''}".rstrip()) from error
        data = make(f"{{{MONITORING}}}data")
        data.text = text
        return etree.tostring(data, encoding="unicode")


def _data(source: Source, operation: etree._Element) -> str:
    wanted = operation.find(nc("filter"))
    kind = (wanted.get("type") or wanted.get(nc("type")) or "subtree") if wanted is not None else "subtree"
    if kind == "xpath":
        raise failed("operation-not-supported", "the :xpath capability is not there", type_="protocol", info=[("bad-element", "filter")])
    if kind != "subtree":
        info = [("bad-attribute", "type"), ("bad-element", "filter")]
        raise failed("bad-attribute", f"there is no filter of type {kind!r}", type_="protocol", info=info)
    return f"<data>{everything(source) if wanted is None else select(source, wanted)}</data>"


def _datastore(operation: etree._Element, parameter: str) -> Name:
    given = operation.find(nc(parameter))
    if given is None or len(given) == 0:
        raise _missing(parameter)
    for name in get_args(Name):
        if given[0].tag == nc(name):
            known: Name = name
            return known
    raise failed(
        "invalid-value", f"there is no datastore {local(given[0])} here", type_="protocol", info=[("bad-element", local(given[0]))]
    )


def _option(operation: etree._Element, name: str, known: Sequence[T], default: T) -> T:
    given = child_text(operation, name)
    if given is None:
        return default
    for option in known:
        if given == option:
            return option
    raise failed("invalid-value", f"{name} is one of {', '.join(known)}", type_="protocol", info=[("bad-element", name)])


def _seconds(text: str | None) -> float:
    if text is None:
        return 600.0
    if not text.isdecimal() or not 1 <= int(text) <= 4294967295:
        raise failed(
            "invalid-value", "confirm-timeout is a number of seconds from 1", type_="protocol", info=[("bad-element", "confirm-timeout")]
        )
    return float(text)


def _missing(element: str) -> Exception:
    return failed("missing-element", f"{element} is missing", type_="protocol", info=[("bad-element", element)])
