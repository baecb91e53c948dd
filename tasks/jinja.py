"""The environment of templates: sandboxed, strict, and safe for the notation that is written.

In XML, what an expression prints is escaped. In `set` lines and JSON a value that would end its word or string is refused (a
customer's name must not become a line of configuration) unless it goes through `quoted` or `tojson`. None is refused, and booleans
are `true` and `false`, as YANG, Junos and JSON spell them.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, NoReturn

from jinja2 import FunctionLoader, StrictUndefined, TemplateError, Undefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from netutils.mac import mac_to_format


class Unprintable(TemplateError):
    """A value that must not be printed as it is. The message does not hold it."""


@lru_cache(maxsize=32)
def environment(templates: frozenset[tuple[str, str]], extension: str) -> ImmutableSandboxedEnvironment:
    """One environment, with its compiled templates, per template set and notation."""
    texts = dict(templates)

    def load(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        # with the name as file name, tracebacks say in which template, also an included one, the line is
        return (texts[name], name, lambda: True) if name in texts else None

    made = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        # on for every notation: what `finalize` lets pass is Markup, and so is what a macro gives
        autoescape=True,
        finalize=_FINALIZE[extension],
    )
    made.filters |= FILTERS
    made.policies["json.dumps_function"] = partial(json.dumps, default=_not_json, allow_nan=False)
    return made


def _not_json(value: object) -> NoReturn:
    # Jinja hands an undefined name to json.dumps, whose TypeError would not say which name it is
    if isinstance(value, Undefined):
        str(value)  # raises UndefinedError
    raise Unprintable("tojson: a value is not plain data")


def _printable(value: object) -> object:
    if value is None:
        raise Unprintable("None would be printed; give a default or leave the statement out")
    return str(value).lower() if isinstance(value, bool) else value


# pass_context keeps Jinja from applying these to constants when it compiles: there it would escape for HTML first
@pass_context
def _in_xml(_context: Context, value: object) -> object:
    return _printable(value)


@pass_context
def _in_set_lines(_context: Context, value: object) -> object:
    return _trusted(_printable(value), ' \t\n\r"\\[]{};#', "quoted")


@pass_context
def _in_json(_context: Context, value: object) -> object:
    return _trusted(_printable(value), '"\\\n\r\t', "tojson")


def _trusted(value: object, dangerous: str, remedy: str) -> object:
    if isinstance(value, Markup | StrictUndefined):
        return value
    text = str(value)
    if any(character in dangerous or not character.isprintable() for character in text):
        raise Unprintable(f"a value holds a character that would end its word or string; use `| {remedy}`")
    return Markup(text)  # noqa: S704 - not HTML: tells Jinja to print it as it is


_FINALIZE = {"xml": _in_xml, "set": _in_set_lines, "json": _in_json}


def quoted(value: object) -> Markup:
    """A value as one word of a Junos line, in quotes: spaces are kept, quotes escaped. Raises Unprintable on line ends."""
    text = str(_printable(value))
    if not text.isprintable():
        raise Unprintable("a value holds a line end or another control character")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return Markup(f'"{escaped}"')  # noqa: S704 - as above


def mac(value: str, style: str = "colon") -> str:
    """A MAC address as `colon` 48:57:54:34:00:98, `dash` 48-57-54-34-00-98, `dot` 4857.5434.0098 or `bare` 485754340098."""
    styles = {"colon": "MAC_COLON_TWO", "dash": "MAC_DASH_TWO", "dot": "MAC_DOT_FOUR", "bare": "MAC_NO_SPECIAL"}
    if style not in styles:
        raise Unprintable(f"mac: unknown style; known are {', '.join(styles)}")
    try:
        return str(mac_to_format(str(value), styles[style])).lower()
    except ValueError:
        raise Unprintable("mac: the value is not a MAC address") from None


def network(value: str) -> str:
    """The network that an address is in: `10.42.17.22/24` -> `10.42.17.0/24`."""
    return str(_interface(value).network)


def host(value: str) -> str:
    """The address alone: `10.42.17.1/24` -> `10.42.17.1`, `2001:db8:42:17::/64` -> `2001:db8:42:17::`."""
    return str(_interface(value).ip)


def netmask(value: str) -> str:
    """The mask of a prefix: `10.42.17.0/24` -> `255.255.255.0`."""
    return str(_interface(value).netmask)


def prefix_length(value: str) -> int:
    """`2001:db8:42:17::/64` -> 64."""
    return _interface(value).network.prefixlen


def _interface(value: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    try:
        return ipaddress.ip_interface(str(value))
    except ValueError:
        raise Unprintable("the value is not an IP address or prefix") from None


FILTERS: Mapping[str, Callable[..., Any]] = {
    "quoted": quoted,
    "mac": mac,
    "network": network,
    "host": host,
    "netmask": netmask,
    "prefix_length": prefix_length,
}
"""Beside Jinja's own."""
