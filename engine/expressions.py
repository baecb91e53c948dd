"""Expressions of the catalogue and templates: Jinja, sandboxed and strict.

An unknown name is an error and never an empty string; so is an expression that gives nothing (None), because a device would
take the word "None" for a value. `StrictEnvironment` is also what templates are rendered with, so that both behave alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

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

    def __init__(self, loader: jinja2.BaseLoader | None = None) -> None:
        super().__init__(
            loader=loader,
            undefined=jinja2.StrictUndefined,
            finalize=_something,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # templates render XML, set lines and JSON: each escapes what it prints (`| e`, `| tojson`)
        )

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute` of an expression."""
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)


_ENVIRONMENT = StrictEnvironment()


def render(text: str, context: Mapping[str, object]) -> str:
    """The text with its expressions replaced. Raises TemplateFailed."""
    template = _compiled(text)
    return _evaluated(text, names, context, lambda: template.render(context))


def value(text: str, context: Mapping[str, object]) -> Scalar | None:
    """As `render`, but a text that is one expression keeps its type: `{{ c.downloadSpeed }}` is 200 and not "200".

    None when that one expression gives None (a characteristic that was not given). Raises TemplateFailed.
    """
    inner = _whole_expression(text)
    if inner is None:
        return render(text, context)
    result = _result(inner, context)
    if result is None or isinstance(result, (str, int, float)):
        return result
    raise TemplateFailed(f"`{text}` gives a {type(result).__name__}; a text, a number, true or false is needed")


def holds(condition: str, context: Mapping[str, object]) -> bool:
    """Whether a bare expression (`c.technology == 'GPON'`) is true. Raises TemplateFailed."""
    return bool(_result(condition, context))


@lru_cache(maxsize=4096)
def names_at(text: str) -> Mapping[str, int]:
    """The names that a text with expressions asks its context for, with their attributes, and the line where each is first used.

    `{"port.device": 1, "c.upload": 3}`. Names that the text itself sets (loops, `set`, macros) are left out.
    Raises TemplateFailed when it is not Jinja.
    """
    tree = _parsed(text)
    found: dict[str, int] = {}
    for name, line in _dotted(tree, meta.find_undeclared_variables(tree) - set(_ENVIRONMENT.globals)):
        found[name] = min(line, found.get(name, line))
    return found


def names(text: str) -> frozenset[str]:
    """The names of `names_at`. Raises TemplateFailed when it is not Jinja."""
    return frozenset(names_at(text))


def names_of_condition(condition: str) -> frozenset[str]:
    """`names` for a bare expression."""
    return names("{{ " + condition + " }}")


def included(text: str) -> frozenset[str]:
    """Templates that a template includes or imports by a fixed name. Raises TemplateFailed."""
    return frozenset(name for name in meta.find_referenced_templates(_parsed(text)) if name is not None)


def syntax_error(text: str) -> tuple[int, str] | None:
    """Line and message when a template is not Jinja."""
    try:
        _ENVIRONMENT.parse(text)
    except jinja2.TemplateSyntaxError as error:
        return error.lineno, error.message or "syntax error"
    return None


def explained(text: str, error: Exception, context: Mapping[str, object]) -> str:
    """What went wrong in `text`, naming the name that is not known and the one that was probably meant."""
    return _explained(text, names, error, context)


# ------------------------------------------------------------------------------------------------------------------ inside


def _parsed(text: str) -> nodes.Template:
    return _compiling(text, _ENVIRONMENT.parse)


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
