"""The mark names its wire journal; a report keeps when the service centre took the message.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UNCERTAIN = sa.text("state = 'uncertain'")
_WAITING = sa.text("attempt_id IS NULL AND submitted_us IS NOT NULL")


def upgrade() -> None:
    """Two columns, and what finds uncertain parts and waiting reports by time."""
    op.add_column("attempt", sa.Column("journal", sa.String(length=32), nullable=True))
    op.create_index(
        "ix_attempt_uncertain",
        "attempt",
        ["marked_us"],
        unique=False,
        sqlite_where=_UNCERTAIN,
        postgresql_where=_UNCERTAIN,
    )
    op.add_column("report", sa.Column("submitted_us", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_report_waiting",
        "report",
        ["submitted_us"],
        unique=False,
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
