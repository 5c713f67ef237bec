"""What a part costs in pages: the octets lie in the key's own tree, and nobody asks an index by modem and day.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One index fewer; on SQLite `part` without row numbers."""
    op.drop_index("ix_attempt_modem_day", table_name="attempt")
    if op.get_bind().dialect.name != "sqlite":
        return
    op.create_table(
        "part_by_key",
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.Column("copies", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_part_message_id")),
        sa.PrimaryKeyConstraint("message_id", "sequence", name=op.f("pk_part")),
        sqlite_with_rowid=False,
    )
    columns = "message_id, sequence, state, octets, copies"
    op.execute(f"INSERT INTO part_by_key ({columns}) SELECT {columns} FROM part ORDER BY message_id, sequence")  # noqa: S608 - names of ours
    op.drop_table("part")
    op.rename_table("part_by_key", "part")
