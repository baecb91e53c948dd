"""The tables. SQLite and PostgreSQL alike; migrations/ brings a database to this shape.

Business times (the clock people live in) are ISO 8601 text with zone; `due`, `until` and other times that machines count in are
seconds since the epoch. Columns named `*_sealed` hold text encrypted by engine.vault: configurations carry keys and passwords.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, null: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null, primary_key=key)


def _index(name: str, *columns: str, where: sa.TextClause) -> sa.Index:
    return sa.Index(name, *columns, sqlite_where=where, postgresql_where=where)


# Conditions of partial indexes, also used in queries word for word: with bound parameters SQLite would not use the index.
NEXT = sa.text("state IN ('ready', 'waiting')")
RUNNING = sa.text("state = 'running'")
OPEN = sa.text("state = 'open'")
UNANSWERED = sa.text("state IN ('open', 'taken')")
WAITS = sa.text("kind = 'reserve' AND awaits IS NOT NULL AND state IN ('held', 'ready', 'running')")
ASKING = sa.text("kind = 'reserve' AND awaits IS NOT NULL AND state IN ('ready', 'running')")
QUARANTINE = sa.text("state = 'quarantine'")

catalogues = sa.Table(
    "catalogues", metadata, _text("digest", key=True), sa.Column("content", sa.LargeBinary, nullable=False), _text("created")
)

counters = sa.Table("counters", metadata, _text("name", key=True), sa.Column("value", sa.Integer, nullable=False))

orders = sa.Table(
    "orders",
    metadata,
    _text("id", key=True),
    _text("root"),
    _text("level"),
    _text("state"),
    _text("external_id", null=True),
    _text("digest"),
    _text("parent", null=True),
    _text("subscription", null=True),
    _text("undoes", null=True),
    sa.Column("withdrawn", sa.Text, nullable=False, server_default=""),
    _text("catalogue"),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("body", Json, nullable=False),
    _text("checksum", null=True),
    _text("reason"),
    sa.Column("decomposed", sa.Boolean, nullable=False),
    _text("created"),
    _text("started", null=True),
    _text("ended", null=True),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("external_id"),
    sa.Index("ix_orders_root", "root"),
    sa.Index("ix_orders_state", "state"),
    sa.Index("ix_orders_subscription", "subscription"),
)

items = sa.Table(
    "items",
    metadata,
    _text("order", key=True),
    _text("id", key=True),
    _text("root"),
    _text("level"),
    _text("specification"),
    _text("state"),
    sa.Column("ordinal", sa.Integer, nullable=False),
    _text("action"),
    _text("offering", null=True),
    _text("parent", null=True),
    sa.Column("serves", Json, nullable=False),
    sa.Column("depends_on", Json, nullable=False),
    _text("instance", null=True),
    sa.Column("characteristics", Json, nullable=False),
    sa.Column("formerly", sa.JSON(none_as_null=True)),
    sa.Column("replaces", sa.Text, nullable=False, server_default=""),
    sa.Column("was", sa.Text, nullable=False, server_default=""),
    sa.Column("outcome", sa.Text, nullable=False, server_default=""),
    _text("reason"),
    sa.Column("trouble", sa.JSON(none_as_null=True)),
    _text("started", null=True),
    _text("ended", null=True),
    sa.Index("ix_items_root", "root"),
)

steps = sa.Table(
    "steps",
    metadata,
    sa.Column("id", Big, primary_key=True, autoincrement=True),
    _text("root"),
    _text("order"),
    _text("key"),
    _text("kind"),
    _text("state"),
    _text("item", null=True),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("needs", Json, nullable=False),
    _text("target_expression"),
    _text("target", null=True),
    _text("lane", null=True),
    sa.Column("gates", sa.Boolean, nullable=False),
    sa.Column("outside", sa.Boolean, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failing", sa.Float, nullable=False, server_default="0"),
    sa.Column("crashes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due", sa.Float, nullable=False),
    sa.Column("noted", sa.Float, nullable=False, server_default="0"),
    _text("awaits", null=True),
    sa.Column("since", sa.Float, nullable=False, server_default="0"),
    _text("overdue", null=True),
    sa.Column("trouble", sa.JSON(none_as_null=True)),
    _text("evidence"),
    sa.Column("learned", Json, nullable=False),
    _text("transaction", null=True),
    _text("case", null=True),
    sa.Column("by_hand", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("given", Json, nullable=False, server_default="{}"),
    _text("ended", null=True),
    sa.UniqueConstraint("root", "key"),
    _index("ix_steps_next", "lane", "priority", "due", where=NEXT),
    _index("ix_steps_due", "due", where=NEXT),
    _index("ix_steps_running", "lane", where=RUNNING),
    _index("ix_steps_awaits", "awaits", where=sa.text("awaits IS NOT NULL")),
    _index("ix_steps_in_line", "awaits", "priority", "since", "id", where=WAITS),
    _index("ix_steps_asking", "awaits", where=ASKING),
)

# pools that somebody waits or waited for: when the next in line asks again (nothing when nobody waits), when something was last given back
pools = sa.Table(
    "pools",
    metadata,
    _text("name", key=True),
    sa.Column("due", sa.Float),
    sa.Column("freed", sa.Float, nullable=False, server_default="0"),
)

# how far the changes of another system were read, and when
cursors = sa.Table(
    "cursors",
    metadata,
    _text("name", key=True),
    sa.Column("position", Big),
    sa.Column("read", sa.Float, nullable=False, server_default="0"),
)

lanes = sa.Table(
    "lanes",
    metadata,
    _text("name", key=True),
    _text("owner", null=True),
    sa.Column("until", sa.Float, nullable=False, server_default="0"),
    sa.Column("term", sa.Float, nullable=False, server_default="0"),
    sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
    # of the device's sessions the one that the owner works with, to be ended by whoever takes the lane over
    sa.Column("session", sa.Text, nullable=False, server_default=""),
    # the circuit breaker: how often in a row the target did not answer, until when it is left alone, and what it was
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("open_until", sa.Float, nullable=False, server_default="0"),
    sa.Column("trouble", sa.JSON(none_as_null=True)),
)

allocations = sa.Table(
    "allocations",
    metadata,
    _text("order", key=True),
    _text("item", key=True),
    _text("name", key=True),
    _text("root"),
    _text("kind"),
    _text("service"),
    sa.Column("attributes", Json, nullable=False),
    sa.Column("objects", Json, nullable=False),
    sa.Column("asked", Json, nullable=False, server_default="{}"),
    sa.Column("subscription", sa.Text, nullable=False, server_default=""),
    _text("state"),
    _text("pool", null=True),
    _text("until", null=True),
    sa.Index("ix_allocations_root", "root"),
    _index("ix_allocations_quarantine", "until", where=QUARANTINE),
    sa.Index("ix_allocations_subscription", "subscription"),
)

instances = sa.Table(
    "instances",
    metadata,
    _text("id", key=True),
    _text("level"),
    _text("specification"),
    _text("state"),
    _text("customer"),
    _text("root"),
    _text("order"),
    _text("item"),
    _text("catalogue"),
    sa.Column("subscription", sa.Text, nullable=False, server_default=""),
    _text("offering", null=True),
    sa.Column("characteristics", Json, nullable=False),
    sa.Column("learned", Json, nullable=False, server_default="{}"),
    _text("started", null=True),
    _text("ended", null=True),
    sa.Index("ix_instances_root", "root"),
    sa.Index("ix_instances_subscription", "subscription"),
    sa.Index("ix_instances_customer", "customer"),
)

targets = sa.Table(
    "targets",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _text("name"),
    _text("platform"),
    _text("adopted", null=True),
    sa.UniqueConstraint("name"),
)

configurations = sa.Table(
    "configurations",
    metadata,
    sa.Column("id", Big, primary_key=True, autoincrement=True),
    sa.Column("target", sa.Integer, nullable=False),
    _text("key"),
    _text("text_sealed"),
    _text("root", null=True),
    _text("transaction", null=True),
    _text("applied"),
    sa.UniqueConstraint("target", "key"),
)

# who states what on a target: makes the cost of a change that of its own fragments (hashes of path and value)
nodes = sa.Table(
    "nodes",
    metadata,
    sa.Column("target", sa.Integer, primary_key=True),
    sa.Column("path", sa.BigInteger, primary_key=True),
    sa.Column("configuration", sa.BigInteger, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.Index("ix_nodes_configuration", "configuration"),
    sqlite_with_rowid=False,
)

# which shared fragments a configuration refers to: the last one to do so takes them with it
shares = sa.Table(
    "shares",
    metadata,
    sa.Column("target", sa.Integer, primary_key=True),
    _text("key", key=True),
    sa.Column("configuration", sa.BigInteger, primary_key=True),
    sa.Index("ix_shares_configuration", "configuration"),
    sqlite_with_rowid=False,
)

# what a target held under a key before an order touched it (null: nothing): what taking the order back puts there again
formers = sa.Table(
    "formers",
    metadata,
    _text("root", key=True),
    sa.Column("target", sa.Integer, primary_key=True),
    _text("key", key=True),
    _text("text_sealed", null=True),
    sa.Column("shares", Json, nullable=False),
)

transactions = sa.Table(
    "transactions",
    metadata,
    _text("id", key=True),
    _text("target"),
    _text("state"),
    sa.Column("fence", sa.Integer, nullable=False),
    _text("forward_sealed"),
    _text("reverse_sealed"),
    _text("fragments_sealed"),
    _text("message"),
    sa.Column("checks", Json, nullable=False),
    _text("opened"),
    _text("ended", null=True),
    _index("ix_transactions_open", "target", where=OPEN),
)

transaction_steps = sa.Table(
    "transaction_steps",
    metadata,
    _text("transaction", key=True),
    sa.Column("step", Big, primary_key=True),
    _text("root"),
    sa.Index("ix_transaction_steps_root", "root"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("number", Big, primary_key=True, autoincrement=True),
    _text("root"),
    _text("order"),
    _text("item", null=True),
    _text("type"),
    _text("at"),
    sa.Column("data", Json, nullable=False),
    sa.Index("ix_events_root", "root"),
    sqlite_autoincrement=True,
)

# fallout: a row for each time that a step stood still and a person was asked; two that are open for one step cannot be
cases = sa.Table(
    "cases",
    metadata,
    _text("id", key=True),
    _text("root"),
    _text("order"),
    _text("item", null=True),
    _text("specification", null=True),
    _text("step"),
    _text("kind"),
    _text("target", null=True),
    sa.Column("trouble", sa.JSON(none_as_null=True)),
    _text("type"),
    _text("queue"),
    _text("state"),
    sa.Column("answers", Json, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    _text("waits_for", null=True),
    _text("follows", null=True),
    _text("opened"),
    _text("due", null=True),
    _text("assignee", null=True),
    sa.Column("notes", Json, nullable=False),
    _text("answer", null=True),
    sa.Column("given", Json, nullable=False),
    _text("answered_by", null=True),
    _text("outcome"),
    _text("ended", null=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_cases_root", "root"),
    sa.Index("ix_cases_unanswered", "root", "step", unique=True, sqlite_where=UNANSWERED, postgresql_where=UNANSWERED),
    _index("ix_cases_queue", "queue", "opened", where=UNANSWERED),
)
