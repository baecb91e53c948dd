"""Configuration in XML, for devices with NETCONF and YANG (RFC 6241, RFC 7950)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from engine.ports import Change, Node
from tasks.change.difference import Difference, difference, union
from tasks.change.format import Others
from tasks.change.xml_edit import Editor
from tasks.change.xml_show import show
from tasks.change.xml_tree import STEP, Origin, Reader, Statement, flat, merged, prune, take_over
from tasks.change.yang import schema


class Xml:
    """A fragment is a sequence of top-level data elements; a change is the <config> of an edit-config with default-operation merge.

    Not supported: lists without keys, anydata. Values are compared as they are written, but identityrefs by module and name.
    """

    extension = "xml"

    def parse(self, text: str) -> Statement:
        """The tree of a fragment. Raises TemplateFailed with the line of what was rendered."""
        root = Reader(schema()).read(text)
        flat(root)
        return root

    def nodes(self, text: str) -> Sequence[Node]:
        """Its list entries, presence containers, leaves and leaf-list entries, cases of choices and user-ordered lists."""
        return [Node(path, value) for path, value in flat(Reader(schema(), Origin.DEVICE).read(text)).items()]

    def part(self, text: str, fragments: Sequence[str], also: Collection[str]) -> str:
        """Their elements, with what stands in the place of another case of a choice, or out of order."""
        stated = union(flat(Reader(schema()).read(fragment)) for fragment in fragments)
        held = Reader(schema(), Origin.DEVICE).read(text)
        prune(held, stated, frozenset(also))
        return Editor(schema(), Difference({}, {}, {})).fragment(held)

    def as_held(self, text: str, held: str, paths: Collection[str]) -> str:
        """These elements as the device has them."""
        root = Reader(schema()).read(text)
        take_over(root, Reader(schema(), Origin.DEVICE).read(held), frozenset(paths))
        return Editor(schema(), Difference({}, {}, {})).fragment(root)

    def around(self, path: str) -> Iterator[str]:
        """The same steps, but for the last ones; nothing for the case of a choice."""
        steps = STEP.findall(path)
        return iter(()) if path.endswith(")") else ("".join(steps[:end]) for end in range(len(steps) - 1, 0, -1))

    def change(self, applied: Sequence[str], wanted: Sequence[str], others: Others) -> Change:
        """Both directions as text of <config>, exactly as it is sent; empty when there is nothing to send. Raises ChangeConflict."""
        before, after = ([Reader(schema()).read(text) for text in texts] for texts in (applied, wanted))
        todo = difference(union(map(flat, before)), union(map(flat, after)), others)
        old, new = merged(schema(), before), merged(schema(), after)
        return Change(Editor(schema(), todo).config(old, new), Editor(schema(), todo.reverse()).config(new, old))

    def show(self, change: Change) -> str:
        """The elements, indented; a prefix where another module begins."""
        return show(change, schema())
