"""What became of PINs that SIMs were given: one row for each PIN and each way in which a SIM was known.

A SIM that tells its number only when it is unlocked is known by its modem before. So of a PIN's rows all are asked that
may be of the SIM at hand, and all of them are moved together.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, bindparam, insert, select, update

from drivers.gsm.pin_ledger import after_another
from drivers.gsm.pin_rules import Card, PinRecord, PinState, gone_by
from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, sim_pin

#: A person who allows one more try is at the modem; much later something else may be in it.
CONFIRMED_US = 3600 * 1_000_000

_c = sim_pin.c
_now = bindparam("now_us", type_=BigInteger)
_get = Prepared(select(sim_pin).where(_c.fingerprint == bindparam("mark")).order_by(_c.id).with_for_update())
_others = Prepared(select(sim_pin).where(_c.fingerprint != bindparam("mark")).order_by(_c.id).with_for_update())
_add = Prepared(
    insert(sim_pin).values(
        fingerprint=bindparam("mark"),
        iccid=bindparam("its_iccid"),
        imei=bindparam("its_imei"),
        modem=bindparam("its_modem"),
        state=bindparam("word"),
        tried_us=bindparam("tried"),
        proven_us=bindparam("proven"),
        confirmed_us=bindparam("confirmed"),
    )
)
_by_id = update(sim_pin).where(_c.id == bindparam("row_id"))
_try = Prepared(_by_id.values(state=bindparam("word"), tried_us=_now, settled_us=None, confirmed_us=None))
_settle = Prepared(_by_id.values(state=bindparam("word"), settled_us=_now, proven_us=bindparam("proven")))
_confirm = Prepared(_by_id.values(confirmed_us=_now))


def of(connection: Connection, fingerprint: bytes, card: Card) -> Sequence[AnyRow]:
    """The rows of this PIN that may be of this SIM; nobody else changes them before this transaction ends."""
    rows = _get.rows(connection, mark=fingerprint)
    return [row for row in rows if Card(row.modem, row.imei, row.iccid).may_be(card)]


def of_others(connection: Connection, fingerprint: bytes, card: Card) -> Sequence[AnyRow]:
    """The rows of all other PINs that may be of this SIM."""
    rows = _others.rows(connection, mark=fingerprint)
    return [row for row in rows if Card(row.modem, row.imei, row.iccid).may_be(card)]


def gone_by_others(connection: Connection, fingerprint: bytes, card: Card) -> int:
    """How many tries of this SIM may be gone by other PINs."""
    by_pin: dict[bytes, list[PinRecord]] = {}
    for row in of_others(connection, fingerprint, card):
        by_pin.setdefault(bytes(row.fingerprint), []).append(record_of(row, row.tried_us or 0))
    return sum(map(gone_by, by_pin.values()))


def record_of(row: AnyRow, now_us: int) -> PinRecord:
    """A row as the rules know it. A confirmation from the future, or from long ago, is none."""
    confirmed = row.confirmed_us is not None and 0 <= now_us - row.confirmed_us < CONFIRMED_US
    state = None if row.state is None else PinState(row.state)
    return PinRecord(state, proven=row.proven_us is not None, confirmed=confirmed)


def begin(
    connection: Connection, fingerprint: bytes, card: Card, rows: Sequence[AnyRow], *, state: PinState, now_us: int
) -> None:
    """The PIN is about to be given to this SIM. `rows` are those of `of`, `state` what it is from now on."""
    for row in rows:
        _try.change(connection, row_id=row.id, word=state.value, now_us=now_us)
    if not any(_is_exactly(row, card) for row in rows):
        proven = max((row.proven_us for row in rows if row.proven_us is not None), default=None)
        _insert(connection, fingerprint, card, word=state.value, tried=now_us, proven=proven)


def settle(connection: Connection, rows: Sequence[AnyRow], records: Sequence[PinRecord], now_us: int) -> None:
    """What came of it: `records` are those of `rows` from now on."""
    for row, record in zip(rows, records, strict=True):
        proven_us = now_us if record.state is PinState.PROVEN else row.proven_us
        word = None if record.state is None else record.state.value
        _settle.change(connection, row_id=row.id, word=word, proven=proven_us, now_us=now_us)


def settle_others(connection: Connection, fingerprint: bytes, card: Card, now_us: int) -> None:
    """The SIM took this PIN: what was refused of others counts no more."""
    for row in of_others(connection, fingerprint, card):
        record = record_of(row, now_us)
        if gone_by([record]):
            settle(connection, [row], [after_another(record)], now_us)


def confirm(connection: Connection, fingerprint: bytes, card: Card, now_us: int) -> None:
    """A person allows one more try."""
    rows = of(connection, fingerprint, card)
    for row in rows:
        _confirm.change(connection, row_id=row.id, now_us=now_us)
    if not rows:
        _insert(connection, fingerprint, card, confirmed=now_us)


def _insert(
    connection: Connection,
    fingerprint: bytes,
    card: Card,
    *,
    word: str | None = None,
    tried: int | None = None,
    proven: int | None = None,
    confirmed: int | None = None,
) -> None:
    _add.change(
        connection,
        mark=fingerprint,
        its_iccid=card.iccid,
        its_imei=card.imei,
        its_modem=card.name,
        word=word,
        tried=tried,
        proven=proven,
        confirmed=confirmed,
    )


def _is_exactly(row: AnyRow, card: Card) -> bool:
    return (row.iccid, row.imei, row.modem) == (card.iccid, card.imei, card.name)
