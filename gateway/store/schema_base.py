"""What every table of the store is made with; the tables are in `schema` and `schema_modems`."""

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
ID = String(32)


def partial(name: str, where: str, *columns: ColumnElement[Any]) -> None:
    """An index over the rows for which `where` holds: work costs what waits, never what is finished."""
    Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))
