"""What can be looked at on an OLT or access switch before a change is confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from lxml import etree

from engine.ports import Change
from tasks.netconf.readback import read_back, summary
from tasks.netconf.session import NetconfSession
from tasks.netconf.xml import escaped, text_of
from tasks.transaction import Check

_IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
_V_ANI = "urn:bbf:yang:bbf-xponvani"
_L2 = "urn:bbf:yang:bbf-l2-forwarding"


def checks_of(session: NetconfSession, change: Change) -> Mapping[str, Check]:
    """Return the checks by name, on this session. Each raises RpcRefused, TargetTimeout, TargetLost."""
    return {
        "bearer-up": partial(_bearer_up, session),
        "vlan-forwarding": partial(_vlan_forwarding, session),
        "readback": partial(_readback, session, change),
    }


def _bearer_up(session: NetconfSession, arguments: Mapping[str, str]) -> tuple[bool, str]:
    """The PON port is up and the ONT is expected there. Whether the ONT has ranged is not asked: it may still be in its box.

    Arguments: `channel_termination` and `v_ani` (names of interfaces), `serial` (the v-ani's expected-serial-number).
    """
    port, v_ani, serial = (arguments.get(name, "") for name in ("channel_termination", "v_ani", "serial"))
    if not (port and v_ani and serial):
        return False, "the catalogue must give channel_termination, v_ani and serial"
    data = session.get(_interface_filters(port, v_ani))
    state = _oper_status(data, port)
    expected = text_of(_interface(data, v_ani, f"{{{_V_ANI}}}v-ani/{{{_V_ANI}}}expected-serial-number"))
    if state != "up":
        return False, f"PON port {port} is {state or 'not there'}"
    if expected != serial:
        return False, f"{v_ani} expects ONT {expected or '(none)'} instead of {serial}"
    return True, f"PON port {port} is up, {v_ani} expects ONT {serial}"


def _vlan_forwarding(session: NetconfSession, arguments: Mapping[str, str]) -> tuple[bool, str]:
    """The VLAN's sub-interfaces are there, not down, and joined by a forwarder.

    Arguments: `interfaces` (names of sub-interfaces, separated by commas), `forwarder` (its name).
    """
    names = [name.strip() for name in arguments.get("interfaces", "").split(",") if name.strip()]
    forwarder = arguments.get("forwarder", "")
    if not (names and forwarder):
        return False, "the catalogue must give interfaces and forwarder"
    joined = f'<forwarding xmlns="{_L2}"><forwarders><forwarder><name>{escaped(forwarder)}</name></forwarder></forwarders></forwarding>'
    data = session.get([*_interface_filters(*names), joined])
    for name in names:
        if _interface(data, name) is None:
            return False, f"there is no interface {name}"
        if (state := _oper_status(data, name)) == "down":
            return False, f"interface {name} is {state}"
    step = f"{{{_L2}}}"
    ports = {
        text_of(port)
        for port in data.iterfind(f"{step}forwarding/{step}forwarders/{step}forwarder/{step}ports/{step}port/{step}sub-interface")
    }
    if outside := [name for name in names if name not in ports]:
        return False, f"forwarder {forwarder} does not join {', '.join(outside)}"
    return True, f"forwarder {forwarder} joins {', '.join(names)}"


def _readback(session: NetconfSession, change: Change, arguments: Mapping[str, str]) -> tuple[bool, str]:  # noqa: ARG001 - a check's shape
    """Running holds what the change says. Takes no arguments."""
    missing = read_back(session, change.forward)
    return not missing, f"read back: {summary(missing)}" if missing else "read back as sent"


def _interface_filters(*names: str) -> list[str]:
    """Select interfaces with their state: since RFC 8343 it is beside the configuration, before (RFC 7223) it was in interfaces-state."""
    entries = "".join(f"<interface><name>{escaped(name)}</name></interface>" for name in names)
    return [f'<{tree} xmlns="{_IF}">{entries}</{tree}>' for tree in ("interfaces", "interfaces-state")]


def _oper_status(data: etree._Element, name: str) -> str:
    step = f"{{{_IF}}}"
    return text_of(_interface(data, name, f"{step}oper-status")) or text_of(
        _interface(data, name, f"{step}oper-status", "interfaces-state")
    )


def _interface(data: etree._Element, name: str, path: str = "", tree: str = "interfaces") -> etree._Element | None:
    for interface in data.iterfind(f"{{{_IF}}}{tree}/{{{_IF}}}interface"):
        if text_of(interface.find(f"{{{_IF}}}name")) == name:
            return interface.find(path) if path else interface
    return None
