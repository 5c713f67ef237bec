"""Segments: names for whoever a filter holds for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing
from typing import Final, TypeAlias

from sqlalchemy import Connection

from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.errors import Conflict, InvalidRequest, NotFound
from gateway.people.aside import Aside, TookTooLong
from gateway.people.audience import SEGMENT_NAME, Audience, AudienceCount
from gateway.people.contact import Contact
from gateway.people.contacts import contact_of
from gateway.people.expression_check import LONGEST, check
from gateway.people.segments import too_slow
from gateway.requests import Page, Principal
from gateway.services.visibility import before_row, only_people, refuse_test
from gateway.store import segments
from gateway.store.database import Store
from gateway.store.segments import LAST, Segment

#: Says, in the transaction that would remove a segment, whether something goes to it: a campaign, an automation.
Use: TypeAlias = Callable[[Connection, str], bool]

# In seconds; what is usual takes some thousandths.
_CHECKED_WITHIN: Final = 5.0
# Of looking for members in one request; then the page ends, however short it is.
_STEPS_OF_A_PAGE: Final = 50
_CHANGES_NOTHING: Final = "changes no segment"


class Segments:
    """The segments, and who is in them."""

    def __init__(
        self, store: Store, clock: Clock, settings: Settings, aside: Aside, *, uses: Sequence[Use] = ()
    ) -> None:
        self._store = store
        self._clock = clock
        self._aside = aside
        self._uses = tuple(uses)
        self._categories = {name: category.stoppable for name, category in settings.categories.items()}
        #: Whom numbers and segments mean.
        self.audience = Audience(settings, store, clock, aside)

    async def close(self) -> None:
        """End the process beside."""
        await self._aside.close()

    async def list(self, *, limit: int, cursor: str | None) -> Page[Segment]:
        """Segments, newest first."""
        before = before_row(cursor)
        return await self._store.read(lambda connection: segments.page(connection, limit=limit, before=before))

    async def get(self, name: str) -> Segment:
        """The segment of this name."""
        found = await self._store.read(lambda connection: segments.get(connection, name))
        if found is None:
            raise _none_of_that_name()
        return found

    async def add(self, principal: Principal, name: str, source: str) -> Segment:
        """Make one; `Conflict` when there is one of that name, `InvalidRequest` when the filter can be none."""
        refuse_test(principal, _CHANGES_NOTHING)
        if not SEGMENT_NAME.fullmatch(name):
            raise InvalidRequest.field(
                "segment_name_invalid", "/name", "has 1 to 64 of a-z, 0-9, _ and -, and begins with a letter"
            )
        await self.check(source)

        def work(connection: Connection) -> Segment | None:
            added = segments.add(connection, name, source, self._clock.now_us())
            return segments.get(connection, name) if added else None

        made = await self._store.write(work, hurried=True)
        if made is None:
            raise Conflict("segment_exists", "there is a segment of that name")
        return made

    async def change(self, principal: Principal, name: str, source: str) -> Segment:
        """Give one another filter."""
        refuse_test(principal, _CHANGES_NOTHING)
        await self.get(name)
        await self.check(source)

        def work(connection: Connection) -> Segment | None:
            segments.change(connection, name, source, self._clock.now_us())
            return segments.get(connection, name)

        changed = await self._store.write(work, hurried=True)
        if changed is None:
            raise _none_of_that_name()
        return changed

    async def remove(self, principal: Principal, name: str) -> Segment:
        """Forget one; `Conflict` while something goes to it."""
        refuse_test(principal, _CHANGES_NOTHING)

        def work(connection: Connection) -> Segment:
            found = segments.get(connection, name)
            if found is None:
                raise _none_of_that_name()
            if any(use(connection, name) for use in self._uses):
                raise Conflict("segment_in_use", "a campaign or an automation goes to this segment")
            segments.remove(connection, name)
            return found

        return await self._store.write(work, hurried=True)

    async def check(self, source: str) -> None:
        """Refuse a filter that nobody could be judged by."""
        if len(source) > LONGEST:
            raise InvalidRequest.field("filter_too_long", "/filter", f"a filter has at most {LONGEST} octets")
        types = await self.audience.crowd.types()
        try:
            await self._aside.run(_CHECKED_WITHIN, check, source, types, self._categories)
        except TookTooLong:
            raise too_slow() from None

    async def count(self, principal: Principal, source: str) -> AudienceCount:
        """How many a filter holds for, and who is left out."""
        await self.check(source)
        return await self.audience.count_filters([source], only=only_people(principal))

    async def count_all(self, principal: Principal, to: Sequence[str]) -> AudienceCount:
        """How many people numbers and segments mean."""
        return await self.audience.count(to, only=only_people(principal))

    async def count_of(self, principal: Principal, name: str) -> AudienceCount:
        """How many are in a segment now."""
        found = await self.get(name)
        return await self.audience.count_filters([found.filter], only=only_people(principal))

    async def members(self, principal: Principal, name: str, *, limit: int, cursor: str | None) -> Page[Contact]:
        """Who is in a segment now, those who were added last first. A page may be short of its limit, or empty, and not
        the last: one request looks at so many contacts and no more."""
        before = before_row(cursor)
        found = await self.get(name)
        return await self._page(found.filter, only_people(principal), limit, LAST if before is None else before)

    async def _page(self, source: str, only: Collection[str] | None, limit: int, before: int) -> Page[Contact]:
        types = await self.audience.crowd.types()
        items: list[Contact] = []
        steps = 0
        async with aclosing(self.audience.crowd.back(source, before, only=only)) as going:
            async for step in going:
                for at in step.judged.members:
                    if len(items) == limit:
                        return Page(items, str(items[-1].id))
                    if step.rows[at].dead_us is None:
                        items.append(contact_of(step.rows[at], types))
                steps += 1
                if steps == _STEPS_OF_A_PAGE:
                    return Page(items, str(step.last))
        return Page(items, None)


def _none_of_that_name() -> NotFound:
    return NotFound("segment_not_found", "there is no segment of that name")
