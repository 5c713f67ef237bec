"""What people were told of alerts.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table of its own, and the order in which its rows are forgotten."""
    op.create_table(
        "alert",
        sa.Column("lookup", sa.LargeBinary(32), nullable=False),
        sa.Column("firing", sa.Boolean(), nullable=False),
        sa.Column("told_us", sa.BigInteger(), nullable=False),
        sa.Column("starts_us", sa.BigInteger(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("lookup", name="pk_alert"),
    )
    op.create_index("ix_alert_told", "alert", ["told_us"], unique=False)
