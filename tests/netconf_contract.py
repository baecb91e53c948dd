"""What the tests of the NETCONF contract send."""

from dataclasses import dataclass

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
IANA = "urn:ietf:params:xml:ns:yang:iana-if-type"


@dataclass(frozen=True)
class Server:
    """How the server is reached, and the type of the interfaces to make."""

    host: str
    port: int
    user: str
    password: str
    kind: str


def config(*interfaces: str) -> str:
    """A configuration of interfaces. Prefixes are declared on <config>: ncclient copies the tree with lxml, which drops others."""
    namespaces = f'xmlns="{BASE}" xmlns:nc="{BASE}" xmlns:ianaift="{IANA}"'
    return f'<config {namespaces}><interfaces xmlns="{IF}">{"".join(interfaces)}</interfaces></config>'


def interface(name: str, server: Server, operation: str = "merge", more: str = "") -> str:
    """An interface that nothing depends on."""
    return f'<interface nc:operation="{operation}"><name>{name}</name><type>ianaift:{server.kind}</type>{more}</interface>'


def removed(name: str) -> str:
    """An interface that is to be gone."""
    return f'<interface nc:operation="remove"><name>{name}</name></interface>'


def wanted(name: str) -> tuple[str, str]:
    """A filter for one interface."""
    return "subtree", f'<interfaces xmlns="{IF}"><interface><name>{name}</name></interface></interfaces>'
