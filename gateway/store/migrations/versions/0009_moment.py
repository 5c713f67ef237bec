"""What the right moment needs: when a message began, what it is about, what answers it; consent, and doubtful replies.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BEGUN = sa.text("begun_us IS NOT NULL")
_JOINED = sa.text("joined_id IS NOT NULL")
_OPEN = sa.text("settled_us IS NULL")
# Caps look back for a month: what left before this migration is counted too.
_LEFT = """
UPDATE message SET begun_us = (SELECT min(attempt.marked_us) FROM attempt WHERE attempt.message_id = message.id)
WHERE status IN ('sending', 'sent', 'delivered', 'undelivered', 'uncertain')
"""


def upgrade() -> None:
    """Columns of messages with two indexes, and two tables."""
    for column in (
        sa.Column("begun_us", sa.BigInteger(), nullable=True),
        sa.Column("timing", sa.String(length=8), nullable=True),
        sa.Column("about_us", sa.BigInteger(), nullable=True),
        sa.Column("shift", sa.String(length=8), nullable=True),
        sa.Column("expect", sa.Text(), nullable=True),
        sa.Column("repeats", sa.Integer(), server_default="0", nullable=False),
        sa.Column("joined_id", sa.String(length=32), nullable=True),
    ):
        op.add_column("message", column)
    op.execute(_LEFT)
    _index("ix_message_begun", "message", ["recipient_id", "category", "begun_us"], _BEGUN)
    _index("ix_message_joined", "message", ["joined_id", "id"], _JOINED)
    _add_consents()
    _add_reviews()


def _add_consents() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "consent",
        sa.Column("id", row_id, nullable=False),
        sa.Column("recipient_id", row_id, nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=True),
        sa.Column("wording", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("source", sa.String(length=255), nullable=True),
        sa.Column("by", sa.String(length=255), nullable=True),
        sa.Column("inbox_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipient.id"], name=op.f("fk_consent_recipient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_standing", "consent", ["recipient_id", "category", "at_us", "id"], unique=False)


def _add_reviews() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "review",
        sa.Column("inbox_id", sa.String(length=32), nullable=False),
        sa.Column("recipient_id", row_id, nullable=False),
        sa.Column("guess", sa.String(length=8), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("settled_us", sa.BigInteger(), nullable=True),
        sa.Column("settled_as", sa.String(length=8), nullable=True),
        sa.Column("settled_by", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipient.id"], name=op.f("fk_review_recipient_id")),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_review")),
    )
    _index("ix_review_open", "review", ["recipient_id"], _OPEN)


def _index(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)
