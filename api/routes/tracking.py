"""What came of campaigns: links that were followed, codes that were given, conversions."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web

from api.answers import answer
from api.body import JSON_TYPE, check_type, object_of, read_octets
from api.endpoint import Call
from api.models.fields import NoQuery, PageQuery
from api.models.lists import list_out
from api.models.tracking import (
    CodesIn,
    ConversionIn,
    ConversionsQuery,
    LinksQuery,
    codes_out,
    conversion_out,
    link_out,
    pool_out,
)
from api.validation import validated

CSV: Final = "text/csv"


async def links(call: Call, wanted: LinksQuery) -> web.Response:
    """The addresses in the messages of a campaign, by variant, and who followed them: people, and programs apart."""
    page = await call.services.short_links.totals(
        call.principal, wanted.campaign, limit=wanted.limit, cursor=wanted.cursor
    )
    return answer(list_out(page, link_out))


async def pools(call: Call, wanted: PageQuery) -> web.Response:
    """Pools of personal codes, newest first."""
    return answer(list_out(await call.services.codes.list(limit=wanted.limit, cursor=wanted.cursor), pool_out))


async def pool(call: Call, _: NoQuery) -> web.Response:
    """One pool: how many codes it has, how many somebody has, how many are left."""
    return answer(pool_out(await call.services.codes.get(call.segment("pool"))))


async def add_codes(call: Call, _: NoQuery) -> web.Response:
    """Put codes into a pool, from a list or a CSV file of at most 4 MiB; it is made if it is new. Codes that are in it
    already stay as they are, so that the same file may be sent again."""
    name = call.segment("pool")
    if check_type(call.request, JSON_TYPE, CSV) == CSV:
        added = await call.services.codes.add_csv(call.principal, name, await read_octets(call.request))
    else:
        wanted = validated(CodesIn, object_of(await read_octets(call.request)))
        added = await call.services.codes.add_list(call.principal, name, wanted.codes)
    return answer(codes_out(added), HTTPStatus.CREATED)


async def convert(call: Call, wanted: ConversionIn) -> web.Response:
    """Tell what somebody did. It is matched to the last message of a campaign that had left to them within the window;
    where there is none it is kept all the same, without a campaign. Told again with the same `reference`: 200 with the
    first."""
    found, new = await call.services.conversions.record(call.principal, wanted.value_of())
    return answer(conversion_out(found), HTTPStatus.CREATED if new else HTTPStatus.OK)


async def conversions(call: Call, wanted: ConversionsQuery) -> web.Response:
    """Conversions, newest first."""
    page = await call.services.conversions.list(
        call.principal,
        campaign_id=wanted.campaign,
        kind=wanted.kind,
        matched=None if wanted.matched is None else wanted.matched == "true",
        limit=wanted.limit,
        cursor=wanted.cursor,
    )
    return answer(list_out(page, conversion_out))
