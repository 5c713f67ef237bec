"""Requests whose end two readers could see at different places: refused, and nothing behind them is taken for one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")

#: Hidden behind each: were it taken for a request, there would be a second answer.
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /healthz HTTP/1.1\r\nHost: a\r\n"
LAST = HIDDEN[:-2] + b"Connection: close\r\n\r\n"
LENGTH = b"%d" % len(HIDDEN)

FRAMINGS = {
    "length and chunked": POST + b"Content-Length: " + LENGTH + b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: " + LENGTH + b"\r\n\r\n",
    "a list of lengths": POST + b"Content-Length: 0, " + LENGTH + b"\r\n\r\n",
    "a signed length": POST + b"Content-Length: +0\r\n\r\n",
    "a hexadecimal length": POST + b"Content-Length: 0x0\r\n\r\n",
    "an empty length": POST + b"Content-Length: \r\n\r\n",
    "a length of other digits": POST + "Content-Length: ٠\r\n\r\n".encode(),
    "a space before the colon": POST + b"Content-Length : 0\r\n\r\n",
    "a coding that is none": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a folded field": POST + b"X: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a NUL in a value": POST + b"X: a\x00b\r\n\r\n",
    "a NUL in a name": POST + b"X\x00: a\r\n\r\n",
    "a bare CR in a value": POST + b"X: a\rContent-Length: 9\r\n\r\n",
    "bare LF": b"POST /healthz HTTP/1.1\nHost: a\nContent-Length: 0\n\n",
    "a bare LF among CRLF": POST + b"X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk size of a sign": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "a chunk size with 0x": POST + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "a chunk that ends in LF": POST + b"Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n",
    "a field without colon": POST + b"nonsense\r\n\r\n",
    "two Hosts": POST + b"Host: b\r\n\r\n",
    "a method of signs": b"G@T /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method with a space": b"GE T /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    "another version": b"GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}
#: Each has one reading alone, and leaves the connection as it was.
HONEST = {
    "a pipeline": HIDDEN + HIDDEN,
    "a body of a length": POST + b"Content-Length: " + LENGTH + b"\r\n\r\n" + HIDDEN,
    "chunked": POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n",
}
ANSWERS_OF_HONEST = {"a pipeline": 3, "a body of a length": 2, "chunked": 2}


async def _answers(url: str, octets: bytes) -> list[int]:
    """The statuses that come back until the server closes, as the last request asks it to."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(octets)
        async with asyncio.timeout(10):
            found = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", found)]


async def test_nothing_is_smuggled(bare: str, tell: Callable[[str], None]):
    found = {name: await _answers(bare, octets + LAST) for name, octets in FRAMINGS.items()}
    assert {name: answers for name, answers in found.items() if answers != [400]} == {}
    tell(f"H07: {len(found)} requests of two readings: each answered once, with 400, and the connection closed")


async def test_what_is_clear_is_taken_and_leaves_the_connection_in_step(bare: str):
    found = {name: len(await _answers(bare, octets + LAST)) for name, octets in HONEST.items()}
    assert found == ANSWERS_OF_HONEST
