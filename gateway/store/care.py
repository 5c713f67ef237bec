"""What is done for a modem from time to time, and what came of it: self-tests, its balance, reports that stay away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, and_, bindparam, delete, func, literal_column, select, update

from gateway.store import sim_counts
from gateway.store.engines import insert
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, attempt, message, modem_care, report, self_test

_c = modem_care.c
_t = self_test.c
_a = attempt.c
# Of marks and reports, so many of the latest are looked at: enough for the modems of any host.
_LATEST_MARKS = 4000
_LATEST_REPORTS = 1000
#: Tests that ended so long ago are forgotten.
KEPT_US = 90 * 86_400 * 1_000_000


class SelfTestOutcome(StrEnum):
    """What came of a self-test."""

    ARRIVED = "arrived"
    FAILED = "failed"
    #: It could not leave, for reasons that say nothing of the modem: everything was paused, a limit was reached.
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class NewTest:
    """A self-test that begins: its token, who proves itself to whom, and the message that is sent."""

    token: str
    node: str
    modem: str
    target: str
    sender: bytes
    message_id: str
    begun_us: int


_of_node = Prepared(select(modem_care).where(_c.node == bindparam("its_node")))
_row = insert(modem_care).values(node=bindparam("its_node"), modem=bindparam("its_name"), balance_low=False)
_add_row = Prepared(_row.on_conflict_do_nothing(index_elements=["node", "modem"]))
_add_test = Prepared(
    insert(self_test).values(
        token=bindparam("its_token"),
        node=bindparam("its_node"),
        modem=bindparam("its_name"),
        target=bindparam("its_target"),
        sender=bindparam("its_sender"),
        message_id=bindparam("of_message"),
        begun_us=bindparam("now_us"),
    )
)
# The mark of its latest try: when it left, if it did.
_left = select(func.max(_a.marked_us)).where(_a.message_id == _t.message_id).scalar_subquery().label("left_us")
_open_tests = Prepared(
    select(_t.token, _t.modem, _t.target, _t.begun_us, _t.message_id, message.c.status, message.c.delivered_us, _left)
    .join(message, message.c.id == _t.message_id)
    .where(_t.node == bindparam("its_node"), _t.ended_us.is_(None))
)
_by_token = Prepared(select(_t.token, _t.outcome, _t.modem, _left).where(_t.token == bindparam("its_token"),
    _t.sender == bindparam("its_sender")))  # fmt: skip
_begun = Prepared(
    select(func.count().label("tests")).where(_t.node == bindparam("its_node"), _t.modem == bindparam("its_name"))
)
_end_test = Prepared(
    update(self_test)
    .where(_t.token == bindparam("its_token"))
    .values(ended_us=bindparam("now_us"), outcome=bindparam("word"), travel_us=bindparam("travel"))
)


def rows(connection: Connection, node: str) -> dict[str, AnyRow]:
    """The rows of a host's modems, by name."""
    return {row.modem: row for row in _of_node.rows(connection, its_node=node)}


def write(connection: Connection, node: str, modem: str, **values: Any) -> None:
    """Write columns of a modem's row, which is made if need be: `test_due_us`, `balance_due_us`, and what was found."""
    _add_row.change(connection, its_node=node, its_name=modem)
    connection.execute(update(modem_care).where(_c.node == node, _c.modem == modem).values(**values))


def begin_test(connection: Connection, new: NewTest) -> None:
    """Note a test whose message is accepted in this transaction. There is one open test of a modem at most."""
    _add_test.write(
        connection,
        its_token=new.token,
        its_node=new.node,
        its_name=new.modem,
        its_target=new.target,
        its_sender=new.sender,
        of_message=new.message_id,
        now_us=new.begun_us,
    )


def open_tests(connection: Connection, node: str) -> Sequence[AnyRow]:
    """Tests under way: token, modem, target, begun_us, message_id, status and delivered_us of the message, left_us."""
    return _open_tests.rows(connection, its_node=node)


def tests_of(connection: Connection, node: str, modem: str) -> int:
    """How many tests of this modem are remembered."""
    return int(_begun.scalar(connection, its_node=node, its_name=modem))


def end_test(
    connection: Connection, token: str, outcome: SelfTestOutcome, now_us: int, *, travel_us: int | None = None
) -> None:
    """Write what came of a test."""
    _end_test.write(connection, its_token=token, now_us=now_us, word=outcome.value, travel=travel_us)


def arrived(connection: Connection, token: str, sender: bytes, now_us: int) -> AnyRow | None:
    """A text with this token came from this number: the test that it ends, as it was before (token, outcome, modem,
    left_us), or None where there is none. One that had been given up has arrived after all."""
    found = _by_token.first(connection, its_token=token, its_sender=sender)
    if found is not None and found.outcome != SelfTestOutcome.ARRIVED:
        travel_us = None if found.left_us is None else max(now_us - found.left_us, 0)
        end_test(connection, token, SelfTestOutcome.ARRIVED, now_us, travel_us=travel_us)
    return found


def forget_tests(connection: Connection, before_us: int) -> int:
    """Drop tests that ended before an instant; how many."""
    return connection.execute(delete(self_test).where(_t.ended_us < before_us)).rowcount


def is_held(connection: Connection, node: str, modem: str, now_us: int) -> bool:
    """Whether the SIM of this modem waits for the end of a limit."""
    return any(
        row.node == node and row.modem == modem and row.held_until_us > now_us for row in sim_counts.held(connection)
    )


@dataclass(frozen=True, slots=True)
class Care:
    """What is known of a modem besides how it is: its last test (instant and whether it arrived), its balance
    (thousandths, instant, SIM), since when no report comes, and to how many parts."""

    test: tuple[int, bool] | None = None
    balance: tuple[int, int, str | None] | None = None
    unreported_us: int | None = None


def known(connection: Connection) -> Mapping[tuple[str, str], Care]:
    """What is known of the modems of all hosts, by node and name."""
    found: dict[tuple[str, str], Care] = {}
    tests = _last_tests(connection)
    for row in connection.execute(select(modem_care)).all():
        balance = None if row.balance_milli is None else (row.balance_milli, row.balance_us, row.balance_iccid)
        found[row.node, row.modem] = Care(tests.get((row.node, row.modem)), balance, row.unreported_us)
    return found


def _last_tests(connection: Connection) -> dict[tuple[str, str], tuple[int, bool]]:
    ended = and_(_t.ended_us.is_not(None), _t.outcome != SelfTestOutcome.DROPPED)
    last = select(_t.node, _t.modem, func.max(_t.begun_us).label("begun_us")).where(ended)
    newest = last.group_by(_t.node, _t.modem).subquery()
    query = select(_t.node, _t.modem, _t.ended_us, _t.outcome).join(
        newest, and_(_t.node == newest.c.node, _t.modem == newest.c.modem, _t.begun_us == newest.c.begun_us)
    )
    rows = connection.execute(query.where(ended)).all()
    return {(row.node, row.modem): (row.ended_us, row.outcome == SelfTestOutcome.ARRIVED) for row in rows}


def _floor(table_id: ColumnElement[int], latest: int) -> ColumnElement[Any]:
    newest = select(func.coalesce(func.max(table_id), 0)).scalar_subquery()
    return newest - literal_column(str(latest), Integer)


_newest_mark = Prepared(select(func.max(_a.id)))
_heard = (
    select(report.c.modem, func.max(report.c.received_us).label("heard_us"))
    .where(
        report.c.id > _floor(report.c.id, _LATEST_REPORTS),
        func.coalesce(report.c.node, bindparam("its_node")) == bindparam("its_node"),
    )
    .group_by(report.c.modem)
    .subquery()
)
# What each modem says that the network took, since the last report through it came.
_unreported = Prepared(
    select(
        _a.modem,
        func.count().label("parts"),
        func.min(_a.settled_us).label("since_us"),
        func.count(func.distinct(message.c.recipient_id)).label("people"),
    )
    .join(message, message.c.id == _a.message_id)
    .outerjoin(_heard, _heard.c.modem == _a.modem)
    .where(
        _a.id > _floor(_a.id, _LATEST_MARKS),
        _a.node == bindparam("its_node"),
        _a.tp_mr.is_not(None),
        _a.settled_us > func.coalesce(_heard.c.heard_us, 0),
    )
    .group_by(_a.modem)
)


def newest_mark(connection: Connection) -> int:
    """The number of the latest mark; 0 where there is none."""
    return int(_newest_mark.scalar(connection) or 0)


def unreported(connection: Connection, node: str) -> dict[str, AnyRow]:
    """By modem, what was sent since its last report came: modem, parts, since_us, people. Of the latest marks alone."""
    return {row.modem: row for row in _unreported.rows(connection, its_node=node)}
