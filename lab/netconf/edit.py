"""edit-config (RFC 6241 section 7.2, RFC 7950 sections 7.5.8 to 7.9 and 8.3): operations applied to a candidate.

Looks only at what is there and what is not; whether values and references are right is asked before and after (lab.netconf.yang).
"""

import copy
from collections.abc import Callable, Mapping

from lxml import etree

from lab.netconf.errors import RpcError, RpcFailed, failed
from lab.netconf.instance import Steps, find, normal, other_cases, predicate_values, step_of
from lab.netconf.names import OPERATION, YANG, make
from lab.netconf.schema import Node, Schema
from lab.netconf.units import Candidate, UnitId

_INSERT, _KEY, _VALUE = (f"{{{YANG}}}{name}" for name in ("insert", "key", "value"))


class Edit:
    """One edit-config on `candidate`, which it changes. A unit is changed as a whole or, if anything in it fails, not at all."""

    def __init__(self, schema: Schema, candidate: Candidate, *, continue_on_error: bool = False) -> None:
        """Use `candidate`; errors are raised as they come, or after all that could be done is done."""
        self._schema = schema
        self._candidate = candidate
        self._continue = continue_on_error
        self._errors: list[RpcError] = []

    def apply(self, config: etree._Element, default: str) -> None:
        """Apply the top-level elements in `config`, which `Shape.check` has passed; `default` is merge, replace or none.

        Raises RpcFailed: data-exists, data-missing, bad-attribute (an insert beside an entry that is not there).
        """
        if default == "replace":
            for node in self._schema.tops.values():
                self._clear(node)
            default = "merge"
        for element in config:
            self._attempt(self._above, element, self._schema.tops[element.tag], default, ())
        if self._errors:
            raise RpcFailed(tuple(self._errors))

    def _attempt(self, action: Callable[..., None], *arguments: object) -> None:
        try:
            action(*arguments)
        except RpcFailed as failure:
            if not self._continue:
                raise
            self._errors += failure.errors

    # --- units and the containers above them

    def _above(self, element: etree._Element, node: Node, inherited: str, steps: Steps) -> None:
        here = step_of(element, node, self._schema, steps)
        operation = element.get(OPERATION) or inherited
        if node.above_units:
            self._container(element, node, operation, here)
        else:
            key = next(iter(here[-1][1].values()), "")
            self._unit(element, node, UnitId(node.path, key), operation, here)

    def _container(self, element: etree._Element, node: Node, operation: str, here: Steps) -> None:
        exists = self._holds(node)
        self._must_be_possible(operation, exists or (operation == "none" and not node.presence), here)
        if operation in ("delete", "remove", "replace"):
            self._clear(node)
        if operation in ("delete", "remove"):
            return
        below = "merge" if operation in ("create", "replace") else operation
        own = UnitId(node.path, "")
        present = self._candidate.get(own)
        rest = make(node.tag) if present is None else copy.deepcopy(present.element)
        for child in element:
            child_node = node.children[child.tag]
            if child_node.is_unit or child_node.above_units:
                self._attempt(self._above, child, child_node, below, here)
            else:
                self._attempt(self._inside, rest, child, child_node, node, below, here)
        _prune(rest, node)
        if len(rest) or node.presence:
            self._put(own, normal(rest, node, self._schema))
        elif present is not None:
            self._candidate.put(own, None)

    def _unit(self, element: etree._Element, node: Node, unit: UnitId, operation: str, here: Steps) -> None:
        current = self._candidate.get(unit)
        self._must_be_possible(operation, current is not None or (operation == "none" and node.kind == "container"), here)
        if operation in ("delete", "remove"):
            if current is not None:
                self._candidate.put(unit, None)
            return
        if current is None or operation == "replace":
            self._put(unit, self._new(element, node, here))
            return
        changed = copy.deepcopy(current.element)
        for child in element:
            if child.tag not in node.keys:
                self._inside(changed, child, node.children[child.tag], node, operation, here)
        _prune(changed, node)
        if node.kind == "list" or len(changed) or node.presence:
            # made anew: when it moves elements lxml drops declarations that it thinks superfluous, and does not look at text
            self._put(unit, normal(changed, node, self._schema))
        else:
            self._candidate.put(unit, None)

    def _put(self, unit: UnitId, element: etree._Element) -> None:
        """Set the unit if that makes it another: what is said again is no change."""
        current = self._candidate.get(unit)
        if current is None or current.text != etree.tostring(element, encoding="unicode"):
            self._candidate.put(unit, element)

    def _holds(self, node: Node) -> bool:
        return any(next(self._candidate.under(below.path), None) for below in _stored(node))

    def _clear(self, node: Node) -> None:
        for below in _stored(node):
            for unit in list(self._candidate.under(below.path)):
                self._candidate.put(unit.id, None)

    # --- inside a unit

    def _inside(self, parent: etree._Element, element: etree._Element, node: Node, above: Node, inherited: str, steps: Steps) -> None:
        here = step_of(element, node, self._schema, steps)
        operation = element.get(OPERATION) or inherited
        current = find(parent, node, here[-1][1])
        implied = node.kind == "container" and not node.presence
        exists = current is not None and not (implied and len(current) == 0)
        self._must_be_possible(operation, exists or (operation == "none" and implied), here)
        if operation in ("delete", "remove"):
            if current is not None:
                parent.remove(current)
            return
        if current is None or operation == "replace" or (node.kind == "leaf" and operation != "none"):
            for other in other_cases(node, above.children):
                for gone in parent.findall(other.tag):
                    parent.remove(gone)
            new = self._new(element, node, here)
            if current is None:
                parent.append(new)
            else:
                parent.replace(current, new)
            current = new
        elif not node.is_leaf:
            for child in element:
                if child.tag not in node.keys:
                    self._inside(current, child, node.children[child.tag], node, operation, here)
        if node.user_ordered and element.get(_INSERT):
            self._move(parent, current, element, node, here)

    def _new(self, element: etree._Element, node: Node, here: Steps) -> etree._Element:
        """What is stored of an element whose node was not there: nothing in it can be deleted."""
        for below in element.iterdescendants():
            if below.get(OPERATION) == "delete":
                raise failed("data-missing", f"{below.tag.rpartition('}')[2]} is not there", path=self._schema.error_path(here))
        return normal(element, node, self._schema)

    def _move(self, parent: etree._Element, moved: etree._Element, element: etree._Element, node: Node, here: Steps) -> None:
        """Put an entry of a user-ordered list where yang:insert says (RFC 7950 7.7.9, 7.8.6)."""
        others = [child for child in parent.iterchildren(node.tag) if child is not moved]
        where = element.get(_INSERT)
        if where in ("first", "last"):
            if others:
                (others[0].addprevious if where == "first" else others[-1].addnext)(moved)
            return
        beside = self._beside(others, element, node)
        if where not in ("before", "after") or beside is None:
            path = self._schema.error_path(here)
            raise failed("bad-attribute", "there is no such entry to insert at", path=path, app_tag="missing-instance")
        (beside.addprevious if where == "before" else beside.addnext)(moved)

    @staticmethod
    def _beside(others: list[etree._Element], element: etree._Element, node: Node) -> etree._Element | None:
        if node.kind == "leaf-list":
            return next((other for other in others if (other.text or "") == element.get(_VALUE)), None)
        wanted = predicate_values(element.get(_KEY) or "")
        return next((other for other in others if tuple(other.findtext(key) for key in node.keys) == wanted), None)

    def _must_be_possible(self, operation: str, exists: bool, here: Steps) -> None:
        if operation == "create" and exists:
            raise failed("data-exists", f"{_describe(here)} is there already", path=self._schema.error_path(here))
        if operation in ("delete", "none") and not exists:
            raise failed("data-missing", f"{_describe(here)} is not there", path=self._schema.error_path(here))


def _describe(here: Steps) -> str:
    tag, keys = here[-1]
    return " ".join([tag.rpartition("}")[2], *keys.values()])


def _stored(node: Node) -> list[Node]:
    """The nodes at and below `node` under whose paths units are kept."""
    if node.is_unit or not node.above_units:
        return [node]
    return [node, *(kept for child in node.children.values() if child.is_unit or child.above_units for kept in _stored(child))]


def _prune(element: etree._Element, node: Node) -> None:
    """Remove the containers that exist for their content only (RFC 7950 7.5.1) and have none."""
    children: Mapping[str, Node] = node.children
    for child in list(element):
        below = children[child.tag]
        if below.is_leaf:
            continue
        _prune(child, below)
        if below.kind == "container" and not below.presence and len(child) == 0:
            element.remove(child)
