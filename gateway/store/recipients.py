"""People, by number: the one row that everything else refers to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, select, update

from gateway.address import Residence
from gateway.store.engines import insert, is_shared
from gateway.store.many import PreparedList
from gateway.store.prepared import Prepared, Question
from gateway.store.schema import AnyRow, recipient

_find = Prepared(select(recipient.c.id).where(recipient.c.lookup == bindparam("hash")))
_where = (recipient.c.timezone, recipient.c.country)
_find_all = PreparedList(
    lambda values: select(recipient.c.id, recipient.c.lookup, *_where).where(recipient.c.lookup.in_(values))
)
_known = Prepared(select(recipient.c.id, *_where).where(recipient.c.lookup == bindparam("hash")))
_language = Prepared(select(recipient.c.language).where(recipient.c.id == bindparam("person")))
_new = (
    insert(recipient)
    .values(
        number=bindparam("digits"),
        kind=bindparam("sort"),
        lookup=bindparam("hash"),
        created_us=bindparam("now_us"),
        concat_reference=0,
    )
    # Another host may add the same person at this moment.
    .on_conflict_do_nothing(index_elements=["lookup"])
)
_add_many = Prepared(_new)
_add = Prepared(_new.returning(recipient.c.id))
# Not against those who only refer to the row: a message may be accepted meanwhile.
_one = select(recipient.c.id).where(recipient.c.id == bindparam("person"))
_lock = Prepared(_one.with_for_update(key_share=True))
_try_lock = Prepared(_one.with_for_update(key_share=True, skip_locked=True))
# Against whoever decides about these people, not against others who only accept for them.
_share_all = PreparedList(
    lambda values: (
        select(recipient.c.id).where(recipient.c.id.in_(values)).order_by(recipient.c.id).with_for_update(read=True)
    )
)
# Against those as well.
_lock_all = PreparedList(
    lambda values: (
        select(recipient.c.id)
        .where(recipient.c.id.in_(values))
        .order_by(recipient.c.id)
        .with_for_update(key_share=True)
    )
)
_next_reference = Prepared(
    update(recipient)
    .where(recipient.c.id == bindparam("person"))
    .values(concat_reference=(recipient.c.concat_reference + 1) % 256)
    .returning(recipient.c.concat_reference)
)


def ensure(connection: Connection, number: str, kind: str, lookup: bytes, now_us: int) -> int:
    """The row of this number, made if it is new."""
    known = find(connection, lookup)
    if known is not None:
        return known
    added = _add.scalar(connection, digits=number, sort=str(kind), hash=lookup, now_us=now_us)
    if added is not None:
        return added
    found = find(connection, lookup)
    assert found is not None, "another host added it at this moment, and its transaction is over"
    return found


def lock(connection: Connection, recipient_id: int) -> None:
    """Wait until no other host decides anything about this person. Several people: in the order of their rows."""
    if is_shared(connection):
        _lock.scalar(connection, person=recipient_id)


def lock_all(connection: Connection, people: Iterable[int], *, alone: bool) -> None:
    """Wait until no other host decides anything about these people. Several hosts may hold them so at once, unless what
    is accepted for them depends on what else is: `alone`."""
    if is_shared(connection):
        (_lock_all if alone else _share_all).write(connection, sorted(set(people)))


def ask_try_lock(recipient_id: int) -> Question:
    """As `lock`, without waiting; no row while another host has it. To be asked together with something else."""
    return _try_lock, {"person": recipient_id}


def try_lock(connection: Connection, recipient_id: int) -> bool:
    """As `lock`, without waiting; False while another host decides something about this person."""
    return not is_shared(connection) or _try_lock.scalar(connection, person=recipient_id) is not None


def find_all(connection: Connection, lookups: Collection[bytes]) -> dict[bytes, int]:
    """The rows that there are of these people, by lookup."""
    return {bytes(row.lookup): row.id for row in _find_all.rows(connection, list(lookups))}


def ensure_all(connection: Connection, people: Mapping[bytes, tuple[str, str]], now_us: int) -> dict[bytes, int]:
    """The rows of these people (number and kind, by lookup), made where they are new; by lookup."""
    known = find_all(connection, people)
    return known | add_all(connection, {each: people[each] for each in people.keys() - known.keys()}, now_us)


def ensure_known(
    connection: Connection, people: Mapping[bytes, tuple[str, str]], now_us: int
) -> tuple[dict[bytes, int], dict[int, Residence]]:
    """As `ensure_all`, and where those live of whom a contact says so, by row: by the same statement."""
    rows = _find_all.rows(connection, list(people))
    residences = {row.id: found for row in rows if (found := residence(row)) is not None}
    known = {bytes(row.lookup): row.id for row in rows}
    return known | add_all(
        connection, {each: people[each] for each in people.keys() - known.keys()}, now_us
    ), residences


def residence(row: AnyRow) -> Residence | None:
    """What a row with `timezone` and `country` says of where somebody lives; None where it says nothing."""
    if row.timezone is None and row.country is None:
        return None
    return Residence(row.timezone, row.country)


def find_known(connection: Connection, lookup: bytes) -> tuple[int | None, Residence | None]:
    """The row of this number, if there is one, and where a contact says that its holder lives."""
    row = _known.first(connection, hash=lookup)
    return (None, None) if row is None else (row.id, residence(row))


def language_of(connection: Connection, recipient_id: int) -> str | None:
    """What this person reads, as a BCP 47 tag; None where it is not known."""
    return _language.scalar(connection, person=recipient_id)


def add_all(connection: Connection, people: Mapping[bytes, tuple[str, str]], now_us: int) -> dict[bytes, int]:
    """Make rows of people who have none (number and kind, by lookup), unless another host has just done it."""
    if not people:
        return {}
    # In one order for everybody, so that two who make the same people cannot wait for each other.
    rows = [(each, *people[each]) for each in sorted(people)]
    _add_many.write_many(
        connection,
        [{"digits": number, "sort": str(kind), "hash": each, "now_us": now_us} for each, number, kind in rows],
    )
    return find_all(connection, people)


def find(connection: Connection, lookup: bytes) -> int | None:
    """The row of this number, if there is one."""
    return _find.scalar(connection, hash=lookup)


_number = Prepared(select(recipient.c.number).where(recipient.c.id == bindparam("person")))


def number_of(connection: Connection, recipient_id: int) -> str | None:
    """This person's number; None when it was erased."""
    return _number.scalar(connection, person=recipient_id)


_numbers = PreparedList(lambda values: select(recipient.c.id, recipient.c.number).where(recipient.c.id.in_(values)))


def numbers_of(connection: Connection, people: Sequence[int]) -> dict[int, str | None]:
    """The numbers of these people; None of those who were erased."""
    return {row.id: row.number for row in _numbers.rows(connection, people)}


def next_concat_reference(connection: Connection, recipient_id: int) -> int:
    """The next 8-bit concatenation reference towards this person (TS 23.040, 9.2.3.24.1)."""
    return _next_reference.scalar(connection, person=recipient_id)
