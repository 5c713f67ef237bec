"""What a person chose, over opt-outs and the consent ledger together, in one transaction.

STOP opts out and takes back what stood given; START undoes both, and only what a STOP took back. Joining by a word of
the owner's gives consent and lifts the opt-out that stands in its way, and no other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.message import ConsentState, Rule, Status
from gateway.store import automatic, consents, messages, optouts
from gateway.store.consents import NewConsent

#: The source of what a STOP took back; only that is given again by a START.
STOPPED = "sms:stop"
STARTED = "sms:start"
_SMS = "sms"


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody's word on a person: when, as what it is written down in both tables, and who wrote it down."""

    recipient_id: int
    now_us: int
    #: `sms:stop`, `token:NAME`, …, as opt-outs bear it.
    source: str
    #: As entries of the ledger bear it.
    origin: str
    channel: str | None = None
    by: str | None = None
    inbox_id: str | None = None


def stop(connection: Connection, deed: Deed, category: str, stoppable: Collection[str]) -> bool:
    """Opt out of one category, or with "" of all that can be stopped, and take back what stood given in them; what
    waits ends. False when the person was out already."""
    covered = (category,) if category else stoppable
    added = optouts.stop(
        connection,
        deed.recipient_id,
        category,
        deed.now_us,
        source=deed.source,
        stoppable=stoppable,
        inbox_id=deed.inbox_id,
    )
    for name, latest in consents.latest_of(connection, deed.recipient_id).items():
        if name in covered and latest.state == ConsentState.GIVEN:
            consents.say_now(connection, entry_of(deed, name, ConsentState.WITHDRAWN))
    return added


def start(connection: Connection, deed: Deed) -> int:
    """Lift every opt-out, and give again what a STOP took back; returns how many changed."""
    changed = optouts.lift(connection, deed.recipient_id, None, deed.now_us, by=deed.source, inbox_id=deed.inbox_id)
    for name, latest in consents.latest_of(connection, deed.recipient_id).items():
        stopped_by: str | None = latest.inbox_id if latest.source == STOPPED else None
        if stopped_by is not None and latest.state == ConsentState.WITHDRAWN:
            shown = automatic.answer_to(connection, deed.recipient_id, stopped_by)
            consents.say_now(connection, entry_of(deed, name, ConsentState.GIVEN, shown))
            changed += 1
    return changed


def join(connection: Connection, deed: Deed, category: str, *, wording: str | None) -> bool:
    """Give consent to a category and lift what stops it; False when nothing had to be changed."""
    changed = lift_for(connection, deed, category)
    if consents.state_of(connection, deed.recipient_id, category) is not ConsentState.GIVEN:
        consents.say_now(connection, entry_of(deed, category, ConsentState.GIVEN, wording))
        changed = True
    return changed


def lift_for(connection: Connection, deed: Deed, category: str) -> bool:
    """Lift the opt-out of one category. A general one stands for all others: who joins one has not taken back what was
    said of the others, also of those that are not configured yet."""
    person, now_us, item = deed.recipient_id, deed.now_us, deed.inbox_id
    left_out = optouts.leave_out(connection, person, category, now_us, by=deed.source, inbox_id=item)
    lifted = optouts.lift(connection, person, category, now_us, by=deed.source, inbox_id=item)
    return left_out or bool(lifted)


def end_without_consent(connection: Connection, recipient_id: int, category: str, now_us: int) -> int:
    """End what waits for a person in a category that they agree to no longer; returns how many."""
    return messages.end_all_waiting(
        connection,
        recipient_id,
        (category,),
        now_us,
        status=Status.SUPPRESSED,
        code=Rule.NO_CONSENT,
        sentence="the recipient has withdrawn the consent to messages of this category",
    )


def entry_of(deed: Deed, category: str, state: ConsentState, wording: str | None = None) -> NewConsent:
    """An entry of the ledger that writes this word down."""
    return NewConsent(
        recipient_id=deed.recipient_id,
        category=category,
        state=state,
        at_us=deed.now_us,
        recorded_us=deed.now_us,
        channel=deed.channel,
        wording=wording,
        evidence=deed.inbox_id,
        source=deed.origin,
        by=deed.by,
        inbox_id=deed.inbox_id,
    )


def of_sms(recipient_id: int, now_us: int, source: str, inbox_id: str, by: str | None = None) -> Deed:
    """What a person wrote. `by` is who judged what it means, where that was not plain."""
    return Deed(recipient_id, now_us, source, source, _SMS, by, inbox_id)
