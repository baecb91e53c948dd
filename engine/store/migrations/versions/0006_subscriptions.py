"""What orders make outlives them and is changed by later ones: subscriptions, shared fragments, and what was there before."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("orders", sa.Column("subscription", sa.Text(), nullable=True))
    op.add_column("orders", sa.Column("undoes", sa.Text(), nullable=True))
    op.add_column("orders", sa.Column("withdrawn", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_orders_subscription", "orders", ["subscription"], unique=False)
    op.add_column("items", sa.Column("formerly", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("items", sa.Column("replaces", sa.Text(), server_default="", nullable=False))
    op.add_column("items", sa.Column("was", sa.Text(), server_default="", nullable=False))
    op.add_column("items", sa.Column("outcome", sa.Text(), server_default="", nullable=False))
    op.add_column("allocations", sa.Column("asked", _JSON, server_default="{}", nullable=False))
    op.add_column("allocations", sa.Column("subscription", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_allocations_subscription", "allocations", ["subscription"], unique=False)
    op.add_column("instances", sa.Column("subscription", sa.Text(), server_default="", nullable=False))
    op.add_column("instances", sa.Column("learned", _JSON, server_default="{}", nullable=False))
    op.add_column("instances", sa.Column("ended", sa.Text(), nullable=True))
    op.create_index("ix_instances_subscription", "instances", ["subscription"], unique=False)
    op.create_table(
        "shares",
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("configuration", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("target", "key", "configuration", name=op.f("pk_shares")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_shares_configuration", "shares", ["configuration"], unique=False)
    op.create_table(
        "formers",
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("text_sealed", sa.Text(), nullable=True),
        sa.Column("shares", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("root", "target", "key", name=op.f("pk_formers")),
    )
    _adopt()


def _adopt() -> None:
    """What was there before belongs to the subscription of its order, named by its product or its first service."""
    op.execute(
        "UPDATE orders SET subscription = (SELECT min(i.id) FROM instances i WHERE i.root = orders.id "
        "AND i.level = (SELECT min(j.level) FROM instances j WHERE j.root = orders.id)) WHERE id = root"  # 'product' < 'service'
    )
    op.execute("UPDATE instances SET subscription = coalesce((SELECT o.subscription FROM orders o WHERE o.id = instances.root), '')")
    op.execute("UPDATE allocations SET subscription = coalesce((SELECT o.subscription FROM orders o WHERE o.id = allocations.root), '')")


def downgrade() -> None:
    op.drop_table("formers")
    op.drop_index("ix_shares_configuration", table_name="shares")
    op.drop_table("shares")
    for table, columns in {
        "instances": ("ended", "learned", "subscription"),
        "allocations": ("subscription", "asked"),
        "items": ("outcome", "was", "replaces", "formerly"),
        "orders": ("withdrawn", "undoes", "subscription"),
    }.items():
        if "subscription" in columns:
            op.drop_index(f"ix_{table}_subscription", table_name=table)
        for column in columns:
            op.drop_column(table, column)
