"""The ACS' side of CWMP: a session in which a device informs, is asked for its parameters and told what they shall be."""

import itertools
import secrets
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime

from lab.acs import soap
from lab.acs.devices import Devices, Parameter, timestamp
from lab.acs.presets import Presets
from lab.documents import Documents

Steps = Generator[bytes, soap.Message, None]
"""What the ACS sends, one RPC at a time, given the answer to the last one."""

_WHOLE = "InternetGatewayDevice."


@dataclass
class Session:
    """One device's session."""

    device_id: str
    steps: Steps
    is_asked: bool = False


class Sessions:
    """The sessions that are going on, by cookie. They live in memory: a device whose session is lost informs again."""

    def __init__(self, documents: Documents, devices: Devices, presets: Presets, now: Callable[[], datetime]) -> None:
        """Use the store, the devices and presets in it, and the lab's time."""
        self._documents = documents
        self._presets = presets
        self._devices = devices
        self._now = now
        self._open: dict[str, Session] = {}
        self._numbers = itertools.count(1)

    def is_open(self, device_id: str) -> bool:
        """Whether a device is in session."""
        return any(session.device_id == device_id for session in self._open.values())

    def inform(self, message: soap.Message) -> tuple[str, bytes]:
        """Begin a session with an Inform; returns its cookie and the InformResponse. An older session of the device is over."""
        identity, events = soap.identity_of(message), soap.events_of(message)
        self._devices.inform(identity, events, soap.parameters_of(message), self._now())
        self._open = {cookie: session for cookie, session in self._open.items() if session.device_id != identity.device_id}
        cookie = secrets.token_hex(12)
        self._open[cookie] = Session(identity.device_id, self._steps(identity.device_id, events))
        return cookie, soap.inform_response(message.id)

    def go_on(self, cookie: str, message: soap.Message | None) -> bytes | None:
        """Return the next RPC of a session, given the device's empty request or its answer; None ends the session.

        Raises KeyError when there is no such session.
        """
        session = self._open[cookie]
        try:
            if not session.is_asked:
                session.is_asked = True
                return next(session.steps)
            if message is not None:
                return session.steps.send(message)
        except StopIteration:
            pass
        del self._open[cookie]
        return None

    def _steps(self, device_id: str, events: list[str]) -> Steps:
        """Fetch what is not known or to be fetched anew, carry out the tasks, then the presets: they have the last word."""
        now = self._now()
        device = self._devices.get(device_id)
        if device is None:  # deleted meanwhile
            return
        if "0 BOOTSTRAP" in events or "InternetGatewayDevice" not in device:
            yield from self._fetch(device_id, [_WHOLE])
            device = self._devices.get(device_id) or device
        for task_id, task in [(key, task) for key, task in self._documents.all("task") if task["device"] == device_id]:
            values = {path: _parameter(value) for path, value, *_ in task.get("parameterValues", [])}
            if (yield from self._set(device_id, values, f"task_{task_id}")):
                self._documents.delete("task", task_id)
        asked = self._presets.wanted(device, events)
        for tag, present in asked.tags.items():
            self._devices.tag(device_id, tag, present=present)
        if asked.refresh:
            yield from self._fetch(device_id, sorted(asked.refresh))
        known = self._devices.values(device_id)
        different = {path: _parameter(value) for path, value in asked.settings.items() if known.get(path) != _text(value)}
        yield from self._set(device_id, different, "default", key=timestamp(now))

    def _fetch(self, device_id: str, paths: list[str]) -> Generator[bytes, soap.Message, None]:
        answer = yield soap.get_parameter_values(self._number(), paths)
        if answer.name == "GetParameterValuesResponse":
            # TR-069 tells what is writable with GetParameterNames; here the device's own answer to a change will
            known = {path: Parameter(one.value, one.type, writable=True) for path, one in soap.parameters_of(answer).items()}
            self._devices.learn(device_id, known, self._now())
        else:
            self._fault(device_id, "default", answer)

    def _set(self, device_id: str, values: dict[str, Parameter], channel: str, key: str = "") -> Generator[bytes, soap.Message, bool]:
        """Set values; False when the device refuses: it refuses all of them, and a fault tells why."""
        if not values:
            return True
        answer = yield soap.set_parameter_values(self._number(), values, key)
        if answer.name != "SetParameterValuesResponse":
            self._fault(device_id, channel, answer)
            return False
        self._devices.learn(device_id, values, self._now())
        self._documents.delete("fault", f"{device_id}:{channel}")
        return True

    def _fault(self, device_id: str, channel: str, answer: soap.Message) -> None:
        code = answer.text("detail/cwmp:Fault/FaultCode") or "9002"
        text = answer.text("detail/cwmp:Fault/FaultString") or "unexpected answer"
        key = f"{device_id}:{channel}"
        fault = {
            "_id": key,
            "device": device_id,
            "channel": channel,
            "timestamp": timestamp(self._now()),
            "code": f"cwmp.{code}",
            "message": text,
        }
        self._documents.put("fault", key, fault)

    def _number(self) -> str:
        return str(next(self._numbers))


def _text(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _parameter(value: str | float | bool) -> Parameter:
    kind = "xsd:boolean" if isinstance(value, bool) else "xsd:unsignedInt" if isinstance(value, int) else "xsd:string"
    return Parameter(_text(value), kind, writable=True)
