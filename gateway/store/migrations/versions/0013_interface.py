"""Limits of tokens, callbacks of messages, and events that say whom they are about.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Columns alone: what was there before has none of them."""
    op.add_column("token", sa.Column("destinations", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("token", sa.Column("rate", sa.String(32), nullable=True))
    op.add_column("token", sa.Column("parts_a_day", sa.Integer(), nullable=True))
    op.add_column("token", sa.Column("expires_us", sa.BigInteger(), nullable=True))
    op.add_column("message", sa.Column("callback", sa.Text(), nullable=True))
    op.add_column("message", sa.Column("fallback", sa.Text(), nullable=True))
    op.add_column("event", sa.Column("recipient_id", _ROW_ID, nullable=True))
    op.add_column("event", sa.Column("facts", sa.Text(), nullable=True))
