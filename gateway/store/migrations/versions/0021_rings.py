"""Rings: who is rung, in which steps, and how far that has come.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Three tables of their own."""
    _ring()
    op.create_table(
        "ring_step",
        sa.Column("ring_id", sa.String(32), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("done_us", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(12), nullable=True),
        sa.ForeignKeyConstraint(["ring_id"], ["ring.id"], name="fk_ring_step_ring_id"),
        sa.PrimaryKeyConstraint("ring_id", "step", name="pk_ring_step"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ring_member",
        sa.Column("ring_id", sa.String(32), nullable=False),
        sa.Column("recipient_id", _ROW_ID, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), server_default="1", nullable=False),
        sa.Column("rung", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rung_us", sa.BigInteger(), nullable=True),
        sa.Column("refused", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(["ring_id"], ["ring.id"], name="fk_ring_member_ring_id"),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipient.id"], name="fk_ring_member_recipient_id"),
        sa.PrimaryKeyConstraint("ring_id", "recipient_id", name="pk_ring_member"),
        sqlite_with_rowid=False,
    )
    waiting = sa.text("rung < wanted")
    op.create_index(
        "ix_ring_member_waiting",
        "ring_member",
        ["ring_id", "step", "place"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("ix_ring_member_recipient", "ring_member", ["recipient_id"])


def _ring() -> None:
    op.create_table(
        "ring",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("token_id", _ROW_ID, nullable=True),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("estimated_us", sa.BigInteger(), nullable=True),
        sa.Column("next_us", sa.BigInteger(), nullable=True),
        sa.Column("claimed_by", sa.String(255), nullable=True),
        sa.Column("claimed_until_us", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("told_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name="fk_ring_token_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ring"),
    )
    due = sa.text("next_us IS NOT NULL")
    op.create_index("ix_ring_next", "ring", ["next_us"], sqlite_where=due, postgresql_where=due)
    op.create_index("ix_ring_token", "ring", ["token_id", "id"])
