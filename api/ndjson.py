"""Reading a body of lines as it comes, in memory that does not grow with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

from aiohttp import web

from api.body import broken_off, timed_out
from api.problems import HttpProblem

NDJSON: Final = "application/x-ndjson"
LINE_MAX: Final = 64 * 1024

# A client that makes its lines one by one may take its time; one of which no line has ended for so long is gone, or
# holds the connection for nothing.
_LINE_S: Final = 60.0


async def groups(request: web.Request, most: int) -> AsyncIterator[list[bytes | None]]:
    """The lines without their ends, as many together as have arrived, at most `most`; None for one that is too long.

    Raises the 400 or 408 problem when the body breaks off: a last line without its end is then not given.
    """
    rest, too_long, now = b"", False, asyncio.get_running_loop().time
    patient_until = now() + _LINE_S
    while chunk := await _chunk(request, patient_until):
        *ended, rest = (rest + chunk).split(b"\n")
        lines: list[bytes | None] = [line if len(line) <= LINE_MAX else None for line in ended]
        if too_long and lines:
            # The end of a line whose beginning was dropped.
            lines[0], too_long = None, False
        if len(rest) > LINE_MAX:
            rest, too_long = b"", True
        for start in range(0, len(lines), most):
            yield lines[start : start + most]
        if ended:
            # Counted from here: the time that its messages took to be written is not the client's.
            patient_until = now() + _LINE_S
    if rest or too_long:
        yield [None if too_long else rest]


def line_too_long() -> HttpProblem:
    """What a line is answered that was too long to be read."""
    detail = f"the line is longer than {LINE_MAX // 1024} KiB"
    return HttpProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "line_too_long", detail)


async def _chunk(request: web.Request, patient_until: float) -> bytes:
    """Octets that have arrived; none at the end of the body."""
    try:
        async with asyncio.timeout_at(patient_until):
            return await request.content.readany()
    except TimeoutError:
        raise timed_out() from None
    except (web.RequestPayloadError, ConnectionError):
        raise broken_off() from None
