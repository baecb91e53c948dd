"""A PostgreSQL server of the tests' own: from the programs that are installed, in a folder of its own, on a socket in that folder."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

_PLACES = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *(Path(p) for p in os.get_exec_path()))


def programs() -> Path | None:
    """Where initdb and postgres are, or None."""
    return next((place for place in _PLACES if (place / "initdb").exists() and (place / "postgres").exists()), None)


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """A running server; gives the URL of its maintenance database. `postgres` refuses to run as root, so then another user does."""
    found = programs()
    if found is None:
        raise FileNotFoundError("PostgreSQL is not installed")
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    user = _user(folder)
    _run(user, found / "initdb", "-D", data, "-U", "turnup", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c max_connections=200"
    _run(user, found / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
    try:
        yield f"postgresql://turnup@/postgres?host={quote(str(folder), safe='')}"
    finally:
        _run(user, found / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def cpu(folder: Path) -> float:
    """Seconds of CPU that the server in this folder has used, with all its processes."""
    postmaster = psutil.Process(int((folder / "data" / "postmaster.pid").read_text().split()[0]))
    own, used = postmaster.cpu_times(), 0.0
    for process in postmaster.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used += times.user + times.system
    return used + own.user + own.system + own.children_user + own.children_system


def create(maintenance: str, name: str) -> str:
    """An empty database; gives its URL."""
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return maintenance.replace("/postgres?", f"/{name}?")


def _user(folder: Path) -> str | None:
    if os.geteuid() != 0:
        return None
    name = "postgres" if any(entry.pw_name == "postgres" for entry in pwd.getpwall()) else "nobody"
    for place in (folder, *folder.parents):
        if place.owner() == "root" and place.stat().st_mode & 0o005 != 0o005 and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o011)
    shutil.chown(folder, name)
    return name


def _run(user: str | None, *command: str | Path) -> None:
    prefix = ["runuser", "-u", user, "--"] if user else []
    subprocess.run([*prefix, *map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd="/")
