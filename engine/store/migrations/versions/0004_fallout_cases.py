"""Fallout: a case for each step that needs a person, what a person gave for its next attempt, and since when a step fails."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_UNANSWERED = sa.text("state IN ('open', 'taken')")


def upgrade() -> None:
    op.add_column("steps", sa.Column("failing", sa.Float(), server_default="0", nullable=False))
    op.add_column("steps", sa.Column("case", sa.Text(), nullable=True))
    op.add_column("steps", sa.Column("by_hand", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("steps", sa.Column("given", _JSON, server_default="{}", nullable=False))
    op.create_table(
        "cases",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("order", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=True),
        sa.Column("specification", sa.Text(), nullable=True),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("trouble", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answers", _JSON, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("waits_for", sa.Text(), nullable=True),
        sa.Column("follows", sa.Text(), nullable=True),
        sa.Column("opened", sa.Text(), nullable=False),
        sa.Column("due", sa.Text(), nullable=True),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("notes", _JSON, nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("given", _JSON, nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index("ix_cases_root", "cases", ["root"], unique=False)
    op.create_index("ix_cases_unanswered", "cases", ["root", "step"], unique=True, sqlite_where=_UNANSWERED, postgresql_where=_UNANSWERED)
    op.create_index("ix_cases_queue", "cases", ["queue", "opened"], unique=False, sqlite_where=_UNANSWERED, postgresql_where=_UNANSWERED)


def downgrade() -> None:
    op.drop_table("cases")
    op.drop_column("steps", "given")
    op.drop_column("steps", "by_hand")
    op.drop_column("steps", "case")
    op.drop_column("steps", "failing")
