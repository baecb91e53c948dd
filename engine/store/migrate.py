"""Bring a database to the shape that this version needs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from engine.errors import StoreError
from engine.store.database import Database


def config() -> Config:
    """Alembic's configuration; there is no alembic.ini."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    found.set_main_option("path_separator", "os")
    return found


def migrate(database: Database) -> None:
    """Upgrade to the newest version. Raises StoreError when the database is of a newer program."""
    settings = config()
    script = ScriptDirectory.from_config(settings)
    with database.write() as tx:
        current = MigrationContext.configure(tx).get_current_revision()
        if current == script.get_current_head():
            return
        if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
            raise StoreError(f"the database has version {current}, which this program does not know: use the newer program")
        settings.attributes["connection"] = tx
        command.upgrade(settings, "head")
