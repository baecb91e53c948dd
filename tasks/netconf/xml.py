"""XML of NETCONF: namespaces, a parser that takes nothing from outside, and a few ways to look into replies."""

from __future__ import annotations

from lxml import etree

NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
"""Namespace of NETCONF base 1.0 and 1.1 (RFC 6241)."""
OPERATION = f"{{{NC}}}operation"


def parse(text: str) -> etree._Element:
    """Parse without DTD, entities or network. Raises etree.XMLSyntaxError."""
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, remove_comments=True, remove_pis=True)
    return etree.fromstring(text.encode(), parser)


def elements(parent: etree._Element) -> list[etree._Element]:
    """Return the child elements."""
    return [child for child in parent if isinstance(child.tag, str)]


def text_of(element: etree._Element | None) -> str:
    """Return an element's own text without white space around it; empty for None."""
    return (element.text or "").strip() if element is not None else ""


def escaped(text: str) -> str:
    """Return text as it stands in an element or attribute."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def config_text(change: str) -> str:
    """Return `change`, a <config> element or what is in one, as a <config> of the base namespace.

    ncclient takes a <config> without a namespace; strict servers do not.
    """
    text = change.strip()
    try:
        if parse(text).tag == f"{{{NC}}}config":
            return text
    except etree.XMLSyntaxError:  # several elements side by side
        pass
    return f'<config xmlns="{NC}" xmlns:nc="{NC}">{text}</config>'
