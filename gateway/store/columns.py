"""What every table is made of: the collection of all of them, and the kinds of columns that they share."""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Index, Integer, MetaData, Row, String, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: A row of any query.
AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"

# SQLite numbers rows only in a column that is declared INTEGER.
ROW_ID = BigInteger().with_variant(Integer, "sqlite")
#: UUIDv7 in hexadecimal digits.
ID = String(32)


def partial(name: str, where: str, *columns: ColumnElement[Any]) -> None:
    """An index of the rows for which `where` holds."""
    Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))
