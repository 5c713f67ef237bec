"""Messages that are to leave earlier rather than later, and begin in time where many wait for the same minute.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_WAITS = sa.text(
    "status = 'held' AND shift = 'earlier' AND led_us IS NULL AND due_us < send_us"
    " AND hold_rule IN ('country_profile', 'holiday', 'quiet_hours', 'window')"
)


def upgrade() -> None:
    """A column, and an index over what waits."""
    op.add_column("message", sa.Column("led_us", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_message_early",
        "message",
        ["due_us", "parts", "send_us", "hold_rule", "status", "shift", "led_us"],
        unique=False,
        sqlite_where=_WAITS,
        postgresql_where=_WAITS,
    )
