"""What channels have to carry. A row is due until it was sent or given up; what was sent stays for an hour as a count.

What is sent is written down with what says so (an event, a message in the queue), in one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from gateway.clock import SECOND_US
from gateway.message import Status
from gateway.store import events
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared
from gateway.store.schema import event, message, notice

FALLBACK, FORWARD, ALARM = "fallback", "forward", "alarm"
MAIL, SMS, PUSHED = "mailto", "sms", "push"
CARRIERS = (MAIL, SMS, PUSHED)
#: What a timeline says of a fallback.
FALLBACK_SENT, FALLBACK_FAILED = "message.fallback_sent", "message.fallback_failed"
#: Endings that a fallback is for.
ENDINGS = (Status.UNDELIVERED, Status.FAILED, Status.EXPIRED)
#: What goes to one address is counted over this.
COUNTED_US = 3600 * SECOND_US
_MOST = 50

_n, _m = notice.c, message.c


@dataclass(frozen=True, slots=True)
class NewNotice:
    """Something to be carried. `goal` is "mailto:…", "sms:+…" or "push"."""

    kind: str
    goal: str
    message_id: str | None = None
    event_id: int | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Notice(NewNotice):
    """One that is there. Instants are microseconds UTC."""

    id: int = 0
    made_us: int = 0
    due_us: int = 0
    tries: int = 0

    @property
    def channel(self) -> str:
        """What carries it."""
        return carrier_of(self.goal)

    @property
    def lane(self) -> tuple[str, str]:
        """What goes the same way one after the other."""
        return self.kind, self.goal


def carrier_of(goal: str) -> str:
    """Which channel leads to it."""
    return goal.partition(":")[0]


def add(connection: Connection, new: Sequence[NewNotice], now_us: int) -> None:
    """Leave them to be carried."""
    if new:
        connection.execute(insert(notice), [_values(each, now_us) for each in new])


def _values(new: NewNotice, now_us: int) -> dict[str, Any]:
    return {
        "kind": new.kind,
        "channel": carrier_of(new.goal),
        "goal": new.goal,
        "message_id": new.message_id,
        "event_id": new.event_id,
        "words": new.words,
        "made_us": now_us,
        "due_us": now_us,
    }


_first_due = Prepared(select(_n.due_us).where(_n.due_us.is_not(None)).order_by(_n.due_us).limit(1))


def due(connection: Connection, channel: str, now_us: int, busy: Collection[tuple[str, str]]) -> list[Notice]:
    """What may be tried of one channel, the oldest first, of no lane that is busy."""
    query = select(notice).where(_n.channel == channel, _n.due_us.is_not(None), _n.due_us <= now_us)
    rows = connection.execute(query.order_by(_n.due_us, _n.id).limit(_MOST + len(busy) * _MOST)).all()
    found = [
        Notice(
            kind=row.kind,
            goal=row.goal,
            message_id=row.message_id,
            event_id=row.event_id,
            words=row.words,
            id=row.id,
            made_us=row.made_us,
            due_us=row.due_us,
            tries=row.tries,
        )
        for row in rows
    ]
    return [each for each in found if each.lane not in busy]


def next_due(connection: Connection) -> int | None:
    """When the first of all is due."""
    return _first_due.scalar(connection)


def claim(connection: Connection, ids: Sequence[int], now_us: int, until_us: int) -> bool:
    """Keep other hosts from them until then; False if one was there first, and then nothing is done."""
    mine = connection.execute(select(_n.id).where(_n.id.in_(ids), _n.due_us <= now_us).with_for_update()).all()
    if len(mine) != len(ids):
        return False
    connection.execute(update(notice).where(_n.id.in_(ids)).values(due_us=until_us))
    return True


def sent_lately(connection: Connection, kind: str, goal: str, since_us: int) -> list[int]:
    """When something of this kind was sent there since then, the latest first."""
    query = select(_n.sent_us).distinct().where(_n.sent_us > since_us, _n.kind == kind, _n.goal == goal)
    return list(connection.execute(query.order_by(_n.sent_us.desc())).scalars())


# --- what came of it


def sent(connection: Connection, carried: Sequence[Notice], now_us: int) -> None:
    """They were sent, together. Nothing of their words stays."""
    gone = {"due_us": None, "sent_us": now_us, "words": None, "event_id": None}
    connection.execute(update(notice).where(_n.id.in_([each.id for each in carried])).values(gone))
    _tell_fallbacks(connection, carried, FALLBACK_SENT, now_us)
    connection.execute(delete(notice).where(_n.sent_us.is_not(None), _n.sent_us <= now_us - COUNTED_US))


def again(connection: Connection, carried: Sequence[Notice], due_us: int, *, tried: bool = True) -> None:
    """They are tried later."""
    more = {"tries": _n.tries + 1} if tried else {}
    connection.execute(update(notice).where(_n.id.in_([each.id for each in carried])).values(due_us=due_us, **more))


def give_up(connection: Connection, carried: Sequence[Notice], now_us: int) -> None:
    """Nobody is told of them any more."""
    forget(connection, carried)
    _tell_fallbacks(connection, carried, FALLBACK_FAILED, now_us)


def forget(connection: Connection, carried: Sequence[Notice]) -> None:
    """There is nothing to tell any more."""
    connection.execute(delete(notice).where(_n.id.in_([each.id for each in carried])))


def _tell_fallbacks(connection: Connection, carried: Sequence[Notice], word: str, now_us: int) -> None:
    for each in carried:
        if each.kind == FALLBACK:
            channel = "by email" if carrier_of(each.goal) == MAIL else "by push"
            sentence = channel if word == FALLBACK_SENT else f"{channel}: it could not be sent, and is tried no more"
            events.record(connection, now_us, word, message_id=each.message_id, detail=sentence)


# --- messages that could not arrive

_with_fallback = PreparedList(
    lambda values: select(_m.id, _m.status, _m.fallback, _m.test, _m.recipient_id).where(
        _m.id.in_(values), _m.fallback.is_not(None)
    )
)


def to_fall_back(connection: Connection, message_ids: Sequence[str]) -> list[Any]:
    """Those of them that name a fallback, have ended badly and stand so, and for which nothing was done yet: id,
    status, fallback, test, recipient_id."""
    rows = _with_fallback.rows(connection, list(dict.fromkeys(message_ids))) if message_ids else []
    return [row for row in rows if row.status in ENDINGS and not _is_done(connection, row.id)]


def _is_done(connection: Connection, message_id: str) -> bool:
    waiting = select(_n.id).where(_n.message_id == message_id).limit(1)
    told = select(event.c.id).where(
        event.c.message_id == message_id, event.c.type.in_([FALLBACK_SENT, FALLBACK_FAILED])
    )
    return any(connection.execute(query).first() is not None for query in (waiting, told.limit(1)))


def still_ended(connection: Connection, message_id: str) -> str | None:
    """The text of a message that ended badly and stands so; None where it has arrived after all, or is gone."""
    row = connection.execute(select(_m.text, _m.status).where(_m.id == message_id)).first()
    return row.text if row is not None and row.status in ENDINGS else None
