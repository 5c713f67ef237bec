"""Storms: what makes two messages the same, findable among what waits for one person.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_WAITING = sa.text("status IN ('held', 'queued')")


def upgrade() -> None:
    """A column, and one more column for an index. What was accepted before is joined to nothing."""
    op.add_column("message", sa.Column("likeness", sa.BigInteger(), nullable=True))
    op.drop_index("ix_message_waiting", table_name="message")
    op.create_index(
        "ix_message_waiting",
        "message",
        ["recipient_id", "likeness"],
        unique=False,
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
