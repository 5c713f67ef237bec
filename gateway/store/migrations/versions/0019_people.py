"""Contacts, segments and templates; what a contact says of its person; what a message is part of.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """New columns are empty for everybody there is."""
    _widen()
    _contacts()
    _imports()
    _groups()


def _widen() -> None:
    for name, length in (("timezone", 64), ("country", 2), ("language", 16)):
        op.add_column("recipient", sa.Column(name, sa.String(length)))
    op.add_column("message", sa.Column("campaign_id", sa.String(32)))
    op.add_column("message", sa.Column("variant", sa.Integer()))
    op.add_column("message", sa.Column("ring_id", sa.String(32)))
    for name, column, second in (("campaign", "campaign_id", "id"), ("ring", "ring_id", "recipient_id")):
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_message_{name}", "message", [column, second], sqlite_where=where, postgresql_where=where)


def _contacts() -> None:
    op.create_table(
        "contact",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("recipient_id", _ROW_ID, nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("push", sa.Text()),
        sa.Column("attributes", sa.Text(), nullable=False, server_default="{}"),
        sa.Column("tags", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("dead_us", sa.BigInteger()),
        sa.Column("dead_code", sa.String(64)),
        sa.ForeignKeyConstraint(["recipient_id"], ["recipient.id"], name="fk_contact_recipient_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contact"),
        sa.UniqueConstraint("recipient_id", name="uq_contact_recipient_id"),
    )
    where = sa.text("dead_us IS NOT NULL")
    op.create_index("ix_contact_dead", "contact", ["dead_us"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "attribute",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("type", sa.String(8), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_attribute"),
    )


def _imports() -> None:
    op.create_table(
        "contact_import",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("token_id", _ROW_ID),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in _COUNTS),
        sa.Column("total", sa.Integer()),
        sa.Column("problem", sa.String(64)),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name="fk_contact_import_token_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_import"),
    )
    op.create_index("ix_contact_import_fingerprint", "contact_import", ["fingerprint"])
    op.create_table(
        "import_rejection",
        sa.Column("import_id", sa.String(32), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["contact_import.id"], name="fk_import_rejection_import_id"),
        sa.PrimaryKeyConstraint("import_id", "line", name="pk_import_rejection"),
        sqlite_with_rowid=False,
    )


_COUNTS = ("lines", "added", "changed", "rejected", "consents", "withheld")


def _groups() -> None:
    for name, content in (("segment", "filter"), ("template", "texts")):
        op.create_table(
            name,
            sa.Column("id", _ROW_ID, nullable=False),
            sa.Column("name", sa.String(64), nullable=False),
            sa.Column(content, sa.Text(), nullable=False),
            sa.Column("created_us", sa.BigInteger(), nullable=False),
            sa.Column("updated_us", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
            sa.UniqueConstraint("name", name=f"uq_{name}_name"),
        )
