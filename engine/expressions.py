"""Expressions of the catalogue and templates: Jinja, sandboxed and strict.

An unknown name is an error and never an empty string; so is an expression that gives nothing (None), because a device would
take the word "None" for a value. Templates are rendered elsewhere (tasks.render); here they are only read for the names they use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, TypeAlias, TypeVar

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.catalogue.models import Scalar
from engine.errors import TemplateFailed
from engine.suggest import unknown

T = TypeVar("T")


def _something(value: object) -> object:
    if value is None:
        raise jinja2.UndefinedError("the expression gives nothing (None)")
    return value


class StrictEnvironment(ImmutableSandboxedEnvironment):
    """Jinja with no way out, no undefined names, and keys of mappings instead of their methods.

    Without the last, a characteristic named `items` or `values` would be the dictionary's method of that name.
    """

    def __init__(self) -> None:
        # no autoescape: what comes out is a name, a key or a characteristic and goes into no page
        super().__init__(undefined=jinja2.StrictUndefined, finalize=_something, keep_trailing_newline=True, autoescape=False)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute` of an expression."""
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)


_ENVIRONMENT = StrictEnvironment()

TEMPLATE_FILTERS = frozenset({"quoted", "mac", "network", "host", "netmask", "prefix_length"})
"""Filters that templates have besides Jinja's own (tasks.render brings them; a test compares the two lists)."""

_TEMPLATES = StrictEnvironment()
_TEMPLATES.filters |= dict.fromkeys(TEMPLATE_FILTERS, str)


def render(text: str, context: Mapping[str, object]) -> str:
    """The text with its expressions replaced. Raises TemplateFailed."""
    plain = _looked_up(text, context)
    if plain is not None:
        return plain
    template = _compiled(text)
    return _evaluated(text, names, context, lambda: template.render(context))


def value(text: str, context: Mapping[str, object]) -> Scalar | None:
    """As `render`, but a text that is one expression keeps its type: `{{ c.downloadSpeed }}` is 200 and not "200".

    None when that one expression gives None (a characteristic that was not given). Raises TemplateFailed.
    """
    inner = _whole_expression(text)
    if inner is None:
        return render(text, context)
    found = _found(_path(inner), context)
    if type(found) in _SCALARS:
        return found  # type: ignore[return-value]
    result = _result(inner, context)
    if result is None or isinstance(result, (str, int, float)):
        return result
    raise TemplateFailed(f"`{text}` gives a {type(result).__name__}; a text, a number, true or false is needed")


def holds(condition: str, context: Mapping[str, object]) -> bool:
    """Whether a bare expression (`c.technology == 'GPON'`) is true. Raises TemplateFailed."""
    found = _found(_path(condition), context)
    return bool(found if type(found) in _SCALARS else _result(condition, context))


@lru_cache(maxsize=4096)
def names(text: str) -> frozenset[str]:
    """The names that a text with expressions asks its context for, with their attributes: `{"port.device", "c.upload"}`.

    Names that the text itself sets (loops, `set`) are left out. Raises TemplateFailed when it is not Jinja.
    """
    return frozenset(_compiling(text, partial(_names_in, _ENVIRONMENT)))


def names_of_condition(condition: str) -> frozenset[str]:
    """`names` for a bare expression."""
    return names("{{ " + condition + " }}")


@dataclass(frozen=True)
class Reading:
    """What a template asks for: names as of `names` with the line where each is first used, and the templates it includes.

    Or why it cannot be read: line and message.
    """

    names: Mapping[str, int] = field(default_factory=dict)
    included: frozenset[str] = frozenset()
    error: tuple[int, str] | None = None


@lru_cache(maxsize=1024)
def read_template(text: str) -> Reading:
    """Read a template without rendering it. Filters are those of Jinja and TEMPLATE_FILTERS."""
    try:
        return Reading(
            names=_names_in(_TEMPLATES, text),
            included=frozenset(name for name in meta.find_referenced_templates(_TEMPLATES.parse(text)) if name is not None),
        )
    except jinja2.TemplateSyntaxError as error:
        return Reading(error=(error.lineno, error.message or "syntax error"))


# ------------------------------------------------------------------------------------------------------------------ inside

_SCALARS = frozenset({str, int, bool, float})
_Path: TypeAlias = tuple[str, ...]


def _looked_up(text: str, context: Mapping[str, object]) -> str | None:
    """The text, when its expressions are mere names, as nearly all of the catalogue's are; they cost a tenth of what Jinja takes.

    None for everything else, also when something is missing: Jinja's way says what.
    """
    found: list[str] = []
    for part in _parts(text) or (("",),):
        value = part if isinstance(part, str) else _found(part, context)
        if type(value) not in _SCALARS:
            return None
        found.append(value if isinstance(value, str) else str(value))
    return "".join(found)


def _found(path: _Path | None, context: Mapping[str, object]) -> object:
    """What stands under these names, one in the other; None when it is not there."""
    here: object = context if path else None
    for name in path or ():
        if type(here) is not dict:
            return None
        here = here.get(name)
    return here


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[str | _Path, ...] | None:
    """Constant texts and paths that a text consists of; None when there is more to it."""
    body = _compiling(text, _ENVIRONMENT.parse).body
    if not body:
        return ("",)
    if len(body) > 1 or not isinstance(body[0], nodes.Output):
        return None
    parts = [node.data if isinstance(node, nodes.TemplateData) else tuple(_chain(node) or ()) for node in body[0].nodes]
    return tuple(parts) if all(isinstance(part, str) or part for part in parts) else None


@lru_cache(maxsize=4096)
def _path(expression: str) -> _Path | None:
    """The path that an expression is, when it is no more than that."""
    parts = _parts("{{ " + expression + " }}") or ()
    return parts[0] if len(parts) == 1 and isinstance(parts[0], tuple) else None


def _names_in(environment: jinja2.Environment, text: str) -> dict[str, int]:
    tree = environment.parse(text)
    # this compiles, and so also finds filters that there are not
    free = meta.find_undeclared_variables(tree) - set(environment.globals)
    found: dict[str, int] = {}
    for name, line in _dotted(tree, free):
        found[name] = min(line, found.get(name, line))
    return found


@lru_cache(maxsize=4096)
def _compiled(text: str) -> jinja2.Template:
    return _compiling(text, _ENVIRONMENT.from_string)


@lru_cache(maxsize=4096)
def _compiled_expression(expression: str) -> Callable[..., Any]:
    def compile_expression(source: str) -> Callable[..., Any]:
        return _ENVIRONMENT.compile_expression(source, undefined_to_none=False)

    return _compiling(expression, compile_expression)


def _compiling(text: str, compiler: Callable[[str], T]) -> T:
    try:
        return compiler(text)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateFailed(f"`{_short(text)}` line {error.lineno}: {error.message}") from error


@lru_cache(maxsize=4096)
def _whole_expression(text: str) -> str | None:
    """What is between the braces when the text is exactly one `{{ ... }}`.

    Not Jinja's NativeEnvironment: that would also read the *text* "1042" or "1e3" as a number.
    """
    tokens = [(kind, source) for _, kind, source in _compiling(text, lambda source: list(_ENVIRONMENT.lex(source)))]
    kinds = [kind for kind, _ in tokens]
    if kinds.count("variable_begin") == 1 and kinds[0] == "variable_begin" and kinds[-1] == "variable_end":
        return "".join(source for _, source in tokens[1:-1]).strip()
    return None


def _result(expression: str, context: Mapping[str, object]) -> Any:
    evaluate = _compiled_expression(expression)
    result = _evaluated(expression, names_of_condition, context, lambda: evaluate(**context))
    if isinstance(result, jinja2.Undefined):  # StrictUndefined complains when it is used; here it was only handed over
        raise TemplateFailed(f"`{expression}`: {_first_missing(names_of_condition(expression), context) or 'it has no value'}")
    return result


def _evaluated(text: str, names_in: Callable[[str], Iterable[str]], context: Mapping[str, object], call: Callable[[], T]) -> T:
    try:
        return call()
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        # what an expression does with its values is the catalogue's fault, whatever Python calls it
        raise TemplateFailed(f"`{_short(text)}`: {_explained(text, names_in, error, context)}") from error


def _explained(text: str, names_in: Callable[[str], Iterable[str]], error: Exception, context: Mapping[str, object]) -> str:
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"line {error.lineno}: {error.message}"
    missing = _first_missing(names_in(text), context) if isinstance(error, jinja2.UndefinedError) else None
    return missing or str(error)


def _first_missing(dotted_names: Iterable[str], context: Mapping[str, object]) -> str | None:
    """A sentence about the first name that the context does not have."""
    for dotted in sorted(dotted_names):
        here: object = context
        walked: list[str] = []
        for part in dotted.split("."):
            if not isinstance(here, Mapping):
                break
            if part not in here:
                return unknown("name", ".".join([*walked, part]), [".".join([*walked, str(key)]) for key in here])
            here = here[part]
            walked.append(part)
    return None


def _dotted(node: nodes.Node, free: set[str]) -> Iterator[tuple[str, int]]:
    """The longest attribute chains below `node` that begin with a free name, with their lines."""
    chain = _chain(node)
    if chain is not None:
        if chain[0] in free:
            yield ".".join(chain), node.lineno
        return
    for child in node.iter_child_nodes():
        yield from _dotted(child, free)


def _chain(node: nodes.Node) -> list[str] | None:
    """`["port", "device"]` for `port.device` and `port["device"]`; None when it is not such a chain."""
    if isinstance(node, nodes.Name):
        return [node.name] if node.ctx == "load" else None
    if isinstance(node, nodes.Getattr):
        before = _chain(node.node)
        return [*before, node.attr] if before else None
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        before = _chain(node.node)
        return [*before, node.arg.value] if before else None
    return None


def _short(text: str) -> str:
    first, _, rest = text.strip().partition("\n")
    return f"{first[:120]} ..." if rest or len(first) > 120 else first
