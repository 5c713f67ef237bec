"""Several hosts on one database: who they are, their modems, what they are told, and events in the order of commits.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OPEN = sa.text("taken_us IS NULL")
_NUMBERED = sa.text("xact IS NOT NULL")
_OF_SIM = sa.text("tp_mr IS NOT NULL AND iccid IS NOT NULL")
# A mark is good only while its host's session holds the lease; the row is kept from whoever would end the session.
_FENCE = """
CREATE FUNCTION tocsin_fence(its_node text, its_session text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM host
      WHERE node = its_node AND session = its_session
        AND lease_us > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
      FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the session of this host has lost its lease' USING ERRCODE = 'TS001';
    END IF;
END
$$
"""


def upgrade() -> None:
    """Three tables, and what tells hosts apart in those that are here."""
    _add_hosts()
    _add_commands()
    op.add_column("message", sa.Column("wanted_node", sa.String(length=255), nullable=True))
    op.add_column("report", sa.Column("node", sa.String(length=255), nullable=True))
    op.add_column("inbound_part", sa.Column("node", sa.String(length=255), nullable=True))
    op.add_column("event", sa.Column("xact", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_event_xact", "event", ["xact", "id"], unique=False, sqlite_where=_NUMBERED, postgresql_where=_NUMBERED
    )
    op.create_index(
        "ix_attempt_sim",
        "attempt",
        ["iccid", "tp_mr", "id"],
        unique=False,
        sqlite_where=_OF_SIM,
        postgresql_where=_OF_SIM,
    )
    if op.get_bind().dialect.name == "postgresql":
        # Two steps: a column that is added with a default that changes would be written into every row.
        op.execute("ALTER TABLE event ALTER COLUMN xact SET DEFAULT (pg_current_xact_id()::text::bigint)")
        op.execute(_FENCE)


def _add_hosts() -> None:
    op.create_table(
        "host",
        sa.Column("node", sa.String(length=255), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=True),
        sa.Column("ended", sa.String(length=16), nullable=True),
        sa.Column("version", sa.String(length=64), nullable=True),
        sa.Column("revision", sa.String(length=32), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("rules", sa.String(length=64), nullable=True),
        sa.Column("lease_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_host")),
    )
    op.create_table(
        "host_modem",
        sa.Column("node", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("node", "name", name=op.f("pk_host_modem")),
    )


def _add_commands() -> None:
    op.create_table(
        "command",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("node", sa.String(length=255), nullable=False),
        sa.Column("modem", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("asked_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("taken_us", sa.BigInteger(), nullable=True),
        sa.Column("done_us", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
    )
    op.create_index("ix_command_open", "command", ["node"], unique=False, sqlite_where=_OPEN, postgresql_where=_OPEN)
