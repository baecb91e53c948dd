"""Namespaces and tags of NETCONF, and its XML parser."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lxml import etree

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
"""RFC 6241."""
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
"""RFC 6022."""
YANG = "urn:ietf:params:xml:ns:yang:1"
"""RFC 7950: the attributes insert, key and value."""

OPERATION = f"{{{BASE}}}operation"


class NotXml(Exception):
    """The peer sent what is not well-formed, or not allowed."""


def nc(name: str) -> str:
    """Return the tag of an element of NETCONF itself."""
    return f"{{{BASE}}}{name}"


def local(element: etree._Element) -> str:
    """Return the element's name without its namespace."""
    return etree.QName(element).localname


@lru_cache(4096)  # tags are few, and asked for all the time
def space(tag: str) -> str:
    """Return the namespace of a tag, "" when it has none."""
    return etree.QName(tag).namespace or ""


def make(tag: str, parent: etree._Element | None = None, prefixes: Mapping[str, str] | None = None) -> etree._Element:
    """Return a new element, the last child of `parent` if given, that declares its namespace as the default one where it changes."""
    namespace = space(tag)
    default = {None: namespace} if parent is None or space(parent.tag) != namespace else {}
    declared: Any = {**default, **(prefixes or {})}  # the stubs of lxml do not know of None, the default namespace
    return etree.Element(tag, nsmap=declared) if parent is None else etree.SubElement(parent, tag, nsmap=declared)


def parse(document: bytes) -> etree._Element:
    """Parse a message of a peer: no entities, no DTD, no network, no comments or processing instructions in the result.

    Raises NotXml, also for a document type declaration: RFC 6241 section 3 forbids it.
    """
    # huge_tree lifts lxml's limits on text size and depth: a get-config of a full OLT is larger. Entities, the known bomb, stay off.
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_blank_text=True,
        remove_comments=True,
        remove_pis=True,
        huge_tree=True,
    )
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise NotXml(str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotXml("a document type declaration is not allowed")
    return root
