"""A NETCONF session: hello, framing, one rpc after the other, replies, and the faults that a test asked for.

What the operations do is the personality's: the OLT's is in lab.netconf.operations, the Junos router's in lab.junos.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lxml import etree

from lab.faults import Do, Fault, Faults, When
from lab.netconf.errors import RpcError, RpcFailed, failed
from lab.netconf.framing import FramingError, Unframer, frame
from lab.netconf.names import NotXml, local, make, nc, parse, space

BASE_1_1 = "urn:ietf:params:netconf:base:1.1"
_READ = 65536
_log = logging.getLogger(__name__)


class Channel(Protocol):
    """The SSH channel of a session: bytes in, bytes out."""

    async def read(self, size: int) -> bytes:
        """Return what came, b"" when the client is gone. Raises ConnectionError, as write does."""
        ...

    async def write(self, data: bytes) -> None:
        """Send; waits while the client does not read."""
        ...

    async def gone(self) -> None:
        """Return when the client is gone."""
        ...

    def abort(self) -> None:
        """Close the connection at once."""
        ...


class Personality(Protocol):
    """What a server does with operations."""

    faults: Faults

    @property
    def capabilities(self) -> Sequence[str]:
        """What the hello announces."""
        ...

    @property
    def reply_namespaces(self) -> Mapping[str, str]:
        """Prefixes to declare on each rpc-reply."""
        ...

    def perform(self, session: "Session", operation: etree._Element) -> str:
        """Do an operation and return the content of the rpc-reply, "" for <ok/>. Raises RpcFailed."""
        ...

    def session_ended(self, session: "Session") -> None:
        """Give back what the session held."""
        ...


class Session:
    """One client's session, from hello to its end."""

    def __init__(self, number: int, channel: Channel, personality: Personality) -> None:
        """`number` is the session-id."""
        self.id = number
        self.closing = False
        self._channel, self._personality = channel, personality
        self._unframer = Unframer()
        self._killed = asyncio.Event()

    async def run(self) -> None:
        """Serve until the client closes, vanishes or is killed; then give back all that it held."""
        serving = asyncio.ensure_future(self._serve())
        endings = [serving, asyncio.ensure_future(self._killed.wait()), asyncio.ensure_future(self._channel.gone())]
        try:
            await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in endings:
                task.cancel()
            # at once: whoever waits for a lock need not wait until an answer that nobody reads is given
            self._personality.session_ended(self)
            for result in await asyncio.gather(*endings, return_exceptions=True):
                if isinstance(result, Exception) and not isinstance(result, ConnectionError):
                    _log.error("session %d ended", self.id, exc_info=result)
            if self._killed.is_set():
                self._channel.abort()

    def kill(self) -> None:
        """End the session as kill-session does: at once, whatever it was doing."""
        self._killed.set()

    async def _serve(self) -> None:
        try:
            await self._hello()
            while not self.closing and (message := await self._receive()) is not None:
                await self._answer(message)
        except FramingError:
            self._channel.abort()

    async def _hello(self) -> None:
        hello = make(nc("hello"))
        capabilities = etree.SubElement(hello, nc("capabilities"))
        for capability in self._personality.capabilities:
            etree.SubElement(capabilities, nc("capability")).text = capability
        etree.SubElement(hello, nc("session-id")).text = str(self.id)
        await self._send(etree.tostring(hello, encoding="unicode"))
        answer = await self._receive()
        if answer is None:
            self.closing = True
            return
        try:
            theirs = {(capability.text or "").strip() for capability in parse(answer).iter(nc("capability"))}
        except NotXml as error:
            raise FramingError("the hello is not XML") from error
        if not any(capability.startswith("urn:ietf:params:netconf:base:1.") for capability in theirs):
            raise FramingError("a hello without a base capability")  # RFC 6241 section 8.1: the session must not go on
        self._unframer.chunked = BASE_1_1 in theirs and BASE_1_1 in self._personality.capabilities

    async def _receive(self) -> bytes | None:
        while (message := self._unframer.next()) is None:
            data = await self._channel.read(_READ)
            if not data:
                return None
            self._unframer.feed(data)
        return message

    async def _send(self, message: str) -> None:
        await self._channel.write(frame(message.encode(), chunked=self._unframer.chunked))

    async def _answer(self, message: bytes) -> None:
        reply = make(nc("rpc-reply"), prefixes=self._personality.reply_namespaces)
        try:
            rpc = parse(message.strip())
            reply.attrib.update(rpc.attrib)
            name = self._checked(rpc)
            content = await self._perform(name, rpc[0]) or "<ok/>"
        except NotXml as error:
            content = _malformed(error, chunked=self._unframer.chunked).xml()
            self.closing = True
        except RpcFailed as failure:
            content = "".join(error.xml() for error in failure.errors)
        except Exception:  # noqa: BLE001 - a mistake of ours must not end a client's session: it is logged, and answered as devices do
            _log.exception("an operation of session %d", self.id)
            content = RpcError("operation-failed", "internal error").xml()
        # content is text: lxml drops declarations when it moves elements, and does not look at prefixes in values
        opening = etree.tostring(reply, encoding="unicode").removesuffix("/>")
        await self._send(f"{opening}>{content}</rpc-reply>")

    @staticmethod
    def _checked(rpc: etree._Element) -> str:
        if rpc.tag != nc("rpc"):
            info = [("bad-element", local(rpc))]
            raise failed("unknown-element", "what is not the hello must be an rpc", type_="rpc", info=info)
        if rpc.get("message-id") is None:
            info = [("bad-attribute", "message-id"), ("bad-element", "rpc")]
            raise failed("missing-attribute", "an rpc without message-id", type_="rpc", info=info)
        if len(rpc) != 1:
            raise failed("malformed-message", "an rpc holds exactly one operation", type_="rpc")
        return local(rpc[0])

    async def _perform(self, name: str, operation: etree._Element) -> str:
        faults = self._personality.faults
        if (fault := faults.take(name)) and fault.do is not Do.SLOW:
            await self._misbehave(name, fault)
        elif fault:
            await asyncio.sleep(fault.seconds)
        content = self._personality.perform(self, operation)
        if fault := faults.take(name, when=When.AFTER):
            if fault.do is Do.SLOW:
                await asyncio.sleep(fault.seconds)
            else:
                await self._misbehave(name, fault)
        return content

    async def _misbehave(self, name: str, fault: Fault) -> None:
        """Refuse (raises RpcFailed), hang until the client is gone, or drop the connection."""
        if fault.do is Do.HANG:
            await self._channel.gone()
        if fault.do in (Do.HANG, Do.DROP):
            self.kill()
            await asyncio.Event().wait()  # until run() cancels us
        raise _refusal(name, fault)


def _refusal(name: str, fault: Fault) -> RpcFailed:
    wish: Mapping[str, Any] = fault.error or {}
    default = "resource-denied" if fault.do is Do.EXHAUST else "operation-failed"
    return failed(
        str(wish.get("error-tag", default)),
        str(wish.get("error-message", f"{name} is refused on demand")),
        type_=str(wish.get("error-type", "application")),
        app_tag=str(wish["error-app-tag"]) if "error-app-tag" in wish else None,
    )


def _malformed(error: NotXml, *, chunked: bool) -> RpcError:
    # malformed-message is new in base:1.1 and must not be sent to a client of base:1.0 (RFC 6241 appendix A)
    return RpcError("malformed-message" if chunked else "operation-failed", f"not XML: {error}", "rpc")


def child_text(operation: etree._Element, name: str) -> str | None:
    """Return the text of a parameter of an operation, None when it is not given."""
    element = operation.find(f"{{{space(operation.tag)}}}{name}")
    return None if element is None else (element.text or "").strip()
