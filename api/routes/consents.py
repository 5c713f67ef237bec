"""Consents: list, enter, ask; and the replies that somebody has to judge."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.consents import ConsentBody, ConsentsQuery, ReviewIn, consent_out, review_out
from api.models.fields import PageQuery
from api.models.lists import list_out

_CREATED: Final = 201
_ACCEPTED: Final = 202


async def list_all(call: Call, wanted: ConsentsQuery) -> web.Response:
    """Entries of the ledger, those written last first."""
    page = await call.services.consents.list(call.principal, wanted.value(), limit=wanted.limit, cursor=wanted.cursor)
    return answer(list_out(page, consent_out))


async def add(call: Call, wanted: ConsentBody) -> web.Response:
    """Enter a consent or its withdrawal; with `double_opt_in` the person is asked first."""
    entered = await call.services.consents.add(call.principal, wanted.value())
    return answer(consent_out(entered), _ACCEPTED if wanted.double_opt_in else _CREATED)


async def reviews(call: Call, wanted: PageQuery) -> web.Response:
    """Replies that wait to be judged, newest first."""
    page = await call.services.reviews.list(call.principal, limit=wanted.limit, cursor=wanted.cursor)
    return answer(list_out(page, review_out))


async def settle(call: Call, wanted: ReviewIn) -> web.Response:
    """Say what a reply is."""
    return answer(review_out(await call.services.reviews.settle(call.principal, call.segment("id"), wanted.verdict)))
