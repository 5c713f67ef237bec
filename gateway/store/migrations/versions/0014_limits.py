"""What tokens and the whole gateway may cost.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Counts begin empty: no token had such a limit, and caps count what was sent when they are first asked."""
    op.create_table(
        "token_part",
        sa.Column("token_id", _ROW_ID, sa.ForeignKey("token.id", name="fk_token_part_token_id"), nullable=False),
        sa.Column("begun_us", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("token_id", "begun_us", name="pk_token_part"),
    )
    op.create_table(
        "traffic_part",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("begun_us", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "begun_us", name="pk_traffic_part"),
    )
    op.create_table(
        "traffic_country",
        sa.Column("code", sa.String(8), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_traffic_country"),
    )
