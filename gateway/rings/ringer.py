"""Rings the people of a ring: those who wait for it are told, a chunk in each transaction.

Members are marked in the transaction that accepts their messages. So whoever breaks off in the middle, or does it at
the same time at another host, rings nobody twice and leaves nobody out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

from sqlalchemy import Connection

from gateway.address import kind_of
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.failpoints import reach
from gateway.outbound.intake import Intake
from gateway.people.rendering import RenderFault
from gateway.requests import Accepted, NewMessage, Principal
from gateway.ring import NewRing, RingStatus
from gateway.rings.asked import asked_of
from gateway.rings.listed import People
from gateway.rings.telling import Teller
from gateway.store import recipients, ring_members, rings, tokens
from gateway.store.database import Store
from gateway.store.ring_members import Turn
from gateway.store.schema import AnyRow

#: People of one transaction: some tens of milliseconds, between which others write.
CHUNK: Final = 100


class RingOver(Exception):
    """The ring was stopped, or nobody may ring for it any more."""


class _TakenMeanwhile(Exception):
    """Another host has rung some of these people."""


class Ringer:
    """Accepts what a ring tells its people."""

    def __init__(
        self, store: Store, clock: Clock, intake: Intake, *, people: People, teller: Teller, nudge: Callable[[], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._intake = intake
        self._people = people
        self._teller = teller
        self._nudge = nudge

    async def holder(self, row: AnyRow) -> Principal:
        """For whom the ring is rung: its token, without a rate, which was asked for when the ring began. Raises
        `RingOver` once the token is not in force."""
        found = await self._store.read(
            lambda connection: tokens.holder(connection, row.token_id or 0, self._clock.now_us())
        )
        if found is None:
            raise RingOver
        return replace(found, rate=None)

    async def ring(self, row: AnyRow, principal: Principal, *, most: int | None = None) -> None:
        """Ring everybody who waits for it, or about so many. Raises `RingOver`, or what the store raises; what was done
        by then stays."""
        asked, done = asked_of(row), 0
        while (most is None or done < most) and (rung := await self._ring_some(row.id, asked, principal)):
            done += rung
            self._nudge()
            reach("rung_some")

    async def add(self, row: AnyRow, to: Sequence[str], step: int, silent: Mapping[int, int]) -> None:
        """Write down the people of an escalation. Who is a member already and among the `silent`, each with how often
        that was rung, is rung once more. Raises `RingOver`."""

        def work(connection: Connection, numbers: Sequence[str], first: int) -> None:
            if rings.lock(connection, row.id) is not RingStatus.RINGING:
                raise RingOver
            rows = self.write_down(connection, row.id, numbers, step, first)
            ring_members.want_again(connection, row.id, rows & silent.keys(), silent)

        first = 0
        async for numbers in self._people.numbers(to, test=bool(row.test), most=CHUNK):
            await self._store.write(partial(work, numbers=numbers, first=first))
            first += len(numbers)

    def write_down(
        self, connection: Connection, ring_id: str, numbers: Sequence[str], step: int = 0, first: int = 0
    ) -> set[int]:
        """Keep these people as members, in this order; their rows. Who is one already stays what he is."""
        people = {self._store.fingerprint(number): (number, kind_of(number)) for number in numbers}
        rows = recipients.ensure_all(connection, people, self._clock.now_us())
        ring_members.add_members(connection, ring_id, [rows[lookup] for lookup in people], step, first)
        return set(rows.values())

    async def _ring_some(self, ring_id: str, asked: NewRing, principal: Principal) -> int:
        turns = await self._store.read(lambda connection: ring_members.waiting(connection, ring_id, CHUNK))
        if not turns:
            return 0
        numbers = [turn.number for turn in turns if turn.number is not None]
        told = dict(zip(numbers, await self._teller.messages(principal, numbers, asked, ring_id), strict=True))
        news: list[NewMessage] = []
        here: list[Turn] = []
        # Who was erased since, and whose card has no longer what the text needs.
        gone: list[tuple[Turn, str]] = []
        for turn in turns:
            new = None if turn.number is None else told[turn.number]
            if isinstance(new, NewMessage):
                news.append(new)
                here.append(turn)
            else:
                gone.append((turn, new.code if isinstance(new, RenderFault) else "erased"))

        def mark(connection: Connection, outcomes: Sequence[Accepted | GatewayError]) -> None:
            if rings.lock(connection, ring_id) is not RingStatus.RINGING:
                raise RingOver
            codes = [each.code if isinstance(each, GatewayError) else None for each in outcomes]
            done = [*zip(here, codes, strict=True), *gone]
            now_us = self._clock.now_us()
            if not all(ring_members.mark_rung(connection, ring_id, turn, now_us, code) for turn, code in done):
                raise _TakenMeanwhile

        # Where some were taken meanwhile, somebody rings the others too, or they come with the next.
        with suppress(_TakenMeanwhile):
            await self._intake.accept_apart(principal, news, mark)
        return len(turns)
