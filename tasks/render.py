"""Templates to text: what a device shall hold, written in Jinja, sandboxed and strict.

A template is `<platform>/<template>.<extension>.j2`, the extension that of the platform's notation. What an expression prints is
made safe for that notation: in XML it is escaped; in `set` lines and JSON a value that would end its word or string is refused
(a customer's name must not become a line of configuration) unless it goes through `quoted` or `tojson`. None is refused, and
booleans are `true` and `false`, as YANG, Junos and JSON spell them.

nornir_jinja2.template_file is not used: it is a task of a Nornir run on a host, but wanted configuration is rendered before
anything is connected (dry run, catalogue check) and from text that an order is pinned to, not from files of today.
"""

from __future__ import annotations

import ipaddress
import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NoReturn

from jinja2 import (
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
    meta,
    nodes,
    pass_context,
)
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from netutils.mac import mac_to_format

from engine.errors import TemplateFailed
from tasks.change import for_platform

Templates = Mapping[str, str]
"""Path below templates/ -> text."""


class Unprintable(TemplateError):
    """A value that must not be printed as it is. The message does not hold it."""


def render(platform: str, template: str, context: Mapping[str, object], templates: Templates) -> str:
    """The text that a template gives for this context. Raises TemplateFailed (template and line, no values), TargetUnknown."""
    path = path_of(platform, template, templates)
    environment = _environment(frozenset(templates.items()), path.rsplit(".", 2)[1])
    try:
        return environment.get_template(path).render(context)
    except TemplateSyntaxError as error:
        raise _syntax(error, path) from None
    # a template can do anything that Python can within the sandbox: whatever it raises is the template's fault
    except Exception as error:  # noqa: BLE001
        where = next(
            (f"{at.filename}:{at.lineno}" for at in reversed(traceback.extract_tb(error.__traceback__)) if at.filename in templates), path
        )
        raise TemplateFailed(f"{where}: {_reason(error)}") from None


def path_of(platform: str, template: str, templates: Templates) -> str:
    """Where a template of a platform is. Raises TemplateFailed listing what the platform has, TargetUnknown."""
    path = f"{platform}/{template}.{for_platform(platform).extension}.j2"
    if path not in templates:
        there = sorted(name for name in templates if name.startswith(f"{platform}/"))
        raise TemplateFailed(f"there is no template {path}; {platform} has {', '.join(there) or 'none'}")
    return path


@dataclass(frozen=True, order=True)
class Reference:
    """A name from outside that a template uses, with the attributes behind it as far as they are written: `port.slug`."""

    template: str
    line: int
    name: str


def undeclared(path: str, templates: Templates) -> list[Reference]:
    """What a template, and all it includes or imports, expects to be given. Raises TemplateFailed with the line of bad syntax."""
    environment = _environment(frozenset(templates.items()), path.rsplit(".", 2)[1])
    found: set[Reference] = set()
    todo, seen = [path], {path}
    while todo:
        current = todo.pop()
        if current not in templates:
            raise TemplateFailed(f"{path} refers to {current}, which there is not")
        try:
            tree = environment.parse(templates[current], current)
            names = meta.find_undeclared_variables(tree)
        except TemplateSyntaxError as error:
            raise _syntax(error, current) from None
        found.update(Reference(current, line, name) for line, name in _chains(tree) if name.partition(".")[0] in names)
        more = {name for name in meta.find_referenced_templates(tree) if name is not None} - seen
        todo.extend(more)
        seen |= more
    return sorted(found)


def _chains(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each use of a name: the longest chain only, not its beginnings."""
    inner: set[int] = set()
    for node in tree.find_all((nodes.Getattr, nodes.Name)):
        if id(node) in inner:
            continue
        attributes: list[str] = []
        at: nodes.Node = node
        while isinstance(at, nodes.Getattr):
            attributes.insert(0, at.attr)
            at = at.node
            inner.add(id(at))
        if isinstance(at, nodes.Name) and at.ctx == "load":
            yield node.lineno, ".".join([at.name, *attributes])


@lru_cache(maxsize=32)
def _environment(templates: frozenset[tuple[str, str]], extension: str) -> ImmutableSandboxedEnvironment:
    """One environment, with its compiled templates, per template set and notation."""
    texts = dict(templates)

    def load(name: str) -> tuple[str, str, Callable[[], bool]] | None:
        # with the name as file name, tracebacks say in which template, also an included one, the line is
        return (texts[name], name, lambda: True) if name in texts else None

    environment = ImmutableSandboxedEnvironment(
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
    environment.filters |= FILTERS
    environment.policies["json.dumps_function"] = partial(json.dumps, default=_not_json, allow_nan=False)
    return environment


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


def _syntax(error: TemplateSyntaxError, path: str) -> TemplateFailed:
    return TemplateFailed(f"{error.filename or error.name or path}:{error.lineno}: {error.message}")


def _reason(error: Exception) -> str:
    """What Jinja says names no values; anything else (a filter's ValueError) may quote one, so only its kind is said."""
    if isinstance(error, TemplateNotFound):
        return f"there is no template {error.message}"
    return str(error.message) if isinstance(error, TemplateError) else f"{type(error).__name__} in an expression or filter"
