"""The runner itself: what it takes for the same, and what it does not let pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.docs.doc_blocks import Block, Command
from tests.integration.docs.doc_output import missing
from tests.integration.docs.doc_shell import Shell


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("all of it\n", "all  of\nit\n"),
        ("first\n...\nlast\n", "first\nanything\nlast\n"),
        ("...\nlast\n", "anything\nlast\n"),
        ("first\n...\n", "first\n"),
        ("VLAN ... at 12 min\n", "VLAN 1042 at 3.1 h\n"),
        ("│ ROI-001 │ ec668023\n", "ROI-001    07923cfb\n"),
        ("checksum 25fc64ea30c366b1\n", "checksum 5fb1c0de5fb1c0de\n"),
        ("", ""),
    ],
)
def test_the_same(shown: str, printed: str) -> None:
    assert missing(shown, printed) is None


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("VLAN 1042\n", "VLAN 1043\n"),
        ("first\n", "first\nand more\n"),
        ("first\n...\nlast\n", "last\nfirst\n"),
        ("first\nlast\n", "first\nanything\nlast\n"),
        ("last\n...\n", "first\nlast\n"),
    ],
)
def test_not_the_same(shown: str, printed: str) -> None:
    assert missing(shown, printed) is not None


def test_lines_in_any_order() -> None:
    assert missing("b\n...\na ... c\n", "a x c\nmore\nb\n", any_order=True) is None
    assert missing("b\nd\n", "a\nb\n", any_order=True) == "d"
    assert missing(" 2 min  b\n        a\n", " 1 min  a\n        b\n", any_order=True) is None


def test_commands_of_a_block() -> None:
    text = "$ one \\\n>   --more\nshown\n$ two\n"
    found = Block(Path(__file__).parents[3] / "README.md", 10, "console", text, "").commands
    assert found == [Command("one \\\n  --more", "shown\n", "README.md:11"), Command("two", "", "README.md:14")]


def test_a_shell_keeps_what_a_person_set(tmp_path: Path) -> None:
    with Shell(tmp_path, {"PATH": "/usr/bin:/bin"}) as shell:
        assert shell.run("name=Grüße; cd /").code == 0
        assert shell.run('printf %s "$name"; pwd').text == "Grüße/\n"
        assert shell.run("false").code == 1
        assert shell.run("echo $?").text == "1\n"
        with pytest.raises(TimeoutError, match="not done"):
            shell.run("sleep 60", patience=0.1)
