"""What is sent through channels, and the troubles that are told there.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Two tables of their own."""
    op.create_table(
        "notice",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("goal", sa.String(1000), nullable=False),
        sa.Column("message_id", sa.String(32), nullable=True),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    due, sent = sa.text("due_us IS NOT NULL"), sa.text("sent_us IS NOT NULL")
    columns = ["channel", "due_us", "id"]
    op.create_index("ix_notice_due", "notice", columns, unique=False, sqlite_where=due, postgresql_where=due)
    op.create_index("ix_notice_sent", "notice", ["sent_us"], unique=False, sqlite_where=sent, postgresql_where=sent)
    op.create_index("ix_notice_message", "notice", ["message_id"], unique=False)
    op.create_table(
        "trouble",
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("told_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_trouble"),
    )
