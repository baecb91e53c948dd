"""On what, and with which version of everything, figures were measured."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.catalogue.loader import load

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Machine:
    """The machine."""

    cores: int
    cpu: str
    memory_gib: float
    kernel: str
    python: str
    filesystem: str
    """Of the folder for temporary files, where the databases are."""
    load: float
    """Average number of running processes in the minute before: figures of a busy machine say little."""


@dataclass(frozen=True)
class Version:
    """What was measured. `commit` is None, and `dirty` too, when this is no git checkout."""

    commit: str | None
    dirty: bool | None
    """Whether files differ from the commit."""
    catalogue: str
    """Digest of catalogue and templates, by which orders are pinned to them."""
    database: str


def machine() -> Machine:
    """Return this machine."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        cpu=_cpu(),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        kernel=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        filesystem=_filesystem(Path(tempfile.gettempdir()).resolve()),
        load=round(os.getloadavg()[0], 2),
    )


def version() -> Version:
    """Return what is in this checkout."""
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return Version(
        commit=commit,
        dirty=None if changes is None else bool(changes),
        catalogue=load(ROOT / "catalog", ROOT / "templates").digest,
        database=f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL",
    )


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _filesystem(folder: Path) -> str:
    mounts = {Path(found.mountpoint): found.fstype for found in psutil.disk_partitions(all=True)}
    return next((mounts[path] for path in (folder, *folder.parents) if path in mounts), "unknown")


def _git(*arguments: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run([git, "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
