"""Opt-outs of a person that were lifted are found, too: reports ask which came after a message.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An index alone."""
    lifted = sa.text("lifted_us IS NOT NULL")
    op.create_index(
        "ix_optout_lifted", "optout", ["recipient_id", "since_us"], sqlite_where=lifted, postgresql_where=lifted
    )
