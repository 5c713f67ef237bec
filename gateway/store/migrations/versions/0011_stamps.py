"""The time stamps of a status report as they came, beside what was read from them.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column; what was heard before has none."""
    op.add_column("report", sa.Column("stamps", sa.LargeBinary(length=14), nullable=True))
