"""What became of PINs that SIMs were given, and which modems an operator has paused.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "sim_pin",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("iccid", sa.String(length=24), nullable=True),
        sa.Column("imei", sa.String(length=20), nullable=True),
        sa.Column("modem", sa.String(length=320), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=True),
        sa.Column("tried_us", sa.BigInteger(), nullable=True),
        sa.Column("settled_us", sa.BigInteger(), nullable=True),
        sa.Column("proven_us", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sim_pin")),
    )
    op.create_index("ix_sim_pin_fingerprint", "sim_pin", ["fingerprint"], unique=False)
    op.create_table(
        "modem_pause",
        sa.Column("node", sa.String(length=255), nullable=False),
        sa.Column("modem", sa.String(length=64), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", "modem", name=op.f("pk_modem_pause")),
    )
