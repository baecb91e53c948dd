"""When a step should have seen what it waits for."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("steps", sa.Column("overdue", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("steps", "overdue")
