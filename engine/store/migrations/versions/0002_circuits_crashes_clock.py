"""A circuit breaker per lane, how often a step's worker died, and what a clock that jumps back needs to be seen."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NEXT = sa.text("state IN ('ready', 'waiting')")


def upgrade() -> None:
    op.add_column("lanes", sa.Column("term", sa.Float(), server_default="0", nullable=False))
    op.add_column("lanes", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("lanes", sa.Column("open_until", sa.Float(), server_default="0", nullable=False))
    op.add_column("lanes", sa.Column("trouble", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("steps", sa.Column("crashes", sa.Integer(), server_default="0", nullable=False))
    op.add_column("steps", sa.Column("noted", sa.Float(), server_default="0", nullable=False))
    op.create_index("ix_steps_due", "steps", ["due"], unique=False, sqlite_where=_NEXT, postgresql_where=_NEXT)


def downgrade() -> None:
    op.drop_index("ix_steps_due", table_name="steps", sqlite_where=_NEXT, postgresql_where=_NEXT)
    op.drop_column("steps", "noted")
    op.drop_column("steps", "crashes")
    op.drop_column("lanes", "trouble")
    op.drop_column("lanes", "open_until")
    op.drop_column("lanes", "failures")
    op.drop_column("lanes", "term")
