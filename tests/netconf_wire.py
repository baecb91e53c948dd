"""A NETCONF client that hides nothing: bytes on a real SSH channel, messages as text. For tests of what lies on the wire."""

import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko
from lxml import etree

from lab.credentials import credentials
from lab.remote import Remote
from lab.standin import Endpoint

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
NC = {"nc": BASE}
END = b"]]>]]>"
LOCK = "<lock><target><candidate/></target></lock>"
UNLOCK = "<unlock><target><candidate/></target></unlock>"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)
_CHUNK = re.compile(rb"\n#(\d+)\n")


@dataclass(frozen=True)
class Device:
    """A running stand-in, its control endpoint, and where its lab is."""

    endpoint: Endpoint
    remote: Remote
    lab: Path


class Refused(AssertionError):
    """An rpc was answered with errors; a test that expected <ok/> fails with their text."""


class Wire:
    """One session. `base` is the framing it asks for: "1.0" or "1.1"."""

    def __init__(self, endpoint: Endpoint, lab: Path, base: str = "1.1") -> None:
        login = credentials(lab, endpoint.name).devices[endpoint.name]
        self._socket = socket.create_connection((endpoint.host, endpoint.port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = paramiko.Transport(self._socket)
        try:
            self._transport.connect(username=login.user, password=login.password)
            self.channel = self._transport.open_session()
            self.channel.settimeout(10)
            self.channel.invoke_subsystem("netconf")
            self._buffer = b""
            self._chunked = False
            self.hello = self._parse(self._receive())
            wish = f"<capability>urn:ietf:params:netconf:base:{base}</capability>"
            self.send_raw(f'<hello xmlns="{BASE}"><capabilities>{wish}</capabilities></hello>'.encode() + END)
            self._chunked = base == "1.1"
        except BaseException:
            self.vanish()
            raise
        self.session_id = self.hello.findtext("nc:session-id", namespaces=NC)
        self._number = 0

    # --- bytes

    def send_raw(self, data: bytes) -> None:
        self.channel.sendall(data)

    def _receive(self) -> bytes:
        return self._receive_chunked() if self._chunked else self._receive_delimited()

    def _receive_delimited(self) -> bytes:
        while END not in self._buffer:
            self._more()
        message, _, self._buffer = self._buffer.partition(END)
        return message

    def _receive_chunked(self) -> bytes:
        message = b""
        while True:
            while (header := _CHUNK.match(self._buffer)) is None and not self._buffer.startswith(b"\n##\n"):
                self._more()
            if header is None:
                self._buffer = self._buffer[4:]
                return message
            end = header.end() + int(header[1])
            while len(self._buffer) < end:
                self._more()
            message += self._buffer[header.end() : end]
            self._buffer = self._buffer[end:]

    def _more(self) -> None:
        data = self.channel.recv(65536)
        if not data:
            raise EOFError("the server closed the session")
        self._buffer += data

    @staticmethod
    def _parse(message: bytes) -> etree._Element:
        return etree.fromstring(message, _PARSER)

    # --- messages

    def send(self, operation: str) -> None:
        self._number += 1
        message = f'<rpc xmlns="{BASE}" message-id="{self._number}">{operation}</rpc>'.encode()
        self.send_raw(b"\n#%d\n%b\n##\n" % (len(message), message) if self._chunked else message + END)

    def receive(self) -> etree._Element:
        return self._parse(self._receive())

    def ask(self, operation: str) -> etree._Element:
        """Return the reply, errors and all."""
        self.send(operation)
        reply = self.receive()
        assert reply.get("message-id") == str(self._number)
        return reply

    def do(self, operation: str) -> etree._Element:
        """Return the reply; raise Refused when it has errors."""
        reply = self.ask(operation)
        if (errors := reply.findall(".//nc:rpc-error", NC)) and errors[0].findtext("nc:error-severity", namespaces=NC) == "error":
            raise Refused(etree.tostring(reply).decode())
        return reply

    def errors(self, operation: str) -> list[etree._Element]:
        """Return the rpc-errors of an operation that must fail."""
        reply = self.ask(operation)
        assert reply.find("nc:ok", NC) is None
        errors = reply.findall("nc:rpc-error", NC)
        assert errors, etree.tostring(reply).decode()
        return errors

    def tag(self, operation: str) -> str | None:
        """Return the error-tag of an operation that must fail with one error."""
        (error,) = self.errors(operation)
        return error.findtext("nc:error-tag", namespaces=NC)

    # --- what most tests say

    def edit(self, config: str, *, default: str = "merge", test: str = "test-then-set", error: str = "rollback-on-error") -> str:
        """An edit-config of the candidate, as an operation. `config` is what goes into <config>."""
        return (
            f"<edit-config><target><candidate/></target><default-operation>{default}</default-operation><test-option>{test}</test-option>"
            f'<error-option>{error}</error-option><config xmlns:nc="{BASE}">{config}</config></edit-config>'
        )

    def change(self, config: str, **options: str) -> None:
        """Edit and commit."""
        self.do(self.edit(config, **options))
        self.do("<commit/>")

    def running(self, filter_: str | None = None) -> etree._Element:
        """Return <data> of running."""
        wanted = "" if filter_ is None else f"<filter>{filter_}</filter>"
        data = self.do(f"<get-config><source><running/></source>{wanted}</get-config>").find("nc:data", NC)
        assert data is not None
        return data

    def get(self, filter_: str) -> etree._Element:
        """Return <data> of configuration and state."""
        data = self.do(f"<get><filter>{filter_}</filter></get>").find("nc:data", NC)
        assert data is not None
        return data

    def close(self) -> None:
        """Say goodbye."""
        with contextlib.suppress(EOFError, OSError):
            self.do("<close-session/>")
        self.vanish()

    def vanish(self) -> None:
        """Be gone without a word."""
        self._transport.close()
        self._socket.close()


@contextlib.contextmanager
def session(endpoint: Endpoint, lab: Path, base: str = "1.1") -> Iterator[Wire]:
    wire = Wire(endpoint, lab, base)
    try:
        yield wire
    finally:
        wire.close()


def canonical(data: etree._Element) -> tuple[object, ...]:
    """Return what a configuration says, without prefixes, white space and the order of siblings."""
    children = tuple(sorted((canonical(child) for child in data), key=repr))
    text = (data.text or "").strip()
    prefix, colon, name = text.rpartition(":")
    if colon and prefix in data.nsmap:
        text = f"{{{data.nsmap[prefix]}}}{name}"
    return (data.tag, text if not children else "", children)


def interface(name: str, *, more: str = "", operation: str = "", kind: str = "ethernetCsmacd") -> str:
    """An interface that nothing depends on."""
    mark = f' nc:operation="{operation}"' if operation else ""
    iana = "urn:ietf:params:xml:ns:yang:iana-if-type"
    return f'<interface{mark}><name>{name}</name><type xmlns:ianaift="{iana}">ianaift:{kind}</type>{more}</interface>'


def interfaces(*entries: str) -> str:
    return f'<interfaces xmlns="{IF}">{"".join(entries)}</interfaces>'


def delete_interface(name: str, operation: str = "delete") -> str:
    return f'<interface nc:operation="{operation}"><name>{name}</name></interface>'


def link(start: str, end: str) -> str:
    entry = f"<link-table><from-interface>{start}</from-interface><to-interface>{end}</to-interface></link-table>"
    return f'<link-table xmlns="urn:bbf:yang:bbf-link-table">{entry}</link-table>'


def named(name: str) -> str:
    """A filter for one interface."""
    return interfaces(f"<interface><name>{name}</name></interface>")


def has_interface(wire: Wire, name: str) -> bool:
    return wire.running(named(name)).find(f".//{{{IF}}}interface") is not None


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until `condition` holds; fail when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
