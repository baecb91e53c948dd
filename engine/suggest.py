"""Sentences about unknown names: what was probably meant, and what there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was most likely meant, if any is similar enough."""
    by_lower_case = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.6)
    return by_lower_case[found[0]] if found else None


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """E.g. ``unknown field `depend_on`, did you mean `depends_on`? (known: depends_on, id, name)``."""
    names = sorted(known)
    guess = nearest(name, names)
    hint = f", did you mean `{guess}`?" if guess else ""
    return f"unknown {what} `{name}`{hint} (known: {', '.join(names) or 'none'})"
