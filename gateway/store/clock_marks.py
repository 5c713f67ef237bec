"""What the store keeps of clocks, and what is mended in it when a clock was set.

`clock_floor` is the latest instant that has been, written now and then while a clock is trusted, with the number of the
latest event then: events before it are older than it, whatever they say. Each host keeps besides how its own clock was
when it was last written down (`Kept`), so that a doubt outlives a restart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, bindparam, func, literal_column, select, update

from gateway.clock import SECOND_US
from gateway.message import WAITING, Status
from gateway.store import hosts
from gateway.store.engines import insert, is_shared
from gateway.store.prepared import Prepared, word, words
from gateway.store.schema import event, message, meta

_m = message.c
# A cap that holds by no more than this longer is not worth a look at every message.
_NOTICED_US = 600 * SECOND_US
_FLOOR = "clock_floor"
_value = Prepared(select(meta.c.value).where(meta.c.key == bindparam("name")))
_made = insert(meta).values(key=bindparam("name"), value=bindparam("document"))
_keep = Prepared(_made.on_conflict_do_update(index_elements=["key"], set_={"value": _made.excluded.value}))
_newest = Prepared(select(event.c.id, event.c.at_us).order_by(event.c.id.desc()).limit(1))
_NOW: ColumnElement[int] = literal_column("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint", BigInteger)
_database = Prepared(select(_NOW.label("now_us")))


@dataclass(frozen=True, slots=True)
class Kept:
    """How a host's clock stood: its start of the machine, wall and gateway time minus the boot-time clock, and the
    values of `gateway.rules.clock_trust.Standing`. `since_us` is when a doubt began, None without one."""

    boot: str | None
    base_us: int
    offset_us: int
    ahead_us: int
    vouched: bool
    allowed_off_us: int
    reason: str | None
    since_us: int | None
    crept_us: int = 0
    looked_us: int | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """What a start finds. `floor_us` is 0 where nothing has been yet; `latest_us` is the newest event of all."""

    floor_us: int
    latest_us: int
    kept: Kept | None


@dataclass(frozen=True, slots=True)
class Correction:
    """The time that the gateway goes by was moved: by `step_us`, to `now_us`; what was accepted since `since_us` was
    accepted by the time before. `expires_after_us` says for each category how long its messages live by themselves."""

    step_us: int
    now_us: int
    since_us: int
    expires_after_us: Mapping[str, int]


def read(connection: Connection, node: str) -> Marks:
    """The floor, and how this host's clock stood."""
    floor = _document(connection, _FLOOR)
    floor_us, after = _integer(floor.get("us")), _integer(floor.get("event"))
    newest = _newest.first(connection)
    latest_us = 0 if newest is None else int(newest.at_us)
    if newest is not None and newest.id > after:
        floor_us = max(floor_us, latest_us)
    return Marks(floor_us, latest_us, _kept(_document(connection, _name(node))))


def keep_floor(connection: Connection, floor_us: int) -> None:
    """It has been this late; what events say that are there already counts no more."""
    newest = _newest.first(connection)
    _write(connection, _FLOOR, {"us": floor_us, "event": 0 if newest is None else newest.id})


def keep(connection: Connection, node: str, kept: Kept) -> None:
    """This is how the clock of a host stands."""
    _write(connection, _name(node), {"node": node, **asdict(kept)})


def database_us(connection: Connection) -> int | None:
    """What the server's clock says; None where the store is a file."""
    return int(_database.scalar(connection)) if is_shared(connection) else None


def correct(connection: Connection, node: str, it: Correction) -> bool:
    """Mend what waits, so that nothing waits longer, expires earlier or is tried again earlier than it was meant to.

    False, and nothing done, while another host is alive: it goes by its own clock, by which all of it is right.
    """
    if is_shared(connection) and any(row.alive and row.node != node for row in hosts.standing(connection)):
        return False
    before_us = it.now_us - it.step_us
    in_queue = _m.status.in_(words((Status.QUEUED, Status.SENDING)))
    if it.step_us < 0:
        # It was due before, so it is due.
        _set(connection, {"due_us": it.now_us}, and_(in_queue, _m.due_us > it.now_us, _m.due_us <= before_us))
        # A rule named that instant by the time before: it is asked again. What a person named stays.
        by_rule = and_(_m.status == word(Status.HELD), _m.send_us.is_(None), _m.due_us > it.now_us)
        _set(connection, {"due_us": it.now_us}, by_rule)
    if it.step_us < -_NOTICED_US:
        # A cap counts from when a message left; by the time before it would do so until that comes, perhaps in years.
        _set(
            connection, {"begun_us": _m.begun_us + it.step_us}, and_(_m.begun_us > it.now_us, _m.begun_us <= before_us)
        )
    # What was counted from the time before is counted from now: tries, further copies, and what waits for a try.
    _set(connection, {"due_us": _m.due_us + it.step_us}, and_(in_queue, _m.due_us > before_us))
    for column in (_m.retry_us, _m.resend_us):
        _set(connection, {column.name: column + it.step_us}, column > before_us)
    _correct_ends(connection, it)
    return True


def _correct_ends(connection: Connection, it: Correction) -> None:
    """A life that was counted from the time before is as long as it was to be. One that was given as an instant stays,
    unless that would end it at once: nobody knows by which clock it was meant."""
    alive = _m.status.in_(words((*WAITING, Status.SENDING)))
    for category, lasts_us in it.expires_after_us.items():
        counted = _m.expires_us == func.coalesce(_m.send_us, _m.created_us) + lasts_us
        fits = and_(alive, _m.category == category, _m.send_us.is_(None), _m.created_us >= it.since_us, counted)
        _set(connection, {"expires_us": _m.expires_us + it.step_us}, fits)
    if it.step_us > 0:
        late = and_(
            alive, _m.created_us >= it.since_us, _m.expires_us <= it.now_us, _m.expires_us > it.now_us - it.step_us
        )
        _set(connection, {"expires_us": _m.expires_us + it.step_us}, late)


def _set(connection: Connection, values: Mapping[str, Any], where: ColumnElement[bool]) -> None:
    connection.execute(update(message).where(where).values(**values))


def _name(node: str) -> str:
    """The key of a host: a node's name may be longer than one."""
    return f"clock:{hashlib.sha256(node.encode()).hexdigest()[:40]}"


def _document(connection: Connection, name: str) -> dict[str, object]:
    """What stands there; nothing where nothing does, or what a hand has broken."""
    text = _value.scalar(connection, name=name)
    try:
        found: object = json.loads(text) if text else {}
    except ValueError:
        return {}
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def _write(connection: Connection, name: str, document: Mapping[str, object]) -> None:
    _keep.change(connection, name=name, document=json.dumps(document))


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0


def _kept(document: Mapping[str, object]) -> Kept | None:
    if not document:
        return None
    boot, reason, since = document.get("boot"), document.get("reason"), document.get("since_us")
    looked = document.get("looked_us")
    return Kept(
        boot=boot if isinstance(boot, str) else None,
        base_us=_integer(document.get("base_us")),
        offset_us=_integer(document.get("offset_us")),
        ahead_us=_integer(document.get("ahead_us")),
        vouched=document.get("vouched") is not False,
        allowed_off_us=_integer(document.get("allowed_off_us")),
        reason=reason if isinstance(reason, str) else None,
        since_us=since if isinstance(since, int) else None,
        crept_us=_integer(document.get("crept_us")),
        looked_us=looked if isinstance(looked, int) else None,
    )
