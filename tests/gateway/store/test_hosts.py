"""What hosts tell each other through the database: signals, commands, tokens, events in order, versions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection
from support.bench import NUMBER
from support.clock import ManualClock
from support.place import Place
from support.postgresql import Database
from support.settings import settings_in
from support.waiting import eventually

from gateway.clock import SECOND_US
from gateway.errors import Conflict, FieldError, InvalidRequest, Unavailable
from gateway.requests import NewToken, Principal
from gateway.services.commands import PATIENCE_US, Commands
from gateway.services.modems import Fleet, Modems
from gateway.services.tokens import Tokens
from gateway.store import events, hosts, signals
from gateway.store.database import Store
from gateway.store.engine import StoreUnusable
from gateway.store.events import Cursor
from gateway.store.hosts import Host
from gateway.store.listening import Listener
from gateway.store.migrations import HEAD
from gateway.store.opening import KEY_NAME
from gateway.store.signals import Topic

ADMIN = Principal(1, "admin", frozenset({"admin"}))
LEASE_US = 15_000_000


@pytest.fixture
def place(postgresql_database: Database, tmp_path: Path) -> Place:
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    return Place(tmp_path, postgresql_database)


@pytest.fixture
async def a(place: Place) -> AsyncIterator[Store]:
    opened = place.open("a")
    yield opened
    await opened.close()


@pytest.fixture
async def b(place: Place) -> AsyncIterator[Store]:
    opened = place.open("b")
    yield opened
    await opened.close()


# --- signals


def saying(topic: Topic):
    """A work that changes something and says so."""

    def work(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT 1")
        signals.send(connection, topic)

    return work


class Ear:
    """A listener and what it has heard."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.heard: list[set[Topic]] = []
        self._listener = Listener(store.engine, clock)
        self._listener.heard = self._hear

    def _hear(self, topics: Collection[Topic]) -> None:
        self.heard.append(set(topics))

    async def __aenter__(self) -> Ear:
        self._task = asyncio.create_task(self._listener.run())
        await eventually(lambda: self.heard, what="a listener that listens")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_a_signal_is_heard_with_its_commit_once_and_not_by_its_own_host(
    a: Store, b: Store, clock: ManualClock
) -> None:
    async with Ear(a, clock) as at_home, Ear(b, clock) as far:
        # Whatever was told before anybody listened may have been missed.
        assert at_home.heard == far.heard == [set(Topic)]

        def work(connection: Connection) -> None:
            for _ in range(5):
                saying(Topic.WORK)(connection)

        await a.write(work)
        await a.write(saying(Topic.TOKENS))
        await eventually(lambda: {Topic.TOKENS} in far.heard[1:] or {Topic.WORK, Topic.TOKENS} in far.heard[1:])
        assert set().union(*far.heard[1:]) == {Topic.WORK, Topic.TOKENS}
        assert len(at_home.heard) == 1


async def test_what_is_rolled_back_is_told_to_nobody(a: Store, b: Store, clock: ManualClock) -> None:
    def work(connection: Connection) -> None:
        signals.send(connection, Topic.TOKENS)
        connection.exec_driver_sql("SELECT 1")
        raise Conflict("no", "no")

    async with Ear(b, clock) as far:
        with pytest.raises(Conflict):
            await a.write(work)
        await a.write(saying(Topic.WORK))
        await eventually(lambda: len(far.heard) > 1)
        assert far.heard[1:] == [{Topic.WORK}]


async def test_a_listener_whose_connection_breaks_listens_again(
    a: Store, b: Store, place: Place, clock: ManualClock
) -> None:
    assert place.database is not None
    async with Ear(b, clock) as far:
        ended = place.database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' "
            "AND application_name = 'tocsin b'"
        )
        assert ended == [(True,)]
        # It is earlier than its next question would be.
        question_us = clock.now_us() + 10_000_000
        await eventually(
            lambda: clock.next_wake_us and clock.next_wake_us < question_us,
            what="a listener that waits for its next try",
        )
        clock.advance(timedelta(microseconds=10_000_000))
        await eventually(lambda: len(far.heard) == 2, what="a listener that listens again")
        await a.write(saying(Topic.WORK))
        await eventually(lambda: far.heard[-1] == {Topic.WORK})


async def test_signals_without_end_are_one_now_and_then(a: Store, b: Store, clock: ManualClock) -> None:
    async with Ear(b, clock) as far:

        def rests() -> bool:
            """Whether it hears nothing for a moment; otherwise it waits for much longer than that."""
            wakes_us = clock.next_wake_us
            return wakes_us is not None and wakes_us - clock.now_us() < SECOND_US

        async def heard_at_once() -> bool:
            before = len(far.heard)
            await a.write(saying(Topic.WORK))
            await eventually(lambda: len(far.heard) > before or rests())
            return len(far.heard) > before

        while await heard_at_once():
            assert len(far.heard) < 100, "every one of them"
        heard = len(far.heard)
        for _ in range(20):
            await a.write(saying(Topic.WORK))
        clock.advance(timedelta(milliseconds=50))
        await eventually(lambda: len(far.heard) > heard and rests())
        assert len(far.heard) == heard + 1


# --- events in order


async def test_a_slow_transaction_is_not_skipped_by_a_reader_that_follows(a: Store, b: Store) -> None:
    inside, go = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        events.record(connection, 1, "slow")
        connection.exec_driver_sql("SELECT 1")
        inside.set()
        assert go.wait(10)

    async def read(cursor: Cursor, limit: int = 100) -> tuple[list[str], Cursor]:
        rows, after = await b.read(lambda c: events.after(c, cursor, limit))
        return [row.type for row in rows], after

    await b.write(lambda c: events.record(c, 0, "first"))
    seen, cursor = await read(Cursor())
    assert seen == ["first"]
    writing = asyncio.ensure_future(a.write(slow))
    await asyncio.to_thread(inside.wait, 10)
    await b.write(lambda c: events.record(c, 2, "quick"))
    # The quick one is committed; what comes before it in the order of numbers is not.
    assert await read(cursor) == ([], cursor)
    go.set()
    await writing
    assert (await read(cursor))[0] == ["slow", "quick"]
    one, cursor = await read(cursor, limit=1)
    other, cursor = await read(cursor, limit=1)
    assert (one, other) == (["slow"], ["quick"])
    assert await read(cursor) == ([], cursor)


async def test_an_id_that_was_given_out_early_and_committed_late_is_not_skipped(a: Store, b: Store) -> None:
    """Numbers and ids cross: the later number has the earlier id."""
    inside, go = threading.Event(), threading.Event()

    def begun_first(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT 1")
        inside.set()
        assert go.wait(10)
        events.record(connection, 1, "begun first, written last")

    writing = asyncio.ensure_future(a.write(begun_first))
    await asyncio.to_thread(inside.wait, 10)
    await b.write(lambda c: events.record(c, 2, "begun last, written first"))
    rows, cursor = await b.read(lambda c: events.after(c, Cursor(), 10))
    assert rows == []
    go.set()
    await writing
    rows, _ = await b.read(lambda c: events.after(c, cursor, 10))
    assert [row.type for row in rows] == ["begun first, written last", "begun last, written first"]


async def test_a_database_that_was_moved_to_another_server_goes_on(a: Store, place: Place) -> None:
    for number in range(3):
        await a.write(lambda c, number=number: events.record(c, number, f"e{number}"))
    _, cursor = await a.read(lambda c: events.after(c, Cursor(), 2))
    assert place.database is not None
    place.database.run("UPDATE event SET xact = xact + 1000000000")
    moved = Cursor(cursor.xact + 1_000_000_000, cursor.id)
    await place.open("c").close()
    rows, _ = await a.read(lambda c: events.after(c, moved, 10))
    assert [row.type for row in rows] == ["e2"]


# --- versions


async def test_d20_another_version_does_not_change_the_schema_under_hosts_that_run(
    a: Store, place: Place, tell: Callable[[str], None]
) -> None:
    assert place.database is not None
    await a.write(lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'") and None)
    with pytest.raises(StoreUnusable, match="another version of Tocsin: stop all of them"):
        place.open("b")
    await a.write(lambda c: c.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{HEAD}'") and None)
    tell("D20: PostgreSQL, a new version beside a host of the old one: refused to start, the schema as it was")


async def test_d20_a_host_that_was_cut_off_while_the_schema_changed_does_not_go_on(
    a: Store, place: Place, tell: Callable[[str], None]
) -> None:
    assert place.database is not None
    head = place.database.run("SELECT version_num FROM alembic_version")[0][0]
    try:
        place.database.run(
            "UPDATE alembic_version SET version_num = '9999'",
            "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE application_name = 'tocsin a'",
        )
        for _ in range(2):
            with pytest.raises(Unavailable):
                await a.write(saying(Topic.WORK))
    finally:
        place.database.run(f"UPDATE alembic_version SET version_num = '{head}'")
    tell("D20: PostgreSQL, an old host whose schema was changed while it was cut off: 2 of 2 works refused")


# --- commands


async def test_a_command_is_done_by_the_host_it_is_for_and_its_refusal_comes_back(
    a: Store, b: Store, place: Place, clock: ManualClock
) -> None:
    done: list[tuple[str, str]] = []

    async def handler(modem: str, body) -> None:
        if body["word"] == "no":
            raise InvalidRequest("word_invalid", "is wrong", errors=[FieldError("/word", "is wrong")])
        if body["word"] == "defect":
            raise ZeroDivisionError
        done.append((modem, body["word"]))

    asker, doer = Commands(a, clock, "a"), Commands(b, clock, "b")
    doer.handlers["say"] = handler

    async def ask(word: str, name: str = "say") -> None:
        asking = asyncio.ensure_future(asker.ask("b", "m1", name, {"word": word}))
        await eventually(lambda: place.database and place.database.run("SELECT 1 FROM command"))
        await doer._work()
        await asyncio.gather(*doer._doing)
        asker.nudge()
        await asking

    await ask("yes")
    assert done == [("m1", "yes")]
    with pytest.raises(InvalidRequest) as refused:
        await ask("no")
    assert (refused.value.code, refused.value.errors) == ("word_invalid", (FieldError("/word", "is wrong"),))
    with pytest.raises(Unavailable) as failed:
        await ask("defect")
    assert failed.value.code == "command_failed"
    with pytest.raises(Unavailable) as unknown:
        await ask("yes", "sing")
    assert unknown.value.code == "command_unknown"
    assert place.database is not None
    assert place.database.run("SELECT count(*) FROM command") == [(0,)]


@pytest.mark.parametrize(("taken", "code"), [(False, "host_silent"), (True, "command_in_doubt")])
async def test_a_host_that_does_not_answer_is_not_waited_for_long(
    a: Store, place: Place, clock: ManualClock, taken: bool, code: str
) -> None:
    assert place.database is not None
    asking = asyncio.ensure_future(Commands(a, clock, "a").ask("b", "m1", "say", {"word": "?"}))
    await eventually(lambda: place.database.run("SELECT 1 FROM command"))  # type: ignore[union-attr]
    if taken:
        place.database.run("UPDATE command SET taken_us = 1")
    await eventually(lambda: clock.next_wake_us)
    clock.advance(timedelta(microseconds=PATIENCE_US + 1))
    with pytest.raises(Unavailable) as refused:
        await asking
    assert refused.value.code == code
    assert place.database.run("SELECT count(*) FROM command") == [(0,)]


async def test_a_command_whose_time_has_passed_is_not_carried_out(b: Store, place: Place, clock: ManualClock) -> None:
    doer = Commands(b, clock, "b")
    assert place.database is not None
    place.database.run(
        "INSERT INTO command (node, modem, name, body, asked_us, until_us) VALUES ('b', 'm1', 'say', '{}', 1, "
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 1000000)"
    )
    await doer._work()
    assert place.database.run("SELECT taken_us FROM command") == [(None,)]


async def test_an_answer_comes_back_and_is_gone_from_the_store(
    a: Store, b: Store, place: Place, clock: ManualClock
) -> None:
    """It takes longer than anybody waits for the beginning, and does not keep others waiting."""
    slow = asyncio.Event()

    async def tell(modem: str, said) -> dict[str, object]:
        if said["slow"]:
            await slow.wait()
        return {"text": f"{modem} has 12.40 EUR"}

    asker, doer = Commands(a, clock, "a"), Commands(b, clock, "b")
    doer.handlers["tell"] = tell
    assert place.database is not None
    long = asyncio.ensure_future(asker.ask("b", "m1", "tell", {"slow": True}, patience_us=60 * SECOND_US))
    await eventually(lambda: place.database.run("SELECT 1 FROM command"))  # type: ignore[union-attr]
    await doer._work()
    short = asyncio.ensure_future(asker.ask("b", "m2", "tell", {"slow": False}))
    await eventually(lambda: len(place.database.run("SELECT 1 FROM command")) == 2)  # type: ignore[union-attr]
    await doer._work()
    await eventually(lambda: len(doer._doing) == 1)
    asker.nudge()
    assert await short == {"text": "m2 has 12.40 EUR"}
    clock.advance(timedelta(microseconds=30 * SECOND_US))
    slow.set()
    await asyncio.gather(*doer._doing)
    asker.nudge()
    assert await long == {"text": "m1 has 12.40 EUR"}
    assert place.database.run("SELECT count(*) FROM command") == [(0,)]


async def test_what_nobody_fetched_does_not_lie_about(a: Store, b: Store, place: Place, clock: ManualClock) -> None:
    """The host that asked has died."""
    assert place.database is not None
    long_ago = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 61000000"
    place.database.run(
        "INSERT INTO command (node, modem, name, body, asked_us, until_us, taken_us, done_us, result) "
        f"VALUES ('b', 'm1', 'at', '{{}}', 1, {long_ago}, {long_ago}, {long_ago}, 'a text of somebody')"
    )
    await Commands(a, clock, "a")._work()
    assert place.database.run("SELECT count(*) FROM command") == [(0,)]


# --- modems of others


def _told(name: str, state: str = "ready") -> dict[str, object]:
    return {"name": name, "state": state, "reason": None, "port": "simulated:", "limits": {"per_day": 5}}


async def _other_host(store: Store, node: str, *names: str) -> None:
    def work(connection: Connection) -> None:
        hosts.register(connection, Host(node, f"session of {node}", "0", "0", "r"), LEASE_US)
        hosts.publish(connection, node, {name: ("ready", True, _told(name)) for name in names})

    await store.write(work)


async def test_modems_of_every_host_are_listed_and_found(
    a: Store, place: Place, clock: ManualClock, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path)
    settings = replace(settings, gateway=replace(settings.gateway, node="a"))
    modems = Modems(a, clock, Fleet({}, {}), settings)
    await _other_host(a, "b", "m1", "only")
    await _other_host(a, "c", "m1")
    assert [(each.status.name, each.node, each.status.state) for each in await modems.list(ADMIN)] == [
        ("m1", "b", "ready"), ("m1", "c", "ready"), ("only", "b", "ready"),
    ]  # fmt: skip
    assert [each.limits for each in await modems.list(ADMIN)] == [{"per_day": 5, "used": None}] * 3
    with pytest.raises(Conflict, match="say node:name"):
        await modems.simulate(ADMIN, "m1", NUMBER, "hello")
    await a.write(lambda c: hosts.end(c, "b", "session of b"))
    assert place.database is not None
    place.database.run("UPDATE host SET lease_us = 1000000 WHERE node = 'c'")
    shown = {each.node: (each.status.state, each.status.reason) for each in await modems.list(ADMIN)}
    assert shown == {
        "b": ("absent", "its host b is stopped"),
        "c": ("absent", "its host c has been silent since 1970-01-01T00:00:01.000Z"),
    }
    for name in ("only", "b:m1", "c:m1"):
        with pytest.raises(Unavailable, match="is not running"):
            await modems.simulate(ADMIN, name, NUMBER, "hello")


async def test_a_modem_that_a_host_has_no_more_is_withdrawn(a: Store, place: Place) -> None:
    await _other_host(a, "b", "m1", "m2")
    await a.write(lambda c: hosts.withdraw_others(c, "b", ["m2"]))
    assert place.database is not None
    assert place.database.run("SELECT name FROM host_modem") == [("m2",)]


# --- tokens


async def test_a_token_that_another_host_makes_or_revokes_is_followed(a: Store, b: Store, clock: ManualClock) -> None:
    here, there = Tokens(a, clock, {}), Tokens(b, clock, {})
    await there.load()
    following = asyncio.create_task(there.follow())
    _, secret = await here.create(ADMIN, NewToken("other", ("send",)))
    there.nudge()
    await eventually(lambda: there.knows(secret), what="the token at the other host")
    await here.revoke(ADMIN, "other")
    # Without a signal it is found by looking.
    await eventually(lambda: clock.next_wake_us)
    clock.advance(timedelta(microseconds=5_000_001))
    await eventually(lambda: not there.knows(secret), what="the end of the token at the other host")
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
