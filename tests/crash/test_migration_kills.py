"""kill -9 at each statement of a migration: the next start finishes it (C18)."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.tree import ROOT

from gateway.store import migrations
from gateway.store.opening import open_store

#: Tables and indexes alone are more than this.
LEAST_STATEMENTS = 40


#: Each run has its share of the statements, so that several workers have something to do.
SHARES = 4


def _die_at_each(folder: Path, share: int) -> int:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    line = [sys.executable, "-m", "support.dying_migration", str(folder), str(share + 1), str(SHARES)]
    return int(subprocess.run(line, env=environ, check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout)


def _of(path: Path, query: str) -> list[tuple[object, ...]]:
    raw = sqlite3.connect(path)
    try:
        return raw.execute(query).fetchall()
    finally:
        raw.close()


def _whole(path: Path) -> list[list[tuple[object, ...]]]:
    """What makes a store whole: its schema, its version, its integrity."""
    queries = (
        "SELECT type, name, sql FROM sqlite_master ORDER BY type, name",
        "SELECT version_num FROM alembic_version",
        "PRAGMA integrity_check",
    )
    return [_of(path, query) for query in queries]


@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
async def test_c18_killed_at_each_statement_of_the_migrations(
    share: int, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    """From an empty file to the schema of this version; one process dies at each statement."""
    whole = _die_at_each(tmp_path, share)
    expected = _whole(tmp_path / str(whole) / "tocsin.db")
    killed = range(share + 1, whole, SHARES)
    for number in killed:
        path = tmp_path / str(number) / "tocsin.db"
        await open_store(path).close()
        assert _whole(path) == expected, number
    tell(f"C18: killed at {len(killed)} of {whole - 1} statements of the migrations: all whole after the next start")
    assert expected[1:] == [[(migrations.HEAD,)], [("ok",)]]
    assert len(killed) > LEAST_STATEMENTS // SHARES
