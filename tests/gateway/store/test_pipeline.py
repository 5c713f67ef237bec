"""Trips to a real server: what goes out comes back, what fails is told, and what was prepared stays usable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support.place import Place
from support.postgresql import Database

from gateway.store.trips import Session


@pytest.fixture
def place(postgresql_database: Database, tmp_path: Path) -> Place:
    return Place(tmp_path, postgresql_database)


@pytest.fixture
def session(place: Place) -> Iterator[Session]:
    connection = place.engine("trips").writing().connect()
    raw: Any = connection.connection.driver_connection
    yield raw
    connection.invalidate()
    connection.close()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "a"),
        ("text", ""),
        ("text", "100 % 'of' \\ \"it\", %s and $1"),
        ("text", "\U0001f514 é"),
        ("text", None),
        ("bytea", b""),
        ("bytea", bytes(range(256))),
        ("bytea", None),
        ("bigint", 0),
        ("bigint", -(1 << 63)),
        ("bigint", (1 << 63) - 1),
        ("integer", 7),
        ("boolean", True),
        ("boolean", False),
    ],
)
def test_a_value_comes_back_as_it_went(session: Session, kind: str, value: object) -> None:
    for _ in range(2):
        (row,) = session.ask(f"SELECT %s::{kind} AS it, '100 %%' AS text", (value,))
        assert (row, type(row[0])) == ((value, "100 %"), type(value))


def test_u_0000_becomes_the_replacement_character(session: Session) -> None:
    assert session.ask("SELECT %s::text", ("a\0b",)).fetchone() == ("a\ufffdb",)


def test_what_is_no_value_of_ours_is_refused_before_anything_is_sent(session: Session) -> None:
    session.ask("CREATE TEMPORARY TABLE t (n int)")
    session.later("INSERT INTO t VALUES (%s::int)", (1,))
    for value in (object(), "\ud800"):
        with pytest.raises((TypeError, UnicodeEncodeError)):
            session.ask("SELECT %s::text", (value,))
        with pytest.raises((TypeError, UnicodeEncodeError)):
            session.later("SELECT %s::text", (value,))
    # What was put off is there all the same.
    assert session.ask("SELECT n FROM t").fetchone() == (1,)


def test_a_new_statement_for_many_rows_is_prepared_once(session: Session) -> None:
    session.ask("CREATE TEMPORARY TABLE t (n int)")
    before = session.ask("SELECT count(*) FROM pg_prepared_statements").fetchone()
    session.many("INSERT INTO t VALUES (%s::int)", [(number,) for number in range(50)])
    after = session.ask("SELECT count(*) FROM pg_prepared_statements").fetchone()
    assert before is not None
    assert after == (before[0] + 1,)


def test_a_commit_that_the_server_answers_with_a_rollback_is_none(session: Session) -> None:
    session.begin_numbered()
    with pytest.raises(psycopg.errors.DivisionByZero):
        session.ask("SELECT 1 / %s::int", (0,))
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        session.commit()


def test_text_is_utf_8_whatever_the_database_would_have(place: Place) -> None:
    assert place.database is not None
    place.database.run(f"ALTER DATABASE {place.database.name} SET client_encoding = 'LATIN1'")
    try:
        connection = place.engine("encoded").writing().connect()
        raw: Any = connection.connection.driver_connection
        assert raw.ask("SELECT %s::text, octet_length(%s::text)", ("é€ß", "é€ß")).fetchone() == ("é€ß", 7)
        connection.invalidate()
        connection.close()
    finally:
        place.database.run(f"ALTER DATABASE {place.database.name} RESET client_encoding")


def test_an_answer_has_the_names_of_its_columns_and_the_number_of_its_rows(session: Session) -> None:
    answer = session.ask("SELECT n, n * 2 AS twice FROM generate_series(1, 3) AS s(n)")
    assert [name for (name,) in answer.description] == ["n", "twice"]
    assert (answer.rowcount, answer.fetchone(), list(answer)) == (3, (1, 2), [(1, 2), (2, 4), (3, 6)])
    session.ask("CREATE TEMPORARY TABLE t (n int)")
    session.many("INSERT INTO t VALUES (%s::int)", [(1,), (2,), (3,)])
    assert session.ask("UPDATE t SET n = 0 WHERE n < %s::int", (3,)).rowcount == 2
    assert session.ask("SELECT 1 WHERE false").fetchone() is None


def test_the_error_is_that_of_the_one_that_failed_and_those_behind_it_did_not_happen(session: Session) -> None:
    session.ask("CREATE TEMPORARY TABLE t (n int)")
    insert, behind = "INSERT INTO t VALUES (%s::int)", "INSERT INTO t VALUES (%s::int + 100)"
    for _ in range(2):
        with pytest.raises(psycopg.errors.DivisionByZero):
            session.together([(insert, (1,)), ("SELECT 1 / %s::int", (0,)), (behind, (2,))])
    # One that could not be prepared, since it came behind, is prepared now.
    session.together([(behind, (3,)), (insert, (4,))])
    assert list(session.ask("SELECT n FROM t ORDER BY n")) == [(4,), (103,)]
    with pytest.raises(psycopg.errors.SyntaxError):
        session.ask("SELEC 1")


def test_what_was_put_off_goes_first_and_its_error_is_raised_with_what_is_needed(session: Session) -> None:
    session.ask("CREATE TEMPORARY TABLE t (n int)")
    session.later("INSERT INTO t VALUES (%s::int)", (1,))
    assert session.ask("SELECT count(*) FROM t").fetchone() == (1,)
    session.later("INSERT INTO t VALUES (1 / %s::int)", (0,))
    with pytest.raises(psycopg.errors.DivisionByZero):
        session.ask("SELECT 1")


def test_more_than_both_directions_can_hold_goes_through(session: Session) -> None:
    text = "x" * 10_000
    answers = session.together([("SELECT %s::text", (text,))] * 2000)
    assert sum(len(row[0]) for answer in answers for row in answer) == 20_000_000


def test_a_session_whose_server_went_away_says_so_each_time(place: Place, session: Session) -> None:
    assert place.database is not None
    (pid,) = session.ask("SELECT pg_backend_pid()").fetchone() or ()
    place.database.run(f"SELECT pg_terminate_backend({pid}, 5000)")
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            session.ask("SELECT 1")
    assert session.closed
