"""The tables of docs/ that are made from the code: `python -m turnup.reference` writes them anew, a test compares.

Each stands between two comments in a page that is otherwise written by hand. (docs/catalogue.md is made as a whole:
engine.catalogue.reference.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

import api.webhooks
import tasks.connections.http
import tasks.kinds.kea
import tasks.netconf.errors
import turnup.errors
from engine import requests
from engine.errors import BadInput, TargetError, TargetRefused, TurnupError
from engine.model_tables import cell, default_of, fields, meaning_of, rows, type_of
from turnup.settings import PREFIX, Settings

MADE = re.compile(r"(<!-- made by `python -m turnup\.reference`: ([\w-]+) -->\n).*?(\n<!-- end of what is made -->)", re.DOTALL)
_DOORS = (api.webhooks, turnup.errors)
"""Modules that add to the tree of errors."""
_UNFORESEEN = "Something that nobody foresaw."


def errors() -> Iterator[str]:
    """Every error that a person or program can meet."""
    yield "| code | meaning | HTTP | exit | class | retried | what to do |\n|---|---|---|---|---|---|---|"
    for error in _raised(TurnupError):
        retried = "yes" if error.may_retry else "no"
        meaning = _UNFORESEEN if error is TurnupError else cell(" ".join((error.__doc__ or "").split()))
        yield (
            f"| `{error.code}` | {meaning} | {error.http_status} | {error.exit_code} | `{error.error_class}` | {retried}"
            f" | {cell(error.remedy)} |"
        )


def protocols() -> Iterator[str]:
    """What the answers of other systems are to us."""
    yield "| who | answer | code | class |\n|---|---|---|---|"
    tables: tuple[tuple[str, Mapping[Any, type[TargetError]], str], ...] = (
        ("NETCONF and Junos, error-tag", tasks.netconf.errors.MEANINGS, "any other"),
        ("HTTP, status", tasks.connections.http.MEANINGS, "any other from 400 on"),
        ("Kea, result", tasks.kinds.kea.MEANINGS, "any other but 0 and 3"),
    )
    for who, meanings, others in tables:
        told: dict[type[TargetError], list[str]] = {}
        for answer, error in meanings.items():
            told.setdefault(error, []).append(f"`{answer}`")
        told.setdefault(TargetRefused, []).append(others)
        for error, answers in told.items():
            yield f"| {who} | {', '.join(answers)} | `{error.code}` | `{error.error_class}` |"


def _raised(error: type[TurnupError]) -> Iterator[type[TurnupError]]:
    """The classes of the tree that have a code of their own, but for those that only group others."""
    below = [kind for kind in error.__subclasses__() if "code" in vars(kind)]
    if not below or error in (TurnupError, BadInput):
        yield error
    for kind in below:
        yield from _raised(kind)


def playbook() -> Iterator[str]:
    """The fields of an order playbook."""
    own = list(requests.ItemRequest.model_fields)
    for title, model in (("The order", requests.OrderRequest), ("Customer", requests.Customer), ("Address", requests.Address)):
        yield f"### {title}\n"
        yield from rows(model, lambda _, field: field.alias or "")
    yield "### ItemRequest\n"
    yield f"A line of `items`. It has {', '.join(f'`{name}`' for name in own)}, as above.\n"


def settings() -> Iterator[str]:
    """All settings, by their path in turnup.toml and by their variable."""
    yield "| variable | in turnup.toml | type | default | meaning |\n|---|---|---|---|---|"
    for path, field, annotation in _settings(Settings, ()):
        variable = "DATABASE_URL" if path == ("database_url",) else PREFIX + "__".join(path).upper()
        yield f"| `{variable}` | `{'.'.join(path)}` | {type_of(annotation)} | {default_of(field)} | {cell(meaning_of(field))} |"


def _settings(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    for name, field, annotation in fields(model):
        part = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
        key = (*above, name)
        if get_origin(part) is dict and isinstance(part := get_args(part)[1], type) and issubclass(part, BaseModel):
            key = (*key, "<name>")
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield from _settings(part, key)
        else:
            yield key, field, annotation


SECTIONS: Mapping[str, Callable[[], Iterator[str]]] = {
    "errors": errors,
    "protocols": protocols,
    "playbook": playbook,
    "settings": settings,
}


def made(page: str) -> str:
    """The page with its tables as they should be. Raises KeyError for a table that there is not."""
    return MADE.sub(lambda found: found[1] + "\n".join(SECTIONS[found[2]]()).rstrip() + found[3], page)


def main(docs: Path) -> None:
    """Write all pages in the folder anew."""
    for page in sorted(docs.rglob("*.md")):
        page.write_text(made(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(Path(__file__).parents[1] / "docs")
