"""Pauses, idempotency keys, and indexes for what waits: by reference, and by category.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make what the routes of version 0.2 need."""
    op.create_table(
        "pause",
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("category", name=op.f("pk_pause")),
    )
    op.create_table(
        "idempotency",
        sa.Column("lookup", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lookup", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_created_us", "idempotency", ["created_us"], unique=False)
    op.create_index(
        "ix_message_reference_waiting",
        "message",
        ["reference", "id"],
        unique=False,
        sqlite_where=sa.text("reference IS NOT NULL AND status IN ('held', 'queued')"),
        postgresql_where=sa.text("reference IS NOT NULL AND status IN ('held', 'queued')"),
    )
    op.create_index(
        "ix_message_category_ready",
        "message",
        ["category", sa.literal_column("priority DESC"), "due_us", "id"],
        unique=False,
        sqlite_where=sa.text("status = 'queued'"),
        postgresql_where=sa.text("status = 'queued'"),
    )
