"""Webhooks: endpoints, what has still to be told to them, and how far the events were read.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """New tables alone."""
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("description", sa.String(255), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("rotated_us", sa.BigInteger(), nullable=True),
        sa.Column("disabled_us", sa.BigInteger(), nullable=True),
        sa.Column("disabled_reason", sa.String(64), nullable=True),
        sa.Column("succeeded_us", sa.BigInteger(), nullable=True),
        sa.Column("failed_us", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.String(64), nullable=True),
        sa.Column("form", sa.String(16), nullable=False, server_default="standard"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("target", sa.String(32), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("dead_us", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    _partial("ix_delivery_due", "delivery", ["target", "due_us", "id"], "due_us IS NOT NULL")
    _partial("ix_delivery_behind", "delivery", ["target", "subject", "id"], "dead_us IS NULL")
    _partial("ix_delivery_dead", "delivery", ["target", "id"], "dead_us IS NOT NULL")
    _partial("ix_delivery_waiting", "delivery", ["target", "id"], "dead_us IS NULL")
    _partial("ix_delivery_old", "delivery", ["made_us"], "dead_us IS NULL")
    _partial("ix_delivery_forgotten", "delivery", ["made_us"], "dead_us IS NOT NULL")
    op.create_table(
        "follower",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("xact", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_follower")),
    )


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
