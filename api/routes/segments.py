"""Segments: their filters, counts and members."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.contacts import contact_out
from api.models.fields import NoFields, NoQuery, PageQuery
from api.models.lists import list_out
from api.models.segments import CountIn, FilterIn, SegmentIn, count_out, segment_out

_CREATED: Final = 201


async def list_all(call: Call, wanted: PageQuery) -> web.Response:
    """Segments, newest first."""
    page = await call.services.segments.list(limit=wanted.limit, cursor=wanted.cursor)
    return answer(list_out(page, segment_out))


async def create(call: Call, wanted: SegmentIn) -> web.Response:
    """Make a segment. Its filter is checked: its form, the names of its fields and attributes, and their types."""
    made = await call.services.segments.add(call.principal, wanted.name, wanted.filter)
    return answer(segment_out(made), _CREATED)


async def read(call: Call, _: NoQuery) -> web.Response:
    """One segment."""
    return answer(segment_out(await call.services.segments.get(call.segment("name"))))


async def change(call: Call, wanted: FilterIn) -> web.Response:
    """Give a segment another filter, which is checked as that of a new one."""
    changed = await call.services.segments.change(call.principal, call.segment("name"), wanted.filter)
    return answer(segment_out(changed))


async def remove(call: Call, _: NoQuery) -> web.Response:
    """Forget a segment; answers with what it was. Not while a campaign or an automation goes to it."""
    return answer(segment_out(await call.services.segments.remove(call.principal, call.segment("name"))))


async def count(call: Call, wanted: CountIn) -> web.Response:
    """How many contacts a filter holds for at this moment, or numbers and segments mean, each person once; and how many
    are left out, by the value that they lack."""
    if wanted.to is not None:
        counted = await call.services.segments.count_all(call.principal, wanted.to)
    else:
        counted = await call.services.segments.count(call.principal, wanted.filter or "")
    return answer(count_out(counted))


async def count_of(call: Call, _: NoFields) -> web.Response:
    """How many contacts are in a segment now, and how many are left out, by the value that they lack."""
    return answer(count_out(await call.services.segments.count_of(call.principal, call.segment("name"))))


async def members(call: Call, wanted: PageQuery) -> web.Response:
    """Who is in a segment now, those who were added last first. A page may be shorter than its limit and not the last:
    `next` alone says whether there are more."""
    page = await call.services.segments.members(
        call.principal, call.segment("name"), limit=wanted.limit, cursor=wanted.cursor
    )
    return answer(list_out(page, contact_out))
