"""Rings, which front ends call alerts: begun, followed, rung again, stopped.

One that is begun is answered when its people stand in the store: all of them are rung then, whatever happens. Of up to
`AT_ONCE` people the messages are accepted by then too; of more the rest follows beside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from drivers.events import ModemStatus
from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.errors import Conflict, NotFound
from gateway.ids import IdSource
from gateway.message import Status
from gateway.outbound.forecast import Forecaster, Standing
from gateway.outbound.intake import Intake
from gateway.outbound.waits import Waits
from gateway.people.templates import TemplateBook
from gateway.requests import Page, Principal
from gateway.ring import Leaving, NewRing, RingLine, RingStatus, RingView, Rung
from gateway.rings.asked import asked_of
from gateway.rings.beginning import Beginning, Begun
from gateway.rings.keeper import Keeper
from gateway.rings.listed import Listed, People
from gateway.rings.look import Look, look_at
from gateway.rings.plan import STOPPED
from gateway.rings.ringer import Ringer, RingOver
from gateway.rings.telling import Teller
from gateway.services.messages import Nudge
from gateway.services.visibility import before_id, only_token, refuse_test
from gateway.store import messages, ring_members, rings
from gateway.store.cautions import cautions_of
from gateway.store.database import Store
from gateway.store.schema import AnyRow

#: Of so many people every message is accepted before the answer.
AT_ONCE: Final = 1000
#: Bounds how long one transaction keeps others waiting.
_GROUP: Final = 200
_ONLY_TESTS: Final = "touches no alert that a real modem may carry"


@dataclass(frozen=True, slots=True)
class Hall:
    """What rings share with the rest of the gateway."""

    settings: Settings
    store: Store
    clock: Clock
    ids: IdSource
    intake: Intake
    nudge: Nudge
    statuses: Callable[[], Sequence[ModemStatus]]


class Rings:
    """Alerts to groups."""

    def __init__(self, hall: Hall, listed: Listed, book: TemplateBook) -> None:
        self._store = hall.store
        self._clock = hall.clock
        self._intake = hall.intake
        self._waits = Waits(hall.settings, hall.clock.doubt)
        self._forecaster = Forecaster(hall.settings, hall.store.measures, hall.clock, hall.statuses)
        people, teller = People(listed, hall.settings.gateway.country), Teller(book)
        self._ringer = Ringer(hall.store, hall.clock, hall.intake, people=people, teller=teller, nudge=hall.nudge)
        self._beginning = Beginning(
            hall.settings,
            hall.store,
            hall.clock,
            hall.ids,
            intake=hall.intake,
            people=people,
            ringer=self._ringer,
            teller=teller,
        )
        #: The task of it.
        self.keeper = Keeper(hall.store, hall.clock, self._ringer, self._waits, hall.settings.gateway.node)

    async def run(self) -> None:
        """Look after rings until cancelled."""
        await self.keeper.run()

    def told(self) -> Mapping[str, Mapping[str, Any]]:
        """What other hosts must know of the modems of this one to reckon with them."""
        return self._forecaster.told()

    async def create(self, principal: Principal, new: NewRing, key: str | None = None) -> Rung:
        """Ring people. With a `key` that this token used before for the same: that ring, as it is now.

        Raises `InvalidRequest` with every wrong field, `Forbidden`, `TooMany`, `Conflict` for a key that was used for
        another ring, and what the store raises. Then nobody is rung.
        """
        begun = await self._beginning.begin(principal, new, key)
        if begun.known:
            return await self._as_rung(begun.id)
        try:
            await self._ring_now(principal, begun)
        finally:
            # Whatever comes in between: it is promised.
            self.keeper.nudge()
        leaving = await self._store.read(partial(self._foretold, begun=begun))
        await self._store.write(lambda connection: rings.keep_estimate(connection, begun.id, leaving.done_us))
        return Rung(begun.id, len(begun.drafts), begun.parts, leaving, begun.warnings, begun.gsm7_text)

    async def get(self, principal: Principal, ring_id: str) -> RingView:
        """One ring with its people; `NotFound` also for one that this token may not see."""
        look, leaving = await self._store.read(lambda connection: self._seen(connection, principal, ring_id))
        row, tally = look.row, look.tally
        return RingView(
            line=_line(row, len(look.people)),
            to=look.asked.to,
            tally=tally,
            leaving=leaving,
            estimated_us=row.estimated_us,
            steps=look.steps,
            again=look.asked.again,
            warnings=cautions_of(row.warnings, 0),
        )

    async def list(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[RingLine]:
        """Rings, newest first."""
        before, token_id = before_id(cursor), only_token(principal)

        def work(connection: Connection) -> Page[RingLine]:
            rows = rings.page(connection, token_id=token_id, test=principal.test, before=before, limit=limit + 1)
            shown = rows[:limit]
            people = ring_members.people_in(connection, [row.id for row in shown])
            following = shown[-1].id if len(rows) > limit else None
            return Page([_line(row, people.get(row.id, 0)) for row in shown], following)

        return await self._store.read(work)

    async def ring_again(self, principal: Principal, ring_id: str) -> Rung:
        """Ring everybody once more who is silent and has no message under way.

        `Conflict` once the ring was stopped: a new one is meant then.
        """
        look, _ = await self._store.read(lambda connection: self._changeable(connection, principal, ring_id))
        counts = {person.id: person.rung for person in look.people if person.may_be_rung}
        try:
            # Whoever asks, the ring is that of its token.
            holder = await self._ringer.holder(look.row)
        except RingOver:
            raise _stopped() from None
        self._intake.spend(principal, len(counts))
        now_us = self._clock.now_us()

        def work(connection: Connection) -> int:
            if rings.lock(connection, ring_id) is RingStatus.STOPPED:
                raise _stopped()
            rings.change_status(connection, ring_id, RingStatus.FINISHED, RingStatus.RINGING, next_us=now_us)
            rings.look_at(connection, ring_id, now_us)
            return ring_members.want_again(connection, ring_id, counts.keys(), counts)

        people = await self._store.write(work, hurried=True)
        try:
            await self._ringer.ring(look.row, holder, most=AT_ONCE)
        except RingOver:
            raise _stopped() from None
        finally:
            self.keeper.nudge()
        after, leaving = await self._store.read(lambda connection: self._seen(connection, principal, ring_id))
        return Rung(ring_id, people, max(after.parts - look.parts, 0), leaving)

    async def stop(self, principal: Principal, ring_id: str) -> RingView:
        """Ring nobody any more: no further people, nobody again; what waits is cancelled. What has begun to leave
        leaves, and answers still count. A ring that is stopped stays so."""
        await self._store.read(lambda connection: self._changeable(connection, principal, ring_id))
        now_us = self._clock.now_us()

        def work(connection: Connection) -> None:
            for before in (RingStatus.RINGING, RingStatus.FINISHED):
                rings.change_status(connection, ring_id, before, RingStatus.STOPPED, ended_us=now_us)
            rings.stop_steps(connection, ring_id, now_us, STOPPED)
            ring_members.give_up(connection, ring_id)

        await self._store.write(work, hurried=True)
        sentence = f"its alert was stopped by token {principal.name}"
        while await self._store.write(partial(_cancel_some, ring_id=ring_id, now_us=now_us, sentence=sentence)):
            pass
        self.keeper.nudge()
        return await self.get(principal, ring_id)

    async def _ring_now(self, principal: Principal, begun: Begun) -> None:
        row = await self._store.read(lambda connection: rings.get(connection, begun.id))
        try:
            if row is not None:
                await self._ringer.ring(row, principal, most=AT_ONCE)
        except RingOver:
            # Stopped at once: it is told as it is.
            pass

    def _foretold(self, connection: Connection, begun: Begun) -> Leaving:
        row = rings.get(connection, begun.id)
        assert row is not None, "it was begun"
        look = look_at(connection, row, self._waits, self._clock.now_us())
        return self._forecaster.leaving(connection, _standing(row), begun.leaves, held_until_us=look.held_until_us)

    async def _as_rung(self, ring_id: str) -> Rung:
        def work(connection: Connection) -> Rung:
            row = rings.get(connection, ring_id)
            if row is None:
                raise _not_found()
            look = look_at(connection, row, self._waits, self._clock.now_us())
            leaving = self._leaving(connection, look)
            return Rung(ring_id, len(look.people), look.parts, leaving, cautions_of(row.warnings, 0))

        return await self._store.read(work)

    def _seen(self, connection: Connection, principal: Principal, ring_id: str) -> tuple[Look, Leaving]:
        row = rings.get(connection, ring_id)
        own = row is not None and only_token(principal) in {None, row.token_id}
        if row is None or not own or row.status == RingStatus.FILLING or (principal.test and not row.test):
            raise _not_found()
        look = look_at(connection, row, self._waits, self._clock.now_us())
        return look, self._leaving(connection, look)

    def _changeable(self, connection: Connection, principal: Principal, ring_id: str) -> tuple[Look, Leaving]:
        """As `_seen`, by who may change it: reading all is not ringing for all."""
        look, leaving = self._seen(connection, principal, ring_id)
        if not principal.may("admin") and look.row.token_id != principal.token_id:
            raise _not_found()
        refuse_test(principal, _ONLY_TESTS, allowed=bool(look.row.test))
        return look, leaving

    def _leaving(self, connection: Connection, look: Look) -> Leaving:
        """When the rest will have left; when the last left, where there is none."""
        if not look.leaves:
            return Leaving(0.0, look.tally.last_sent_us)
        return self._forecaster.leaving(connection, _standing(look.row), look.leaves, held_until_us=look.held_until_us)


def _standing(row: AnyRow) -> Standing:
    return Standing(row.category, row.priority, before=row.id, ring_id=row.id)


def _cancel_some(connection: Connection, *, ring_id: str, now_us: int, sentence: str) -> int:
    ids = ring_members.cancelable(connection, ring_id, _GROUP)
    for each in ids:
        messages.end_waiting(connection, each, Status.CANCELED, now_us, code=None, sentence=sentence)
    return len(ids)


def _line(row: AnyRow, recipients: int) -> RingLine:
    return RingLine(
        id=row.id,
        status=RingStatus(row.status),
        category=row.category,
        text=row.text,
        simulated=bool(row.test),
        created_us=row.created_us,
        recipients=recipients,
        expect=asked_of(row).expect,
        ended_us=row.ended_us,
    )


def _not_found() -> NotFound:
    return NotFound("alert_not_found", "there is no such alert, or this token may not see it")


def _stopped() -> Conflict:
    return Conflict("alert_stopped", "the alert was stopped: ring anew")
