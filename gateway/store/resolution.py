"""An operator's word on a message that may have gone."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from gateway.errors import Conflict
from gateway.message import PartEvent, Status
from gateway.requests import Settlement
from gateway.store import optouts, outcomes
from gateway.store.prepared import Prepared
from gateway.store.schema import message

_m = message.c
_facts = Prepared(
    select(_m.status, _m.recipient_id, _m.category, _m.stoppable, _m.expires_us)
    .where(_m.id == bindparam("message_id"))
    # Somebody else may be saying his word at another host.
    .with_for_update()
)
_EVENTS = {Settlement.SENT: PartEvent.ACCEPTED, Settlement.FAILED: PartEvent.REFUSED}


def resolve(connection: Connection, message_id: str, settlement: Settlement, now_us: int, *, by: str) -> None:
    """Settle every uncertain part of a message that exists; `Conflict` when it is not uncertain.

    A further copy obeys what every copy obeys: none to a person who opted out, none after its time.
    """
    row = _facts.first(connection, message_id=message_id)
    assert row is not None, "the caller has looked it up in this transaction"
    if row.status != Status.UNCERTAIN:
        raise Conflict("not_uncertain", f"the message is {row.status}; only an uncertain one can be resolved")
    sentence = f"resolved as {settlement} by {by}"
    if settlement is not Settlement.RESEND:
        outcomes.settle_by_hand(connection, message_id, _EVENTS[settlement], now_us, sentence)
        return
    if row.stoppable and optouts.is_opted_out(connection, row.recipient_id, row.category):
        raise Conflict("opted_out", "the recipient has opted out meanwhile; resolve it as sent or failed")
    if row.expires_us <= now_us:
        raise Conflict("message_expired", "its time to be sent has passed; resolve it as sent or failed")
    outcomes.resend(connection, message_id, now_us, sentence)
