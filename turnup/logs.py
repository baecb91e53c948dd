"""Logs: structlog through the standard library's logging, to a file in the home folder, or with --verbose to stderr."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import structlog

_OURS = structlog.stdlib.ProcessorFormatter.remove_processors_meta
_COMMON: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


@contextlib.contextmanager
def logging_to(file: Path, *, verbose: bool = False) -> Iterator[None]:
    """While the block runs, send all logs to `file`, one JSON object a line, or for people to stderr.

    Of libraries only warnings are kept: ncclient logs whole configurations at INFO, with the secrets in them.
    """
    handler: logging.Handler
    renderer: structlog.typing.Processor
    if verbose:
        handler, renderer = _Stderr(), structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        handler, renderer = logging.FileHandler(file, encoding="utf-8", delay=True), structlog.processors.JSONRenderer(ensure_ascii=False)
    last = [structlog.processors.format_exc_info] if not verbose else []
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[_OURS, *last, renderer], foreign_pre_chain=_COMMON))
    _configure()
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


def _configure() -> None:
    logging.getLogger().setLevel(logging.WARNING)
    for name in ("engine", "api", "tasks", "inventory", "turnup"):
        logging.getLogger(name).setLevel(logging.INFO)
    # a failed task is an outcome to us, which says more than Nornir's traceback
    logging.getLogger("nornir").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_COMMON, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


class _Stderr(logging.StreamHandler[TextIO]):
    """Whatever stderr is at the moment: a live display puts something of its own in its place."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        """The present stderr."""
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """It is not ours to choose."""
