"""A shell that a document's commands are typed into, one after the other."""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Printed:
    """What a command printed on stdout and stderr, and its exit code."""

    text: str
    code: int


class Shell:
    """bash in a folder, as a person would use it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["/bin/bash", "--noprofile", "--norc"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._mark = secrets.token_hex(8)

    def run(self, command: str, patience: float = 90.0) -> Printed:
        """Type a command and wait until it is done. Raises TimeoutError with what it printed so far."""
        assert self._process.stdin is not None
        # the next command may ask for $?
        self._process.stdin.write(f"{command}\n_code=$?; printf '\\n%s %s\\n' {self._mark} $_code; (exit $_code)\n".encode())
        self._process.stdin.flush()
        text = ""
        for part in self._read(patience):
            text += part
            before, found, after = text.partition(f"\n{self._mark} ")
            if found and "\n" in after:
                return Printed(before, int(after))
        raise TimeoutError(f"{command!r} is not done after {patience:g} s: {text}")

    def _read(self, patience: float) -> Iterator[str]:
        assert self._process.stdout is not None
        file = self._process.stdout
        deadline = time.monotonic() + patience
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(file, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0 and selector.select(left):
                rest += (read := os.read(file.fileno(), 65536))
                if not read:
                    return
                text = rest.decode("utf-8", "ignore")
                if text.encode() == rest:  # else a character came in two parts
                    rest = b""
                    yield text

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
