"""Where in the order of events an endpoint begins: clocks are set back, and hosts' differ.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of the endpoints there are, the follower has passed over what they were not to be told of."""
    for name in ("since_xact", "since_event"):
        op.add_column("webhook", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
