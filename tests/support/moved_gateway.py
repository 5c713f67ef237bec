"""A gateway whose clock a test moves, asked over HTTP; what stands in its store is counted beside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import Connection, func, select
from support.clock import ManualClock
from support.http import Answer, Api
from support.settings import settings_in
from support.waiting import eventually

from gateway.clock import from_datetime, rfc3339
from gateway.config.settings import Category
from gateway.daemon import Gateway, running_gateway
from gateway.store.database import Store
from gateway.store.schema import automation, campaign, campaign_member, message

#: What a request that is refused leaves as it was.
_COUNTED = (message, campaign, campaign_member, automation)


async def counts_of(gateway: Gateway) -> Mapping[str, int]:
    """How many rows there are of what can be sent, and of what sends it."""

    def work(connection: Connection) -> Mapping[str, int]:
        return {each.name: connection.execute(select(func.count()).select_from(each)).scalar_one() for each in _COUNTED}

    store: Store = gateway.services.segments._store
    return await store.read(work)


@dataclass
class Moved:
    """One of them."""

    gateway: Gateway
    api: Api
    clock: ManualClock

    async def ok(self, method: str, path: str, document: object = None) -> Any:
        """The document of an answer that is none of a refusal."""
        answer = await self.api.ask(method, path, **({} if document is None else {"json": document}))
        assert answer.status < 300, answer.document
        return answer.document

    async def people(self, tag: str, *numbers: str, **fields: object) -> None:
        """Contacts with a tag, and the segment of that name of whoever has it."""
        for number in numbers:
            known = await self.api.get(f"/v1/contacts/{number}")
            if known.status == 404:
                await self.ok("POST", "/v1/contacts", {"number": number, "tags": [tag], **fields})
            else:
                change = {"tags": [*known.document["tags"], tag], **fields}
                await self.ok("PATCH", f"/v1/contacts/{number}", change)
        if (await self.api.get(f"/v1/segments/{tag}")).status == 404:
            await self.ok("POST", "/v1/segments", {"name": tag, "filter": f'"{tag}" in tags'})

    def later(self, **duration: float) -> str:
        """A moment so much after now, as it is written."""
        return rfc3339(self.clock.now_us() + timedelta(**duration) // timedelta(microseconds=1))

    def advance(self, **duration: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**duration))

    async def campaign(self, campaign_id: str) -> Any:
        """A campaign as it stands."""
        return await self.ok("GET", f"/v1/campaigns/{campaign_id}")

    async def act(self, campaign_id: str, act: str, document: object = None) -> Any:
        """Do something to a campaign."""
        return await self.ok("POST", f"/v1/campaigns/{campaign_id}/{act}", document)

    async def sent(self, campaign_id: str) -> list[Any]:
        """The messages of a campaign."""
        return (await self.api.get(f"/v1/messages?campaign={campaign_id}&limit=1000")).items

    async def passing(self, campaign_id: str, seen: Callable[[Any], bool]) -> Any:
        """The campaign once it is so, while time passes: slowly enough for what a modem has under way."""
        return await self.until(campaign_id, seen, step_s=0.03)

    async def until(self, campaign_id: str, seen: Callable[[Any], bool], *, step_s: float = 0) -> Any:
        """The campaign once it is so; so much time passes between two looks."""

        async def reached() -> Any:
            self.advance(seconds=step_s)
            found = await self.campaign(campaign_id)
            return found if seen(found) else None

        return await eventually(reached, 20, "the campaign to come so far")

    async def finished(self, campaign_id: str) -> Any:
        """The campaign, of which nothing waits any more, once it has seen so: that it looks for every two seconds."""

        async def over() -> Any:
            self.advance(seconds=1)
            found = await self.campaign(campaign_id)
            return found if found["status"] == "finished" else None

        return await eventually(over, 20, "the campaign to finish")

    async def delivered(self, campaign_id: str, count: int) -> list[Any]:
        """The messages of a campaign once so many were delivered."""

        async def reached() -> list[Any] | None:
            items = await self.sent(campaign_id)
            return items if [each["status"] for each in items].count("delivered") == count else None

        return await eventually(reached, 20, f"{count} delivered messages") or []


@asynccontextmanager
async def moved_gateway(folder: Path, *categories: Category) -> AsyncIterator[Moved]:
    """One with a simulated modem, and with these categories besides the built-in ones."""
    clock = ManualClock()
    settings = settings_in(folder, categories=categories)
    async with running_gateway(settings, clock) as running, aiohttp.ClientSession() as session:
        yield Moved(running, Api(session, running.url, running.admin_token), clock)


def instant_us(text: str) -> int:
    """Microseconds of a moment as it is written."""
    return from_datetime(datetime.fromisoformat(text))


def refused(answer: Answer) -> tuple[int, str, list[str]]:
    """What an answer refuses: status, code, pointers."""
    return answer.status, answer.code, answer.pointers
