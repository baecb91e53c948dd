"""Templates to text: what a device shall hold, written in Jinja, sandboxed and strict.

A template is `<platform>/<template>.<extension>.j2`, the extension that of the platform's notation; tasks.jinja says what it may do.

nornir_jinja2.template_file is not used: it is a task of a Nornir run on a host, but wanted configuration is rendered before
anything is connected (dry run, catalogue check) and from text that an order is pinned to, not from files of today.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping

from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError

from engine.errors import TemplateFailed
from tasks.change import for_platform
from tasks.jinja import environment

Templates = Mapping[str, str]
"""Path below templates/ -> text."""


def render(platform: str, template: str, context: Mapping[str, object], templates: Templates) -> str:
    """The fragment that a template gives for this context, legal in the platform's notation.

    Raises TemplateFailed (template and line, no values), TargetUnknown.
    """
    text = text_of(platform, template, context, templates)
    try:
        for_platform(platform).parse(text)
    except TemplateFailed as error:
        raise TemplateFailed(f"what {path_of(platform, template, templates)} renders: {error.message}", remedy=error.hint) from None
    return text


def text_of(platform: str, template: str, context: Mapping[str, object], templates: Templates) -> str:
    """The same, whether it is legal or not."""
    path = path_of(platform, template, templates)
    jinja = environment(frozenset(templates.items()), path.rsplit(".", 2)[1])
    try:
        return jinja.get_template(path).render(context)
    except TemplateSyntaxError as error:
        raise _syntax(error, path) from None
    # a template can do anything that Python can within the sandbox: whatever it raises is the template's fault
    except Exception as error:  # noqa: BLE001
        frames = reversed(traceback.extract_tb(error.__traceback__))
        name, line = next(((frame.filename, frame.lineno) for frame in frames if frame.filename in templates), (path, 1))
        raise TemplateFailed(f"{name}:{line}: {_reason(error, templates[name])}") from None


def path_of(platform: str, template: str, templates: Templates) -> str:
    """Where a template of a platform is. Raises TemplateFailed listing what the platform has, TargetUnknown."""
    path = f"{platform}/{template}.{for_platform(platform).extension}.j2"
    if path not in templates:
        there = sorted(name for name in templates if name.startswith(f"{platform}/"))
        raise TemplateFailed(f"there is no template {path}; {platform} has {', '.join(there) or 'none'}")
    return path


def _syntax(error: TemplateSyntaxError, path: str) -> TemplateFailed:
    return TemplateFailed(f"{error.filename or error.name or path}:{error.lineno}: {error.message}")


def _reason(error: Exception, text: str) -> str:
    """What Jinja says, unless it may quote a value: a key that the template does not spell, a filter's ValueError."""
    if isinstance(error, TemplateNotFound):
        return f"there is no template {error.message}"
    if isinstance(error, TemplateError):
        said = [word for word in re.findall(r"'([^']*)'", str(error.message)) if not word.endswith(" object")]
        return str(error.message) if all(word in text for word in said) else "a name that the template does not spell is undefined"
    return f"{type(error).__name__} in an expression or filter"
