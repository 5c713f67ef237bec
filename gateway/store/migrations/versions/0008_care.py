"""What looks after the modems: self-tests, balances and missed calls; and how often a message was heard.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_FAILED = sa.text("state = 'failed'")
_OPEN = sa.text("ended_us IS NULL")


def upgrade() -> None:
    """Three tables, a count, and an index of what was refused."""
    op.create_table(
        "modem_care",
        sa.Column("node", sa.String(length=255), nullable=False),
        sa.Column("modem", sa.String(length=64), nullable=False),
        sa.Column("test_due_us", sa.BigInteger(), nullable=True),
        sa.Column("balance_due_us", sa.BigInteger(), nullable=True),
        sa.Column("balance_milli", sa.BigInteger(), nullable=True),
        sa.Column("balance_us", sa.BigInteger(), nullable=True),
        sa.Column("balance_iccid", sa.String(length=24), nullable=True),
        sa.Column("balance_low", sa.Boolean(), nullable=False),
        sa.Column("unreported_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("node", "modem", name=op.f("pk_modem_care")),
    )
    _add_tests()
    _add_calls()
    op.add_column("inbound_part", sa.Column("heard", sa.Integer(), server_default="1", nullable=False))
    op.create_index(
        "ix_attempt_failed",
        "attempt",
        ["marked_us"],
        unique=False,
        sqlite_where=_FAILED,
        postgresql_where=_FAILED,
    )


def _add_tests() -> None:
    op.create_table(
        "self_test",
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("node", sa.String(length=255), nullable=False),
        sa.Column("modem", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.LargeBinary(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("begun_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("travel_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_self_test")),
    )
    op.create_index("ix_self_test_modem", "self_test", ["node", "modem", "begun_us"], unique=False)
    op.create_index(
        "uq_self_test_open",
        "self_test",
        ["node", "modem"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def _add_calls() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "missed_call",
        sa.Column("id", row_id, nullable=False),
        sa.Column("event_id", row_id, nullable=False),
        sa.Column("recipient_id", row_id, nullable=True),
        sa.Column("modem", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=255), nullable=False),
        sa.Column("iccid", sa.String(length=24), nullable=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipient.id"], name=op.f("fk_missed_call_recipient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_missed_call")),
    )
    op.create_index("ix_missed_call_event_id", "missed_call", ["event_id"], unique=False)
    op.create_index("ix_missed_call_recipient_id", "missed_call", ["recipient_id"], unique=False)
