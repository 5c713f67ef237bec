"""Many messages in one request, on the wire: batches of all or none, and lines each for itself."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import aiohttp
import pytest
from support.clock import START_US
from support.http import Api
from support.waiting import eventually

from gateway.clock import SECOND_US, rfc3339

pytestmark = pytest.mark.asyncio(loop_scope="session")

TO = "+33639980101"
LATER = rfc3339(START_US + 3600 * SECOND_US)
BATCH = "/v1/messages/batch"
NDJSON = {"Content-Type": "application/x-ndjson"}


def message(**fields: object) -> dict[str, object]:
    return {"to": TO, "text": "hello", "send_at": LATER, **fields}


def ndjson(*documents: object) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in documents)


class Lines:
    """The answer to a stream, line by line."""

    def __init__(self, text: bytes) -> None:
        assert text == b"" or text.endswith(b"\n")
        self.items: list[Any] = [json.loads(line) for line in text.splitlines()]
        for item in self.items:
            assert list(item) in (["id", "status"], ["error"])

    @property
    def codes(self) -> list[str]:
        return [item["error"]["code"] if "error" in item else item["status"] for item in self.items]


async def stream(api: Api, body: bytes | AsyncIterator[bytes], **headers: str) -> Lines:
    fields = {"Authorization": f"Bearer {api.token}", **NDJSON, **headers}
    data = io.BytesIO(body) if isinstance(body, bytes) else body
    async with api.session.post(api.url + BATCH, data=data, headers=fields) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-ndjson")
        assert (answer.headers["Server"], answer.headers["Cache-Control"]) == ("tocsin", "no-store")
        return Lines(await answer.read())


async def count(api: Api) -> int:
    return len((await api.get("/v1/messages?limit=1000")).items)


async def test_a_batch(holder):
    api = await holder("send", "read")
    answer = await api.post(BATCH, {"messages": [message(text=f"{number}") for number in range(3)]})
    assert (answer.status, list(answer.document)) == (202, ["items"])
    assert [list(item) for item in answer.document["items"]] == [["id", "status"]] * 3
    assert [item["status"] for item in answer.document["items"]] == ["held"] * 3
    listed = (await api.get("/v1/messages")).items
    assert [item["id"] for item in listed] == [item["id"] for item in reversed(answer.document["items"])]
    assert [item["text"] for item in listed] == ["2", "1", "0"]


@pytest.mark.parametrize(
    ("messages", "code", "pointers"),
    [
        ([message(), message(), message(), message(to="12ab")], "number_invalid", ["/messages/3/to"]),
        ([message(to="1"), message(text="")], "number_invalid", ["/messages/0/to", "/messages/1/text"]),
        ([message(), message(to="+19002345678")], "number_not_allowed", ["/messages/1/to"]),
        ([message(), message(nope=1)], "invalid_request", ["/messages/1/nope"]),
        ([message(), {}], "invalid_request", ["/messages/1/to", "/messages/1/text"]),
        ([message(), 7], "invalid_request", ["/messages/1"]),
        ([message(replaces=True)], "reference_missing", ["/messages/0/replaces"]),
        ([message(idempotency_key="x" * 256)], "idempotency_key_invalid", ["/messages/0/idempotency_key"]),
        ([], "invalid_request", ["/messages"]),
        ([message()] * 1001, "invalid_request", ["/messages"]),
        ("x", "invalid_request", ["/messages"]),
        (None, "invalid_request", ["/messages"]),
    ],
    ids=[
        "number",
        "two",
        "premium",
        "unknown",
        "missing",
        "no-object",
        "replaces",
        "key",
        "none",
        "too-many",
        "text",
        "null",
    ],
)
async def test_one_bad_message_and_none_is_taken(holder, messages: object, code: str, pointers: list[str]):
    api = await holder("send", "read")
    answer = await api.post(BATCH, {"messages": messages})
    assert (answer.status, answer.code, answer.pointers) == (422, code, pointers)
    assert await count(api) == 0


async def test_one_bad_among_a_thousand_and_none_is_taken(holder, tell):
    api = await holder("send", "read")
    messages = [{"to": f"+336{number:08}", "text": "x"} for number in range(1000)]
    messages[500] |= {"to": "nobody"}
    answer = await api.post(BATCH, {"messages": messages})
    assert (answer.status, answer.code, answer.pointers) == (422, "number_invalid", ["/messages/500/to"])
    stored = await count(api)
    assert stored == 0
    tell(f"H10: one bad message in a batch of 1000: 422, {stored} rows")


async def test_a_batch_full_of_unknown_names_is_told_briefly(api: Api):
    junk = {f"n{number}": 1 for number in range(100)}
    answer = await api.post(BATCH, {"messages": [message(**junk)] * 200})
    assert (answer.status, len(answer.pointers)) == (422, 100)


async def test_a_thousand_in_one_batch(holder):
    api = await holder("send", "read")
    answer = await api.post(BATCH, {"messages": [message(to=f"+336000{number:05d}") for number in range(1000)]})
    assert (answer.status, len(answer.document["items"])) == (202, 1000)
    assert await count(api) == 1000


async def test_a_batch_with_a_key_is_the_same_batch(holder):
    api = await holder("send", "read")
    batch, headers = {"messages": [message(), message(text="two")]}, {"Idempotency-Key": "batch-1"}
    first = await api.post(BATCH, batch, headers=headers)
    again = await api.post(BATCH, batch, headers=headers)
    assert (first.status, again.status, first.document) == (202, 202, again.document)
    other = await api.post(BATCH, {"messages": [message(), message(text="three")]}, headers=headers)
    assert (other.status, other.code) == (409, "idempotency_mismatch")
    assert await count(api) == 2


async def test_what_a_later_one_of_the_batch_replaces_is_answered_as_it_is(holder):
    api = await holder("send", "read")
    batch = [message(text=str(number), reference="visit-3", replaces=True) for number in range(3)]
    items = (await api.post(BATCH, {"messages": batch})).document["items"]
    streamed = (await stream(api, ndjson(*batch))).items
    for each in items, streamed:
        assert [item["status"] for item in each] == ["canceled", "canceled", "held"]
    # The stream has replaced the last one of the batch since.
    for item in [*items[:2], *streamed]:
        assert (await api.get(f"/v1/messages/{item['id']}")).document["status"] == item["status"]


async def test_each_line_is_answered_in_its_order(holder):
    api = await holder("send", "read")
    body = b"".join(
        (
            ndjson(message(text="one")),
            b"{\n",
            ndjson(message(to="12ab"), [], message(text="two"), message(nope=1)),
            b"\n",
            json.dumps(message(text="three")).encode() + b"\r\n",
            b"\xff\n",
            b'{"to": 1, "to": 2}\n',
            json.dumps(message(text="last, without an end")).encode(),
        )
    )
    lines = await stream(api, body)
    assert lines.codes == [
        "held", "invalid_json", "number_invalid", "not_an_object", "held", "invalid_request", "invalid_json", "held",
        "invalid_json", "invalid_json", "held",
    ]  # fmt: skip
    problem = lines.items[2]["error"]
    assert (problem["status"], [error["pointer"] for error in problem["errors"]]) == (422, ["/to"])
    listed = (await api.get("/v1/messages")).items
    assert [item["text"] for item in listed] == ["last, without an end", "three", "two", "one"]


async def test_no_line_no_answer(api: Api):
    assert (await stream(api, b"")).items == []


@pytest.mark.parametrize("size", [64 * 1024, 64 * 1024 + 1, 200_000, 1_000_000])
async def test_a_line_has_64_kib(holder, size: int):
    api = await holder("send", "read")
    line = json.dumps(message()).encode()
    long = line + b" " * (size - len(line))
    lines = await stream(api, line + b"\n" + long + b"\n" + line + b"\n" + long)
    fits = "held" if size <= 64 * 1024 else "line_too_long"
    assert lines.codes == ["held", fits, "held", fits]


async def test_a_stream_may_be_longer_than_any_body_and_come_in_any_pieces(holder):
    api = await holder("send", "read")
    pad = " " * 5000
    body = b"".join(
        json.dumps({"to": TO if number % 100 else "x", "text": f"{number}", "send_at": LATER}).encode()
        + pad.encode()
        + b"\n"
        for number in range(1000)
    )
    assert len(body) > 4 * 1024 * 1024

    async def pieces(sizes: Iterable[int] = (1, 70_000, 3, 8191, 131_072)) -> AsyncIterator[bytes]:
        start = 0
        while start < len(body):
            for size in sizes:
                yield body[start : start + size]
                start += size

    lines = await stream(api, pieces())
    assert lines.codes == ["number_invalid" if number % 100 == 0 else "held" for number in range(1000)]
    texts = [item["text"] for item in (await api.get("/v1/messages?limit=1000")).items]
    assert texts == [f"{number}" for number in reversed(range(1000)) if number % 100]


async def test_what_was_committed_stays_when_the_connection_breaks(holder):
    api = await holder("send", "read")
    host, _, port = api.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    whole = ndjson(*(message(text=f"{number}") for number in range(300)))
    head = f"POST {BATCH} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {api.token}\r\n"
    head += f"Content-Type: application/x-ndjson\r\nContent-Length: {len(whole) + 1000}\r\n\r\n"
    writer.write(head.encode() + whole + json.dumps(message(text="cut off")).encode())
    await writer.drain()

    async def committed() -> bool:
        return await count(api) == 300

    await eventually(committed)
    writer.close()
    await writer.wait_closed()
    assert await reader.read() == b""
    assert await count(api) == 300


async def test_a_stream_that_broke_is_sent_again(holder):
    api = await holder("send", "read")
    keyed = [message(text=f"{number}", idempotency_key=f"k{number}") for number in range(500)]
    first = await stream(api, ndjson(*keyed[:350]))
    again = await stream(api, ndjson(*keyed))
    assert again.items[:350] == first.items
    assert await count(api) == 500
    other = await stream(api, ndjson({**keyed[0], "text": "other"}, keyed[1]))
    assert other.codes == ["idempotency_mismatch", "held"]
    assert other.items[0]["error"]["status"] == 409


async def test_a_header_key_cannot_stand_for_a_stream(api: Api):
    answer = await api.ask("POST", BATCH, data=ndjson(message()), headers={**NDJSON, "Idempotency-Key": "k"})
    assert (answer.status, answer.code) == (422, "idempotency_key_unsupported")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-ndjson; charset=latin-1"}, 415),
        ({"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}, 415),
        ({"Content-Type": "application/x-ndjson", "Authorization": "Bearer no"}, 401),
    ],
)
async def test_what_is_refused_before_a_line_is_read(api: Api, headers: dict[str, str], status: int):
    assert (await api.ask("POST", BATCH, data=ndjson(message()), headers=headers)).status == status


async def test_a_category_that_a_token_may_not_use(holder):
    api = await holder("send", "read", categories=["transactional"])
    lines = await stream(api, ndjson(message(category="emergency"), message()))
    assert lines.codes == ["category_not_allowed", "held"]
    answer = await api.post(BATCH, {"messages": [message(), message(category="emergency")]})
    assert (answer.status, answer.code, answer.pointers) == (403, "category_not_allowed", ["/messages/1"])
    assert await count(api) == 1


async def test_a_client_may_read_while_it_writes_and_need_not(api: Api, session: aiohttp.ClientSession):
    """The answer begins after the last line, so who reads only then is not waited for."""
    released = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield ndjson(message())
        await released.wait()
        yield ndjson(message())

    headers = {"Authorization": f"Bearer {api.token}", **NDJSON}
    request = asyncio.create_task(session.post(api.url + BATCH, data=slowly(), headers=headers).__aenter__())
    await api.get("/v1/messages?limit=1")
    assert not request.done()
    released.set()
    async with await request as answer:
        assert Lines(await answer.read()).codes == ["held", "held"]


async def test_a_token_that_is_revoked_meanwhile_is_refused_the_lines_that_follow(api: Api):
    made = await api.post("/v1/tokens", {"name": "passing", "scopes": ["send"]})
    passing = api.with_token(made.document["token"])

    async def slowly() -> AsyncIterator[bytes]:
        # However the octets are split on their way, what came in before the last group of lines is committed.
        yield ndjson(*(message(text=f"{number}") for number in range(450)))
        await eventually(lambda: _have_come(api, 200), 20)
        assert (await api.delete("/v1/tokens/passing")).status == 200
        yield ndjson(message(), message())

    lines = await stream(passing, slowly())
    assert (set(lines.codes[:200]), lines.codes[-2:]) == ({"held"}, ["unauthorized"] * 2)


async def _have_come(api: Api, least: int) -> bool:
    return await count(api) >= least
