"""Changes of an OLT as they are computed for a line: a v-ani on a PON port, with its reverse."""

from __future__ import annotations

from engine.ports import Change

_HEAD = (
    '<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"'
    ' xmlns:bbf-xponift="urn:bbf:yang:bbf-xpon-if-type"><interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">'
)
_TAIL = "</interfaces></config>"


def v_ani(port: str, serial: str = "HWTC02340098", *, partition: str | None = None, extra: str = "") -> Change:
    """Create the v-ani of ONU 1 on a port ("3.12")."""
    create = (
        f'<interface nc:operation="create"><name>v-ani-{port}.1</name><type>bbf-xponift:v-ani</type><enabled>true</enabled>'
        f'<v-ani xmlns="urn:bbf:yang:bbf-xponvani"><channel-partition>{partition or f"CPART-{port}"}</channel-partition>'
        f"<onu-id>1</onu-id><expected-serial-number>{serial}</expected-serial-number>{extra}</v-ani></interface>"
    )
    delete = f'<interface nc:operation="delete"><name>v-ani-{port}.1</name></interface>'
    return Change(_HEAD + create + _TAIL, _HEAD + delete + _TAIL)


def described(interface: str, text: str, before: str) -> Change:
    """Change the description of an interface that is there."""

    def one(value: str) -> str:
        return f"{_HEAD}<interface><name>{interface}</name><description>{value}</description></interface>{_TAIL}"

    return Change(one(text), one(before))
