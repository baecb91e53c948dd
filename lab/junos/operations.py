"""The RPCs of a Junos device: the Junos XML API as PyEZ and NAPALM use it, and the NETCONF operations that mean the same."""

import time
from collections.abc import Callable, Iterable, Mapping
from xml.sax.saxutils import escape

from lxml import etree

from lab.faults import Faults
from lab.junos import curly, jxml, operational, setlines
from lab.junos.database import Database
from lab.junos.loading import Load
from lab.junos.tree import EMPTY, Key, Tree, lookup
from lab.netconf.errors import failed
from lab.netconf.names import local
from lab.netconf.session import Session

_XNM = "http://xml.juniper.net/xnm/1.1/xnm"
_DEFAULT_MINUTES = 10

Perform = Callable[[Session, etree._Element], str | None]


class Operations:
    """A Junos device as `lab.netconf.session.Personality`."""

    reply_namespaces: Mapping[str, str] = {"junos": operational.JUNOS}
    capabilities = (
        "urn:ietf:params:netconf:base:1.0",
        "urn:ietf:params:netconf:capability:candidate:1.0",
        "urn:ietf:params:netconf:capability:confirmed-commit:1.0",
        "urn:ietf:params:netconf:capability:validate:1.0",
        "http://xml.juniper.net/netconf/junos/1.0",
        "http://xml.juniper.net/dmi/system/1.0",
    )

    def __init__(self, database: Database, name: str, sessions: Mapping[int, Session]) -> None:
        """`name` is the host name unless one is configured; `sessions` are the server's, for kill-session."""
        self.faults = Faults()
        self._database, self._name, self._sessions = database, name, sessions
        self._started = time.time()
        self._operations: dict[str, Perform] = {
            "lock-configuration": lambda session, _: database.lock(session.id),
            "lock": lambda session, _: database.lock(session.id),
            "unlock-configuration": lambda session, _: database.unlock(session.id),
            "unlock": lambda session, _: database.unlock(session.id),
            "open-configuration": lambda *_: None,
            "close-configuration": lambda *_: None,
            "load-configuration": self._load,
            "get-configuration": self._get_configuration,
            "commit-configuration": self._commit,
            "commit": self._commit,
            "validate": lambda *_: database.check(),
            "discard-changes": self._discard,
            "close-session": self._close_session,
            "kill-session": self._kill_session,
            "get-software-information": lambda *_: operational.software_information(self._host_name),
            "get-chassis-inventory": lambda *_: operational.chassis_inventory(self._host_name),
            "get-route-engine-information": lambda *_: operational.route_engine_information(self._started),
            "get-system-uptime-information": lambda *_: operational.system_uptime(self._started),
            "get-interface-information": lambda *_: operational.interface_information(database.active),
            "get-commit-information": lambda *_: operational.commit_information(database.history.commits()),
            "get-commit-revision-information": lambda *_: operational.commit_revision(database.history.commits(1)[0]),
        }

    @property
    def _host_name(self) -> str:
        configured = lookup(self._database.active, (Key("system"), Key("host-name")))
        return configured if isinstance(configured, str) else self._name

    def perform(self, session: Session, operation: etree._Element) -> str:
        """Do an operation and return the content of the rpc-reply, "" for <ok/>. Raises RpcFailed."""
        do = self._operations.get(local(operation))
        if do is None:
            info = [("bad-element", local(operation))]
            raise failed("operation-failed", "syntax error, expecting <rpc> or </rpc>", type_="protocol", info=info)
        return do(session, operation) or ""

    def session_ended(self, session: Session) -> None:
        """Give back what the session held."""
        self._database.session_ended(session.id)

    # --- configuration

    def _load(self, session: Session, operation: etree._Element) -> str:
        """Change the candidate. What is wrong is answered within load-configuration-results, as Junos does; the rest is loaded."""
        self._database.must_be_free(session.id)
        if (number := operation.get("rollback")) is not None:
            self._database.rollback(_number(number), session.id)
            return "<load-configuration-results><ok/></load-configuration-results>"
        action, form = operation.get("action", "merge"), operation.get("format", "xml")
        if action not in ("merge", "replace", "override", "set"):
            raise failed("operation-failed", f"the load action {action} is not supported", type_="protocol", info=[("bad-element", action)])
        onto = Load(EMPTY if action == "override" else self._database.candidate)
        if action == "set":
            setlines.load(_text(operation), onto)
        elif form == "text":
            curly.load(_text(operation), onto)
        elif form == "xml":
            jxml.load(_configuration(operation), onto)
        else:
            raise failed("operation-failed", f"the load format {form} is not supported", type_="protocol", info=[("bad-element", form)])
        self._database.take(onto.tree, session.id)
        found = "".join(error.xml() for error in (*onto.errors, *onto.warnings))
        ending = f"<load-error-count>{len(onto.errors)}</load-error-count>" if onto.errors else "<ok/>"
        return f"<load-configuration-results>{found}{ending}</load-configuration-results>"

    def _get_configuration(self, _: Session, operation: etree._Element) -> str:
        if operation.get("compare") == "rollback":
            old = self._database.history.rollback(_number(operation.get("rollback", "0")))
            if old is None:
                raise failed("operation-failed", "could not open configuration database: no such rollback", type_="protocol")
            text = _lines(curly.compare(old, self._database.candidate))
            # a line end, also when there is nothing: PyEZ knows by it that nothing differs
            output = escape("\n" + text)
            return f"<configuration-information><configuration-output>{output}</configuration-output></configuration-information>"
        tree = self._database.active if operation.get("database") == "committed" else self._database.candidate
        wanted = operation.find("{*}configuration")
        return _shown(tree if wanted is None else jxml.select(tree, wanted), operation.get("format", "xml"))

    def _commit(self, session: Session, operation: etree._Element) -> None:
        if operation.find("{*}check") is not None:
            self._database.check()
            return
        minutes = None
        if operation.find("{*}confirmed") is not None:
            given = operation.findtext("{*}confirm-timeout") or str(_DEFAULT_MINUTES)
            minutes = _number(given) if local(operation) == "commit-configuration" else max(1, _number(given) // 60)
            if minutes < 1:
                raise failed("operation-failed", f"Value {given} is not within range (1..65535)", type_="protocol")
        log = (operation.findtext("{*}log") or "").strip() or None
        self._database.commit(session.id, log, minutes)

    def _discard(self, session: Session, _: etree._Element) -> None:
        self._database.must_be_free(session.id)
        self._database.discard()

    # --- sessions

    @staticmethod
    def _close_session(session: Session, _: etree._Element) -> None:
        session.closing = True

    def _kill_session(self, session: Session, operation: etree._Element) -> None:
        wanted = (operation.findtext("{*}session-id") or "").strip()
        victim = self._sessions.get(int(wanted)) if wanted.isdecimal() else None
        if victim is None or victim is session:
            raise failed("invalid-value", f"no session {wanted}", info=[("bad-element", "session-id")])
        self._database.session_ended(victim.id)
        victim.kill()


def _shown(tree: Tree, form: str) -> str:
    if form == "text":
        return f'<configuration-text xmlns="{_XNM}">\n{escape(_lines(curly.write(tree)))}</configuration-text>'
    if form == "set":
        return f'<configuration-set xmlns="{_XNM}">\n{escape(_lines(setlines.lines(tree)))}</configuration-set>'
    if form == "xml":
        return f'<configuration xmlns="{_XNM}">{"".join(jxml.write(tree))}</configuration>'
    raise failed("operation-failed", f"the format {form} is not supported", type_="protocol", info=[("bad-element", form)])


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _text(operation: etree._Element) -> str:
    return "".join(str(part) for part in operation.itertext())


def _configuration(operation: etree._Element) -> etree._Element:
    configuration = operation.find("{*}configuration")
    if configuration is None:
        raise failed(
            "operation-failed", "missing mandatory argument: configuration", type_="protocol", info=[("bad-element", "configuration")]
        )
    return configuration


def _number(text: str) -> int:
    if not text.strip().isdecimal():
        raise failed("operation-failed", f"invalid numeric value: '{text}'", type_="protocol", info=[("bad-element", text)])
    return int(text)
