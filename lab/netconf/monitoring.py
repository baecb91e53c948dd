"""/netconf-state (RFC 6022): what the server can, and which modules get-schema gives."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from lxml import etree

from lab.netconf.names import MONITORING, make
from lab.netconf.schema import Node
from lab.netconf.yang import Yang

_TOP = f"{{{MONITORING}}}netconf-state"


class Monitoring:
    """The container netconf-state, as lab.netconf.filter.Source: capabilities and schemas."""

    def __init__(self, yang: Yang, capabilities: Sequence[str]) -> None:
        """Show the modules of `yang`."""
        self.tops: Mapping[str, Node] = {_TOP: Node(_TOP, f"/{_TOP}", "container")}
        self._yang, self._capabilities = yang, capabilities

    @cached_property
    def _state(self) -> etree._Element:
        state = make(_TOP)
        capabilities = make(f"{{{MONITORING}}}capabilities", state)
        for capability in self._capabilities:
            make(f"{{{MONITORING}}}capability", capabilities).text = capability
        schemas = make(f"{{{MONITORING}}}schemas", state)
        for name, revision, namespace in self._yang.schemas:
            schema = make(f"{{{MONITORING}}}schema", schemas)
            for tag, text in (
                ("identifier", name),
                ("version", revision),
                ("format", "yang"),
                ("namespace", namespace),
                ("location", "NETCONF"),
            ):
                make(f"{{{MONITORING}}}{tag}", schema).text = text
        return state

    def own(self, _: Node) -> etree._Element | None:
        """Nothing: the container is one piece."""
        return None

    def entries(self, _: Node) -> Iterator[etree._Element]:
        """Give the container."""
        yield self._state

    def entry(self, _: Node, __: str) -> etree._Element | None:
        """Nothing: it is no list."""
        return None
