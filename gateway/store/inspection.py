"""A look at the store from outside: can it be opened, and which schema does it have. Nothing is written or migrated."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from gateway.config.settings import Settings
from gateway.errors import Unavailable
from gateway.store import migrations
from gateway.store.engines import StoreUnusable
from gateway.store.opening import engine_of

_PATIENCE_S = 2.0
_REVISION = "SELECT version_num FROM alembic_version"


@dataclass(frozen=True, slots=True)
class StoreLook:
    """`place` is the store for people; `problem` a sentence. A store that is not made yet has no revision."""

    place: str
    revision: str | None = None
    problem: str | None = None

    @property
    def current(self) -> bool:
        """Whether its schema is this version's."""
        return self.revision == migrations.HEAD


def look_at(settings: Settings) -> StoreLook:
    """The store of `[store]`. Never raises for what is wrong with it."""
    return _look_at_server(settings) if settings.store.path is None else _look_at_file(settings)


def _look_at_file(settings: Settings) -> StoreLook:
    path = settings.store.path
    assert path is not None
    try:
        if not path.exists():
            return StoreLook(str(path))
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)
        try:
            found = connection.execute(_REVISION).fetchone()
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        return StoreLook(str(path), problem=str(getattr(error, "strerror", None) or error))
    return StoreLook(str(path), revision=None if found is None else str(found[0]))


def _look_at_server(settings: Settings) -> StoreLook:
    engine = engine_of(settings)
    alchemy = engine.writing()
    try:
        with alchemy.connect() as connection:
            engine.check(connection)
            present = "alembic_version" in inspect(connection).get_table_names()
            found = connection.exec_driver_sql(_REVISION).scalar() if present else None
    except DBAPIError as error:
        return StoreLook(engine.place, problem=str(error.orig).strip())
    except (StoreUnusable, Unavailable) as error:
        return StoreLook(engine.place, problem=str(error))
    finally:
        alchemy.dispose()
    return StoreLook(engine.place, revision=None if found is None else str(found))
