"""Operational state: which interfaces are up, and what the PON ports see of their ONTs (ietf-interfaces, bbf-xpon-onu-state, bbf-xponvani).

An ONT that is configured is expected; it is present once it was plugged in (POST <control>/onts). Every other interface that is
enabled is up, since the stand-in has no fibre that could be cut.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from lab.netconf.names import make
from lab.netconf.schema import Node, Schema
from lab.netconf.sources import Configuration, Entries, Together
from lab.netconf.units import Running, UnitId

IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
XPON = "urn:bbf:yang:bbf-xpon"
VANI = "urn:bbf:yang:bbf-xponvani"
ONU_STATE = "urn:bbf:yang:bbf-xpon-onu-state"
ONU_TYPES = "urn:bbf:yang:bbf-xpon-onu-types"
LINKS = "urn:bbf:yang:bbf-link-table"

_LIST = f"/{{{IF}}}interfaces/{{{IF}}}interface"
_LINK = f"/{{{LINKS}}}link-table/{{{LINKS}}}link-table"
_ON_ITS_PORT = "onu-present-and-on-intended-channel-termination"
_UNCLAIMED = "onu-present-and-no-v-ani-known-and-unclaimed"
_EXPECTED = "onu-not-present-with-v-ani"


@dataclass(frozen=True)
class Ont:
    """An ONT that was plugged in: since when (RFC 3339), and for one that nobody expects at which channel termination."""

    serial: str
    since: str
    port: str | None = None


class OperationalState:
    """State computed from running and from the ONTs that are plugged in, when it is asked for."""

    def __init__(self, schema: Schema, running: Running, onts: Mapping[str, Ont], started: str) -> None:
        """Look at `running` and `onts` (by serial number) as they are at the time of the question."""
        self._running, self._onts, self._started = running, onts, started
        states = Entries(f"{{{IF}}}interfaces-state", f"{{{IF}}}interface", f"{{{IF}}}name", self._names, self.interface_state)
        self.source = Together(Configuration(schema, running, self._with_state), states)

    def _names(self) -> Iterator[str]:
        return (unit.id.key for unit in self._running.under(_LIST))

    def _interface(self, name: str) -> etree._Element | None:
        unit = self._running.get(UnitId(_LIST, name))
        return unit.element if unit else None

    def _with_state(self, node: Node, element: etree._Element) -> etree._Element:
        if node.path != _LIST:
            return element
        result = copy.deepcopy(element)
        etree.SubElement(result, f"{{{IF}}}admin-status").text = _admin(element)
        etree.SubElement(result, f"{{{IF}}}oper-status").text = self.oper_status(element)
        etree.SubElement(result, f"{{{IF}}}last-change").text = self._started
        return result

    def interface_state(self, name: str) -> etree._Element | None:
        """Return the entry of /interfaces-state, None when there is no such interface."""
        element = self._interface(name)
        if element is None:
            return None
        state = make(f"{{{IF}}}interface")
        for tag in ("name", "type"):
            state.extend(copy.deepcopy(child) for child in element.iterchildren(f"{{{IF}}}{tag}"))
        etree.SubElement(state, f"{{{IF}}}admin-status").text = _admin(element)
        etree.SubElement(state, f"{{{IF}}}oper-status").text = self.oper_status(element)
        etree.SubElement(state, f"{{{IF}}}last-change").text = self._started
        if (vani := element.find(f"{{{VANI}}}v-ani")) is not None:
            self._vani_state(state, vani)
        if element.find(f"{{{XPON}}}channel-termination") is not None:
            self._termination_state(state, name)
        return state

    # --- up or down

    def oper_status(self, element: etree._Element) -> str:
        """Return the oper-status of a configured interface: what hangs on an ONT follows the ONT."""
        if _admin(element) == "down":
            return "down"
        vani = self._vani_above(element)
        if vani is None:
            return "up"
        return "up" if self._present(vani) else ("down" if element.find(f"{{{VANI}}}v-ani") is not None else "lower-layer-down")

    def _vani_above(self, element: etree._Element) -> etree._Element | None:
        """The v-ani that an interface hangs on: its own, or that of what it lies upon or is linked to."""
        seen: set[str] = set()
        here: etree._Element | None = element
        while here is not None:
            if (vani := here.find(f"{{{VANI}}}v-ani")) is not None:
                return vani
            name = here.findtext(f"{{{IF}}}name") or ""
            if name in seen:
                return None
            seen.add(name)
            below = here.findtext("{*}subif-lower-layer/{*}interface") or here.findtext(f"{{{VANI}}}olt-v-enet/{{*}}lower-layer-interface")
            link = self._running.get(UnitId(_LINK, name)) if below is None else None
            below = link.element.findtext("{*}to-interface") if link else below
            here = self._interface(below) if below else None
        return None

    # --- ONTs

    def _present(self, vani: etree._Element) -> Ont | None:
        return self._onts.get(vani.findtext(f"{{{VANI}}}expected-serial-number") or "")

    def _terminations(self, pair: str | None) -> list[str]:
        """The channel terminations of a channel pair."""
        if not pair:
            return []
        found = (unit for unit in self._running.mentioning(pair) if unit.id.path == _LIST)
        reference = f"{{{XPON}}}channel-termination/{{{XPON}}}channel-pair-ref"
        return [unit.id.key for unit in found if unit.element.findtext(reference) == pair]

    def _vani_state(self, state: etree._Element, vani: etree._Element) -> None:
        result = make(f"{{{VANI}}}v-ani", state)
        onu_id = vani.findtext(f"{{{VANI}}}onu-id")
        if onu_id:
            etree.SubElement(result, f"{{{VANI}}}onu-id").text = onu_id
        ont = self._present(vani)
        _identity(result, f"{{{VANI}}}onu-presence-state", _ON_ITS_PORT if ont else _EXPECTED)
        pair = vani.findtext(f"{{{VANI}}}preferred-channel-pair")
        ports = self._terminations(pair)
        if ont and pair and ports:
            here = etree.SubElement(result, f"{{{VANI}}}onu-present-on-this-olt")
            etree.SubElement(here, f"{{{VANI}}}onu-present-on-this-channel-pair").text = pair
            etree.SubElement(here, f"{{{VANI}}}onu-present-on-this-channel-termination").text = ports[0]
            etree.SubElement(here, f"{{{VANI}}}detected-serial-number").text = ont.serial

    def _termination_state(self, state: etree._Element, name: str) -> None:
        container = make(f"{{{XPON}}}channel-termination", state)
        onus = make(f"{{{ONU_STATE}}}onus-present-on-local-channel-termination", container)
        for ont in self._onts.values():
            expected = self._expecting(ont.serial)
            at = self._terminations(expected.findtext(f".//{{{VANI}}}preferred-channel-pair"))[:1] if expected is not None else [ont.port]
            if name not in at:
                continue
            onu = etree.SubElement(onus, f"{{{ONU_STATE}}}onu")
            etree.SubElement(onu, f"{{{ONU_STATE}}}detected-serial-number").text = ont.serial
            _identity(onu, f"{{{ONU_STATE}}}onu-presence-state", _UNCLAIMED if expected is None else _ON_ITS_PORT)
            if expected is not None:
                etree.SubElement(onu, f"{{{ONU_STATE}}}onu-id").text = expected.findtext(f".//{{{VANI}}}onu-id")
                etree.SubElement(onu, f"{{{ONU_STATE}}}v-ani-ref").text = expected.findtext(f"{{{IF}}}name")
            etree.SubElement(onu, f"{{{ONU_STATE}}}onu-detected-datetime").text = ont.since
            etree.SubElement(onu, f"{{{ONU_STATE}}}onu-state-last-change").text = ont.since

    def _expecting(self, serial: str) -> etree._Element | None:
        """The interface whose v-ani expects this ONT."""
        reference = f"{{{VANI}}}v-ani/{{{VANI}}}expected-serial-number"
        return next((unit.element for unit in self._running.mentioning(serial) if unit.element.findtext(reference) == serial), None)


def _admin(element: etree._Element) -> str:
    return "down" if element.findtext(f"{{{IF}}}enabled") == "false" else "up"


def _identity(parent: etree._Element, tag: str, name: str) -> None:
    make(tag, parent, {"bbf-xpon-onu-types": ONU_TYPES}).text = f"bbf-xpon-onu-types:{name}"
