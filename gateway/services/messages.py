"""Messages: accept, read, follow, cancel, resolve, preview."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Protocol

from sqlalchemy import Connection

from gateway.address import NumberInvalid, parse_recipient
from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.errors import Conflict, GatewayError, NotFound
from gateway.message import WAITING, Message, Status, TimelineItem
from gateway.outbound.door import refuse_destination
from gateway.outbound.intake import Intake
from gateway.outbound.waits import Waits
from gateway.people.templates import TemplateBook
from gateway.requests import Accepted, MessageFilter, NewMessage, Page, Preview, Principal, Settlement, Submission
from gateway.rules.lead import MOST_LEAD_US
from gateway.services.proofreading import Proofreader
from gateway.services.visibility import before_id, filter_number, only_token, refuse_test
from gateway.store import events, messages, recipients, resolution
from gateway.store.database import Store
from gateway.store.idempotency import KEPT_US
from gateway.store.schema import AnyRow

_ONLY_TESTS = "changes no message that a real modem may take"
#: Bounds how long one transaction of a cancellation keeps others waiting.
_GROUP = 200


class Nudge(Protocol):
    """Told after a commit, with the first instant that came with it, if that is known."""

    def __call__(self, earliest_us: int | None = None, /) -> None: ...


class Messages:
    """Outbound messages."""

    def __init__(
        self, store: Store, clock: Clock, intake: Intake, nudge: Nudge, *, settings: Settings, book: TemplateBook
    ) -> None:
        self._store = store
        self._clock = clock
        self._intake = intake
        self._nudge = nudge
        self._book = book
        self._country = settings.gateway.country
        self._node = settings.gateway.node
        self._waits = Waits(settings, clock.doubt)
        self._proofreader = Proofreader(settings)

    async def create(self, principal: Principal, new: NewMessage, key: str | None = None) -> Message:
        """Accept one message; it is on the disk when this returns.

        With a `key` that this token used before for the same message: that message, as it is now. Raises
        `InvalidRequest` (with every wrong field), `Forbidden` for a category the token may not use, `Conflict` for a
        key that was used for another message, and `StorageFull`.
        """
        if new.template is not None:
            (new,) = await self._book.fill(principal, [new])
        message = await self._intake.accept(principal, new, key)
        self._nudge(_earliest_us(message))
        return message

    async def create_all(
        self, principal: Principal, submissions: Sequence[Submission], key: str | None = None
    ) -> Sequence[Accepted]:
        """Accept all of them in one commit, or none; fields of errors are `/messages/N/…`. Raises as `create` does."""
        submissions = await self._book.fill_all(principal, submissions)
        accepted = await self._intake.accept_all(principal, submissions, key)
        self._nudge()
        return accepted

    async def create_each(
        self, principal: Principal, groups: AsyncIterator[Sequence[Submission]]
    ) -> AsyncGenerator[Sequence[Accepted | GatewayError]]:
        """Accept each for itself, a commit for each group; what became of each, group by group."""
        filled = self._book.fill_each(principal, groups)
        async with aclosing(filled), aclosing(self._intake.accept_each(principal, filled)) as results:
            async for result in results:
                self._nudge()
                yield result

    def allowed(self, principal: Principal, number: str) -> str:
        """A number in its normal form; `InvalidRequest` where nothing is sent to it, `Forbidden` where this token may
        not write to it."""
        found = self._intake.recipient(number)
        refuse_destination(principal, found)
        return found

    async def preview(
        self,
        principal: Principal,
        new: NewMessage,
        at_us: int | None,
        *,
        check_links: bool = False,
        check_spelling: bool = True,
    ) -> Preview:
        """What would become of it at `at_us` (now if None), and what somebody may want to change in it; changes
        nothing. With `check_links` its links are asked, which takes up to some seconds."""
        if new.template is not None:
            (filled,) = await self._book.fill(principal, [new])
            new = filled.worded()
        found = await self._intake.preview(principal, new, at_us)
        cautions = await self._proofreader.read(new.text, check_links=check_links, check_spelling=check_spelling)
        return replace(found, warnings=[*found.warnings, *cautions])

    async def close(self) -> None:
        """End what runs beside the gateway for previews."""
        await self._proofreader.close()

    async def get(self, principal: Principal, message_id: str) -> Message:
        """One message; `NotFound` also for one that this token may not see."""
        token_id = only_token(principal)

        def work(connection: Connection) -> Message | None:
            waiting = self._waits.standing(connection, self._clock.now_us())
            return messages.get(connection, message_id, token_id=token_id, waiting=waiting)

        found = await self._store.read(work)
        if found is None or not _may_see(principal, found):
            raise _not_found()
        return found

    async def list(
        self, principal: Principal, wanted: MessageFilter, *, limit: int, cursor: str | None
    ) -> Page[Message]:
        """Messages that fit, newest first."""
        before = before_id(cursor)
        if wanted.modem is not None:
            node, _, name = wanted.modem.rpartition(":")
            wanted = replace(wanted, modem=name, node=node or None)
        lookup = self._lookup(wanted.to)
        token_id = only_token(principal)

        def work(connection: Connection) -> Page[Message]:
            person = None if lookup is None else recipients.find(connection, lookup)
            if lookup is not None and person is None:
                return Page([], None)
            waiting = self._waits.standing(connection, self._clock.now_us())
            return messages.page(
                connection,
                wanted,
                recipient_id=person,
                token_id=token_id,
                limit=limit,
                before=before,
                simulated=principal.test,
                waiting=waiting,
                waiting_lanes=self._waits.lanes(connection, waiting) if wanted.status else (),
            )

        return await self._store.read(work)

    async def timeline(self, principal: Principal, message_id: str) -> Sequence[TimelineItem]:
        """What happened to a message, oldest first."""
        token_id = only_token(principal)

        def work(connection: Connection) -> list[TimelineItem] | None:
            found = messages.get(connection, message_id, token_id=token_id)
            return _timeline(connection, found) if found is not None and _may_see(principal, found) else None

        items = await self._store.read(work)
        if items is None:
            raise _not_found()
        return items

    async def cancel(self, principal: Principal, message_id: str) -> Message:
        """Cancel what waits; `Conflict` once it is being sent or has ended. Reading all is not cancelling all."""
        token_id = None if principal.may("admin") else principal.token_id

        def work(connection: Connection) -> Message | None:
            found = messages.get(connection, message_id, token_id=token_id)
            if found is None:
                return None
            refuse_test(principal, _ONLY_TESTS, allowed=found.simulated)
            if found.status not in WAITING:
                raise Conflict("not_cancelable", f"the message is {found.status}: only one that waits can be canceled")
            sentence = f"by token {principal.name}"
            if not messages.end_waiting(
                connection, message_id, Status.CANCELED, self._clock.now_us(), code=None, sentence=sentence
            ):
                raise Conflict(
                    "not_cancelable", "the message has begun to be sent: only one that waits can be canceled"
                )
            return messages.get(connection, message_id)

        canceled = await self._store.write(work, hurried=True)
        if canceled is None:
            raise _not_found()
        return canceled

    async def cancel_reference(self, principal: Principal, reference: str) -> AsyncGenerator[Sequence[Message]]:
        """Cancel what waits under a reference of this token, or of any for `admin`; in groups, newest first."""
        token_id = None if principal.may("admin") and not principal.test else principal.token_id
        before: str | None = None
        while group := await self._store.write(
            partial(self._cancel_some, principal, reference, token_id, before), hurried=True
        ):
            yield group
            before = group[-1].id

    def _cancel_some(
        self, principal: Principal, reference: str, token_id: int | None, before: str | None, connection: Connection
    ) -> list[Message]:
        now_us, sentence = self._clock.now_us(), f"by token {principal.name}"
        ids = messages.waiting_under(connection, reference, token_id=token_id, before=before, limit=_GROUP)
        canceled = [
            each
            for each in ids
            if messages.end_waiting(connection, each, Status.CANCELED, now_us, code=None, sentence=sentence)
        ]
        found = [messages.get(connection, each) for each in canceled]
        return [each for each in found if each is not None]

    async def resolve(self, principal: Principal, message_id: str, settlement: Settlement) -> Message:
        """Settle an uncertain message; `Conflict` when it is not uncertain, or may not be sent any more."""
        token_id = None if principal.may("admin") else principal.token_id

        def work(connection: Connection) -> Message | None:
            found = messages.get(connection, message_id, token_id=token_id)
            if found is None:
                return None
            refuse_test(principal, _ONLY_TESTS, allowed=found.simulated)
            by = f"token {principal.name}"
            resolution.resolve(connection, message_id, settlement, self._clock.now_us(), by=by)
            return messages.get(connection, message_id)

        resolved = await self._store.write(work, hurried=True)
        if resolved is None:
            raise _not_found()
        self._nudge()
        return resolved

    def recipient(self, text: str) -> str:
        """A number as other systems write it: one without + that is none of this country may be an international one.

        What is none at all stays as it is, for the door to say so.
        """
        try:
            return parse_recipient(text, self._country)
        except NumberInvalid:
            return f"+{text}" if text.isascii() and text.isdecimal() and not text.startswith("0") else text

    def _lookup(self, number: str | None) -> bytes | None:
        return None if number is None else self._store.fingerprint(filter_number(number, self._country, "to"))


def _earliest_us(message: Message) -> int:
    """When the first thing becomes due that was not before this message: its hour, its end, the end of its key."""
    earliest_us = min(message.expires_us, message.created_us + KEPT_US)
    if message.status is not Status.HELD:
        return earliest_us
    # What waits for the last minute before its time may be one more than can leave in that.
    is_early = message.send_us is not None and message.due_us < message.send_us
    return min(earliest_us, message.due_us - MOST_LEAD_US if is_early else message.due_us)


def _may_see(principal: Principal, found: Message) -> bool:
    """Whether a token that may read this one may also see whom it is to."""
    return found.simulated or not principal.test


def _not_found() -> NotFound:
    return NotFound("message_not_found", "there is no such message, or this token may not see it")


# At one instant: that it is being sent, then what its parts did, then what came of that.
_FIRST, _PARTS, _LAST = range(3)


def _timeline(connection: Connection, message: Message) -> list[TimelineItem]:
    lines: list[tuple[int, int, TimelineItem]] = []
    for row in events.of_message(connection, message.id):
        rank = _FIRST if row.type in {"message.sending", "message.queued"} else _LAST
        lines.append((row.at_us, rank, TimelineItem(row.at_us, row.type, row.detail)))
    for row in events.attempts_of(connection, message.id):
        lines += [(item.at_us, _PARTS, item) for item in _of_attempt(row, message.parts)]
    return [item for _, _, item in sorted(lines, key=lambda line: line[:2])]


def _of_attempt(row: AnyRow, parts: int) -> list[TimelineItem]:
    """The lines of one try of one part."""
    part = f"part {row.sequence} of {parts}"
    items = [TimelineItem(row.marked_us, "part.submitting", f"{part} through {row.modem}")]
    if row.settled_us is not None:
        answer = f", reference {row.tp_mr}" if row.tp_mr is not None else f", {row.cause}" if row.cause else ""
        word = "sent" if row.tp_mr is not None else {"pending": "released"}.get(row.state, row.state)
        items.append(TimelineItem(row.settled_us, f"part.{word}", part + answer))
    if row.reported_us is not None:
        items.append(TimelineItem(row.reported_us, f"part.{row.state}", f"{part}, TP-ST 0x{row.tp_st:02x}"))
    return items
