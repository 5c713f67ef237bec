"""Tokens: list, make, revoke."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.answers import answer
from api.endpoint import Call
from api.models.fields import NoQuery, PageQuery
from api.models.lists import list_out, page_of
from api.models.tokens import TokenIn, token_out
from gateway.requests import TokenView

_CREATED: Final = 201


async def list_all(call: Call, wanted: PageQuery) -> web.Response:
    """Every token, newest first, revoked ones too."""
    tokens = await call.services.tokens.list(call.principal)
    return answer(list_out(page_of(tokens, _key, wanted.limit, wanted.cursor), token_out))


async def create(call: Call, wanted: TokenIn) -> web.Response:
    """Make a token. Its secret is in this answer and nowhere else, ever."""
    token, secret = await call.services.tokens.create(call.principal, wanted.value())
    return answer({**token_out(token), "token": secret}, _CREATED)


async def revoke(call: Call, _: NoQuery) -> web.Response:
    """Revoke a token; it is refused from the moment of the answer."""
    return answer(token_out(await call.services.tokens.revoke(call.principal, call.segment("name"))))


def _key(token: TokenView) -> str:
    """Unlike the name, the row is unique: the name of a revoked token may be given again."""
    return str(token.id)
