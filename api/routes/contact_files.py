"""Contacts from files and to files: import, how far it is, what it did not take, export."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from aiohttp import web

from api.answers import COMMON_FIELDS, answer
from api.body import broken_off, timed_out
from api.endpoint import Call
from api.models.contact_files import ExportQuery, ImportQuery, import_out, rejection_out
from api.models.fields import NoQuery, PageQuery
from api.models.lists import list_out
from api.problems import HttpProblem

CSV: Final = "text/csv"
#: Of which nothing has come for so long, the file is not waited for.
_PIECE_S: Final = 60.0


async def create(call: Call, wanted: ImportQuery) -> web.Response:
    """Import contacts from a CSV file of any size. It is answered when the file is received and its columns are known;
    the rows are read then.

    The same file with the same wishes goes on where it was broken off.
    """
    asked = wanted.value()
    if (charset := _charset(call.request)) is not None and asked.charset is None:
        asked = replace(asked, charset=charset)
    async with aclosing(_pieces(call.request)) as octets:
        found, new = await call.services.contacts.imports.receive(call.principal, octets, asked)
    return answer(import_out(found), HTTPStatus.ACCEPTED if new else HTTPStatus.OK)


async def list_all(call: Call, wanted: PageQuery) -> web.Response:
    """Imports, newest first."""
    page = await call.services.contacts.imports.list(call.principal, limit=wanted.limit, cursor=wanted.cursor)
    return answer(list_out(page, import_out))


async def read(call: Call, _: NoQuery) -> web.Response:
    """An import: how far it is, and what the columns were found to be."""
    return answer(import_out(await call.services.contacts.imports.get(call.principal, call.segment("id"))))


async def rejections(call: Call, wanted: PageQuery) -> web.Response:
    """The rows that were not taken, in the order of the file, each with its line and the reason."""
    page = await call.services.contacts.imports.rejections(
        call.principal, call.segment("id"), limit=wanted.limit, cursor=wanted.cursor
    )
    return answer(list_out(page, rejection_out))


async def export(call: Call, wanted: ExportQuery) -> web.StreamResponse:
    """All contacts as CSV that no spreadsheet runs, and that an import takes back as they were."""
    lines = call.services.contacts.imports.export(call.principal, wanted.tag, typed=wanted.types == "true")
    fields = {
        "Content-Type": f"{CSV}; charset=utf-8",
        "Content-Disposition": 'attachment; filename="contacts.csv"',
        **COMMON_FIELDS,
    }
    # What can be refused is refused before an answer has begun.
    first = await anext(aiter(lines))
    response = web.StreamResponse(headers=fields)
    try:
        await response.prepare(call.request)
        if call.request.method == "GET":
            await response.write(first)
            async for octets in lines:
                await response.write(octets)
        await response.write_eof()
    except ConnectionError:
        response.force_close()
    return response


def _charset(request: web.Request) -> str | None:
    """What the body says of itself. Raises the 415 problem for what is no CSV."""
    if request.content_type != CSV or request.headers.get("Content-Encoding", "identity").lower() != "identity":
        said = f"the body must be CSV, not compressed, with Content-Type: {CSV}"
        raise HttpProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", said)
    return request.charset


async def _pieces(request: web.Request) -> AsyncGenerator[bytes]:
    """Octets as they arrive."""
    while True:
        try:
            async with asyncio.timeout(_PIECE_S):
                octets = await request.content.readany()
        except TimeoutError:
            raise timed_out() from None
        except (web.RequestPayloadError, ConnectionError):
            raise broken_off() from None
        if not octets:
            return
        yield octets
