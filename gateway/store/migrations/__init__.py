"""Alembic migrations; `head` is what this version of the code expects."""

HEAD = "0023"
