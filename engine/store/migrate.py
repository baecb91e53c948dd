"""Bring a database to the shape that this version needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from engine.errors import StoreError
from engine.store.database import Database

if TYPE_CHECKING:  # a fifth of the start-up time of a command that finds the database as it should be
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parent / "migrations"


def config() -> Config:
    """Alembic's configuration; there is no alembic.ini."""
    from alembic.config import Config

    found = Config()
    found.set_main_option("script_location", str(_MIGRATIONS))
    found.set_main_option("path_separator", "os")
    return found


def newest() -> str:
    """The newest version. Revisions are numbers, and files begin with them."""
    return max(file.name.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def migrate(database: Database) -> None:
    """Upgrade to the newest version. Raises StoreError when the database is of a newer program."""
    with database.read() as tx:
        if _version(tx) == newest():
            return
    from alembic import command
    from alembic.script import ScriptDirectory

    settings = config()
    script = ScriptDirectory.from_config(settings)
    with database.write() as tx:
        current = _version(tx)
        if current == script.get_current_head():
            return
        if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
            raise StoreError(f"the database has version {current}, which this program does not know: use the newer program")
        settings.attributes["connection"] = tx
        command.upgrade(settings, "head")


def _version(tx: sa.Connection) -> str | None:
    """What Alembic wrote down; None for a database that is empty."""
    if not sa.inspect(tx).has_table("alembic_version"):
        return None
    found = tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)
