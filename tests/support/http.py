"""A client for tests of the HTTP interface: every answer it brings back has been looked at as an answer first."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
from support.described import check_described

PROBLEM = "application/problem+json"
_PROBLEM_MEMBERS = ["type", "title", "status", "detail", "code", "errors"]


@dataclass(frozen=True)
class Answer:
    """Status, header fields and the JSON document."""

    status: int
    headers: dict[str, str]
    document: Any

    @property
    def code(self) -> str:
        return self.document["code"]

    @property
    def pointers(self) -> list[str]:
        return [error["pointer"] for error in self.document.get("errors", [])]

    @property
    def items(self) -> list[Any]:
        assert list(self.document) == ["items", "next"]
        return self.document["items"]


class Api:
    """Asks one gateway, with one token unless another is given."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str | None) -> None:
        self.session = session
        self.url = url
        self.token = token

    def with_token(self, token: str | None) -> Api:
        return Api(self.session, self.url, token)

    async def get(self, path: str, **given: Any) -> Answer:
        return await self.ask("GET", path, **given)

    async def post(self, path: str, document: Any = None, **given: Any) -> Answer:
        return await self.ask("POST", path, **({} if document is None else {"json": document}), **given)

    async def delete(self, path: str, **given: Any) -> Answer:
        return await self.ask("DELETE", path, **given)

    async def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **given: Any) -> Answer:
        fields = {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}
        if isinstance(given.get("data"), bytes):
            # The client warns of large bodies given as octets.
            given["data"] = io.BytesIO(given["data"])
        async with self.session.request(method, self.url + path, headers=fields | (headers or {}), **given) as response:
            answer = checked(response.status, dict(response.headers), await response.read(), method)
        check_described(method, path, answer.status, answer.headers["content-type"], answer.document)
        return answer


def checked(status: int, headers: dict[str, str], body: bytes, method: str = "GET") -> Answer:
    """The answer, after what holds for each: JSON, fields that protect, and a whole problem where it is one."""
    fields = {name.lower(): value for name, value in headers.items()}
    assert fields["server"] == "tocsin"
    assert fields["cache-control"] == "no-store"
    assert fields["x-content-type-options"] == "nosniff"
    assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(fields["content-security-policy"].split("; "))
    assert fields["referrer-policy"] == "no-referrer"
    assert not any(name.startswith("access-control-") for name in fields)
    document = json.loads(body) if method != "HEAD" else None
    answer = Answer(status, fields, document)
    if status >= HTTPStatus.BAD_REQUEST:
        _check_problem(answer)
    else:
        assert fields["content-type"] == "application/json; charset=utf-8"
    return answer


def _check_problem(answer: Answer) -> None:
    fields, document = answer.headers, answer.document
    assert fields["content-type"] == PROBLEM
    if document is None:
        return
    assert [name for name in document if name in _PROBLEM_MEMBERS] == [n for n in _PROBLEM_MEMBERS if n in document]
    assert document["type"] == "about:blank"
    assert document["status"] == answer.status
    assert document["title"]
    assert document["detail"]
    assert document["code"].replace("_", "").isalpha()
    for error in document.get("errors", []):
        assert list(error) == ["pointer", "message"]
        assert error["message"]
    assert ("retry-after" in fields) == (answer.status in {429, 503, 507})
    assert ("www-authenticate" in fields) == (answer.status == 401 or answer.code == "scope_missing")


async def raw(url: str, octets: bytes, *, then_closed: bool = False) -> Answer:
    """Send octets as they are, and read one answer; after it the server closes, if it is to."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(octets)
        await writer.drain()
        async with asyncio.timeout(5):
            answer = await read_answer(reader)
            assert not then_closed or await reader.read() == b""
            return answer
    finally:
        writer.close()
        await writer.wait_closed()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """One answer from a connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ")[1])
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(headers["Content-Length"]))
    return checked(status, headers, body)
