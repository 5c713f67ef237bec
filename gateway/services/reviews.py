"""Replies that nearly are a keyword: those that wait for somebody's word, and that word."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from gateway.address import AddressKind
from gateway.clock import Clock
from gateway.errors import NotFound
from gateway.inbound.reading import Meaning
from gateway.inbound.replies import Replies, Reply
from gateway.message import Doubt
from gateway.requests import Page, Principal
from gateway.rules.keywords import Keyword
from gateway.services.visibility import before_id, only_people, refuse_test
from gateway.store import inbox, reviews
from gateway.store.database import Store

#: It was no keyword.
NO_KEYWORD = "nothing"


class Reviews:
    """The list of doubtful replies."""

    def __init__(self, store: Store, clock: Clock, replies: Replies, nudge: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._replies = replies
        self._nudge = nudge

    async def list(self, principal: Principal, *, limit: int, cursor: str | None) -> Page[Doubt]:
        """Those that wait, newest first; for a token that only tests, of its people alone."""
        before, people = before_id(cursor), only_people(principal)
        return await self._store.read(
            lambda connection: reviews.page(connection, limit=limit, before=before, people=people)
        )

    async def settle(self, principal: Principal, inbox_id: str, verdict: str) -> Doubt:
        """Say what a reply is: a keyword, which is then obeyed, or `nothing`. `NotFound`, or `Conflict` when somebody
        has said so before."""
        refuse_test(principal, "judges no reply")

        def work(connection: Connection) -> Doubt:
            now_us = self._clock.now_us()
            row = reviews.settle(connection, inbox_id, verdict, now_us, by=principal.name)
            if verdict != NO_KEYWORD:
                self._obey(connection, principal, inbox_id, Keyword(verdict), now_us)
            reviews.release_reviewed(connection, row.recipient_id, now_us)
            settled = reviews.get(connection, inbox_id)
            assert settled is not None, "it was settled in this transaction"
            return settled

        settled = await self._store.write(work, hurried=True)
        self._nudge()
        return settled

    def _obey(self, connection: Connection, principal: Principal, inbox_id: str, keyword: Keyword, now_us: int) -> None:
        """As if the person had written it plainly."""
        item = inbox.to_judge(connection, inbox_id)
        if item is None:
            raise NotFound("review_not_found", "the reply is not kept any more")
        inbox.name(connection, inbox_id, keyword)
        reply = Reply(
            inbox_id,
            item.recipient_id,
            AddressKind(item.kind),
            Meaning(keyword),
            item.modem,
            item.category,
            item.node,
            item.text,
            judge=principal.name or None,
        )
        self._replies.obey(connection, reply, now_us)
