"""The faults of `lab.faults`, shown by an HTTP application: an ASGI middleware."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lab.faults import Do, Fault, Faults, When


@dataclass(frozen=True)
class Call:
    """A request as far as a fault may look at it."""

    method: str
    path: str
    headers: Headers
    body: bytes


OperationNames = Callable[[Call], Sequence[str]]
"""The names of the operation that a request asks for."""


def method_and_path(call: Call) -> Sequence[str]:
    """Name an operation `POST /api/ipam/prefixes/`: method and path, without the query."""
    return (f"{call.method} {call.path}",)


def plain_refusal(fault: Fault, _: Call) -> Response:
    """Answer with the fault's own status (503) and JSON body."""
    return JSONResponse(dict(fault.error or {"error": "refused on demand"}), fault.status or 503)


def plain_exhaustion(fault: Fault, _: Call) -> Response:
    """Answer with the fault's own status (507 Insufficient Storage, RFC 4918) and JSON body: for systems that cannot be full."""
    return JSONResponse(dict(fault.error or {"error": "exhausted on demand"}), fault.status or 507)


@dataclass(frozen=True)
class Answers:
    """How a system says no: the answers to a request that is to be refused, or that finds it full."""

    refused: Callable[[Fault, Call], Response] = plain_refusal
    exhausted: Callable[[Fault, Call], Response] = plain_exhaustion


@dataclass
class FaultInjection:
    """Passes requests on to `app` unless a fault waits for them."""

    app: ASGIApp
    faults: Faults
    answers: Answers = field(default_factory=Answers)
    operations: OperationNames = method_and_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request (ASGI)."""
        if scope["type"] != "http" or not self.faults:
            await self.app(scope, receive, send)
            return
        call = Call(scope["method"], scope["path"], Headers(scope=scope), await _body(receive))
        names = self.operations(call)
        before = self.faults.take(*names)
        if before and not await self._show(before, call, scope, receive, send):
            return
        if after := self.faults.take(*names, when=When.AFTER):
            withheld = _Withheld()
            await self.app(scope, _replay(call.body, receive), withheld)
            if await self._show(after, call, scope, receive, send):
                await withheld.release(send)
            return
        await self.app(scope, _replay(call.body, receive), send)

    async def _show(self, fault: Fault, call: Call, scope: Scope, receive: Receive, send: Send) -> bool:
        """Let the fault happen; True when the request goes on after it."""
        match fault.do:
            case Do.SLOW:
                await asyncio.sleep(fault.seconds)
                return True
            case Do.REFUSE:
                await self.answers.refused(fault, call)(scope, receive, send)
            case Do.EXHAUST:
                await self.answers.exhausted(fault, call)(scope, receive, send)
            case Do.HANG:
                await _gone(receive)
            case Do.DROP:
                # ASGI knows no way to close a connection; uvicorn's `receive` is a method of the object that has the transport
                receive.__self__.transport.abort()  # type: ignore[attr-defined]
                await _gone(receive)
        return False


@dataclass
class _Withheld:
    """Takes an answer that is not (yet) to be sent."""

    messages: list[Message] = field(default_factory=list)

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    async def release(self, send: Send) -> None:
        for message in self.messages:
            await send(message)


async def _body(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read already, then what the client still says."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


async def _gone(receive: Receive) -> None:
    """Wait until the client is gone, so that the server does not answer in our place."""
    while (await receive())["type"] != "http.disconnect":
        pass
