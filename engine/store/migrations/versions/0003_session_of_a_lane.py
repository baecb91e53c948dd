"""Which session of the device the owner of a lane works with: whoever takes the lane over ends it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("lanes", sa.Column("session", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("lanes", "session")
