"""Accepting for who keeps a list of people: in one transaction it is looked who is to have a message still, these are
accepted, each for itself, and what became of each is written beside them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from gateway.clock import Clock
from gateway.errors import GatewayError, TooMany
from gateway.message import Rule
from gateway.outbound.acceptance import Acceptance, Entry, Fresh, Outcome, Repeated
from gateway.outbound.rates import Rates
from gateway.requests import NewMessage, Principal, Submission
from gateway.store.database import Store


class Chosen:
    """Accepts what is chosen in the transaction. Of an `Intake`, whose checks and counts it shares."""

    def __init__(
        self,
        check: Callable[[Principal, Sequence[Submission]], Awaitable[list[Entry]]],
        store: Store,
        clock: Clock,
        acceptance: Acceptance,
        rates: Rates,
    ) -> None:
        self._check = check
        self._store = store
        self._clock = clock
        self._acceptance = acceptance
        self._rates = rates

    async def check(self, principal: Principal, news: Sequence[NewMessage]) -> Sequence[Entry]:
        """Check what is to be accepted; what is wrong with one stands in its entry."""
        return await self._check(principal, [Submission(each) for each in news])

    async def accept(
        self,
        entries: Sequence[Entry],
        choose: Callable[[Connection], Sequence[int]],
        note: Callable[[Connection, Mapping[int, str | GatewayError]], None],
    ) -> None:
        """Commit those entries that `choose` picks by their places, each for itself; `note` is told of each of these
        which message it is, or why it is none. Both are asked in the transaction, in which somebody else may have
        decided meanwhile; where one raises, nothing is written. Whoever else writes goes before. Raises `TooMany`
        where the token has no room for all of them.
        """
        if entries and entries[0].principal.rate is not None:
            entries = self._rates.together(entries)
            _raise_if_too_many(entry.draft for entry in entries)

        def work(connection: Connection) -> None:
            chosen = choose(connection)
            outcomes = self._acceptance.commit(connection, [entries[at] for at in chosen], self._clock.now_us())
            _raise_if_too_many(outcomes)
            note(connection, {at: _id_of(outcome) for at, outcome in zip(chosen, outcomes, strict=True)})

        await self._rates.settled(entries, self._store.write(work, idle=True))


def _id_of(outcome: Outcome) -> str | GatewayError:
    if isinstance(outcome, Fresh):
        return outcome.row.id
    return outcome.message_id if isinstance(outcome, Repeated) else outcome


def _raise_if_too_many(outcomes: Iterable[object]) -> None:
    """Where the token has no room now it has some later; a cap of the person's is the person's."""
    for each in outcomes:
        if isinstance(each, TooMany) and each.code != Rule.CAP:
            raise each
