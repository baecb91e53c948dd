"""Provisions: the part of GenieACS' scripts that the stand-in understands.

Real ones are JavaScript and may do anything. Ours only declare what shall hold, and only that is taken here:

    // comments
    const now = Date.now();
    declare("InternetGatewayDevice.DeviceInfo.ProvisioningCode", {value: now}, {value: args[1]});
    declare("Tags.residential-gpon", null, {value: true});

Any other script is refused with its line, where GenieACS would accept what is valid JavaScript.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_TOKENS = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_$][\w$]*)
      | (?P<mark>[(){}\[\],;:.=])""",
    re.VERBOSE | re.DOTALL,
)
_ROOTS = ("InternetGatewayDevice.", "Device.", "Tags.")


class ScriptError(ValueError):
    """A script outside of the subset: what, and in which line."""


@dataclass(frozen=True)
class Argument:
    """`args[n]`: the preset's argument of that number."""

    number: int


@dataclass(frozen=True)
class Moment:
    """`Date.now()`, or a name that stands for it."""


Value = str | int | float | bool | Argument | Moment


@dataclass(frozen=True)
class Declaration:
    """One `declare`: the path, whether its value is to be fetched anew, and what it shall be (None: only fetched)."""

    path: str
    refresh: bool
    value: Value | None


@dataclass(frozen=True)
class Setting:
    """What a device's parameter, or a tag, shall be."""

    path: str
    value: str | int | float | bool


def evaluate(declarations: Sequence[Declaration], arguments: Sequence[object]) -> list[Setting]:
    """Return what a script asks for when it is called with these arguments; what has no argument is not asked for, as in GenieACS."""
    settings = []
    for declaration in declarations:
        value: object = declaration.value
        if isinstance(value, Argument):
            value = arguments[value.number] if value.number < len(arguments) else None
        if isinstance(value, (str, int, float)):
            settings.append(Setting(declaration.path, value))
    return settings


def parse(script: str) -> list[Declaration]:
    """Return the declarations of a script. Raises ScriptError."""
    return _Parser(script).script()


class _Parser:
    """Recursive descent over the tokens of one script."""

    def __init__(self, script: str) -> None:
        self._tokens = _tokens(script)
        self._place = 0
        self._moments: set[str] = set()

    def script(self) -> list[Declaration]:
        declarations = []
        while self._peek():
            word = self._take("declare", "const", "let", "var")
            if word == "declare":
                declarations.append(self._declaration())
            else:
                self._moments.add(self._name())
                self._take("=")
                self._moment()
            self._take(";")
        return declarations

    def _declaration(self) -> Declaration:
        self._take("(")
        line = self._line()
        path = self._value()
        if not isinstance(path, str) or not path.startswith(_ROOTS):
            raise ScriptError(f"SyntaxError: line {line}: a path below {', '.join(_ROOTS)} is expected")
        self._take(",")
        refresh = self._object()
        self._take(",")
        wanted = self._object()
        self._take(")")
        return Declaration(path, refresh is not None, wanted)

    def _object(self) -> Value | None:
        """`null`, or `{value: ...}`."""
        if self._take("null", "{") == "null":
            return None
        self._take("value")
        self._take(":")
        value = self._value()
        self._take("}")
        return value

    def _value(self) -> Value:
        kind, word = self._peek() or ("", "")
        if kind == "string":
            self._place += 1
            return _unquoted(word)
        if kind == "number":
            self._place += 1
            return float(word) if "." in word else int(word)
        if word in ("true", "false"):
            self._place += 1
            return word == "true"
        if word in self._moments:
            self._place += 1
            return Moment()
        if word == "args":
            return self._argument()
        self._moment()
        return Moment()

    def _argument(self) -> Argument:
        self._take("args")
        self._take("[")
        line = self._line()
        number = self._value()
        if not isinstance(number, int):
            raise ScriptError(f"SyntaxError: line {line}: the number of an argument is expected")
        self._take("]")
        return Argument(number)

    def _moment(self) -> None:
        for word in ("Date", ".", "now", "(", ")"):
            self._take(word)

    def _name(self) -> str:
        kind, word = self._peek() or ("", "")
        if kind != "name":
            self._fail("a name")
        self._place += 1
        return word

    def _take(self, *expected: str) -> str:
        _, word = self._peek() or ("", "")
        if word not in expected:
            self._fail(" or ".join(expected))
        self._place += 1
        return word

    def _peek(self) -> tuple[str, str] | None:
        return self._tokens[self._place][:2] if self._place < len(self._tokens) else None

    def _line(self) -> int:
        return self._tokens[min(self._place, len(self._tokens) - 1)][2] if self._tokens else 1

    def _fail(self, expected: str) -> None:
        found = self._peek()
        raise ScriptError(f"SyntaxError: line {self._line()}: {expected} is expected, not {found[1] if found else 'the end'}")


def _tokens(script: str) -> list[tuple[str, str, int]]:
    """Return (kind, text, line) of each token."""
    tokens = []
    place = 0
    while place < len(script):
        match = _TOKENS.match(script, place)
        line = script.count("\n", 0, place) + 1
        if match is None:
            raise ScriptError(f"SyntaxError: line {line}: unexpected {script[place]!r}")
        if match.lastgroup != "space":
            tokens.append((match.lastgroup or "", match.group(), line))
        place = match.end()
    return tokens


def _unquoted(word: str) -> str:
    """Return what a string literal stands for; a single-quoted one is turned into a double-quoted one first."""
    if word.startswith("'"):
        word = '"' + word[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    try:
        return str(json.loads(word))
    except ValueError as error:
        raise ScriptError(f"SyntaxError: {word} is no string: {error}") from error
