"""Who waits for a pool since when, when the next one asks again, and how long what was given back is in quarantine."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_WAITS = sa.text("kind = 'reserve' AND awaits IS NOT NULL AND state IN ('held', 'ready', 'running')")
_ASKING = sa.text("kind = 'reserve' AND awaits IS NOT NULL AND state IN ('ready', 'running')")
_QUARANTINE = sa.text("state = 'quarantine'")


def upgrade() -> None:
    op.create_table(
        "pools",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due", sa.Float(), nullable=True),
        sa.Column("freed", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pools")),
    )
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("read", sa.Float(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursors")),
    )
    op.add_column("steps", sa.Column("since", sa.Float(), server_default="0", nullable=False))
    columns = ["awaits", "priority", "since", "id"]
    op.create_index("ix_steps_in_line", "steps", columns, unique=False, sqlite_where=_WAITS, postgresql_where=_WAITS)
    op.create_index("ix_steps_asking", "steps", ["awaits"], unique=False, sqlite_where=_ASKING, postgresql_where=_ASKING)
    op.add_column("allocations", sa.Column("pool", sa.Text(), nullable=True))
    op.add_column("allocations", sa.Column("until", sa.Text(), nullable=True))
    op.create_index(
        "ix_allocations_quarantine", "allocations", ["until"], unique=False, sqlite_where=_QUARANTINE, postgresql_where=_QUARANTINE
    )
    # orders that an earlier version held ask at once
    held = "kind = 'reserve' AND state = 'held' AND awaits IS NOT NULL"
    op.execute(f"UPDATE steps SET since = noted WHERE {held}")  # noqa: S608 - a constant
    op.execute(f"INSERT INTO pools (name, due, freed) SELECT DISTINCT awaits, 0.0, 0.0 FROM steps WHERE {held}")  # noqa: S608 - a constant


def downgrade() -> None:
    op.drop_index("ix_allocations_quarantine", table_name="allocations", sqlite_where=_QUARANTINE, postgresql_where=_QUARANTINE)
    op.drop_column("allocations", "until")
    op.drop_column("allocations", "pool")
    op.drop_index("ix_steps_asking", table_name="steps", sqlite_where=_ASKING, postgresql_where=_ASKING)
    op.drop_index("ix_steps_in_line", table_name="steps", sqlite_where=_WAITS, postgresql_where=_WAITS)
    op.drop_column("steps", "since")
    op.drop_table("cursors")
    op.drop_table("pools")
