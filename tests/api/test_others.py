"""A05, H11: what somebody else sent stays with them, whatever is asked and however it is spelt."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from support.clock import START_US
from support.http import Api
from support.waiting import eventually

from api.app import ENDPOINTS
from api.models.fields import PageQuery
from gateway.clock import SECOND_US, rfc3339

pytestmark = pytest.mark.asyncio(loop_scope="session")

LATER = rfc3339(START_US + 3600 * SECOND_US)
#: Every route of one message.
OF_A_MESSAGE = [
    (row.method, row.path, row.takes.EXAMPLES) for row in ENDPOINTS if row.path.startswith("/v1/messages/{id}")
]
LISTS = [row for row in ENDPOINTS if issubclass(row.takes, PageQuery)]
#: Their values are texts that the store is asked for.
FILTERS = [
    (row.path, field.alias or name)
    for row in LISTS
    for name, field in row.takes.model_fields.items()
    if name in {"to", "sender", "number", "category", "reference", "modem"}
]
INJECTED = (
    "' OR '1'='1",
    "' OR 1=1--",
    '" OR ""="',
    "%",
    "_",
    "*",
    "\\",
    "'; DROP TABLE message; --",
    "') UNION SELECT hash FROM token--",
    "\x00",
    "NULL",
    "null",
    "1e400",
    "${jndi}",
    "{{7*7}}",
    "\u2028",
    "٣",
    "%27",
)


async def test_a05_nobody_reads_or_touches_what_another_sent(api: Api, holder, tell: Callable[[str], None]):
    mine, theirs = await holder("send", "read"), await holder("send", "read")
    reference = uuid.uuid4().hex
    sent = await mine.post(
        "/v1/messages", {"to": "+33639980901", "text": "mine", "send_at": LATER, "reference": reference}
    )
    before = (await mine.get(f"/v1/messages/{sent.document['id']}")).document
    for method, path, examples in OF_A_MESSAGE:
        body = {"json": examples[0]} if examples else {}
        answer = await theirs.ask(method, path.replace("{id}", sent.document["id"]), **body)
        unknown = await theirs.ask(method, path.replace("{id}", "0" * 32), **body)
        assert (answer.status, answer.code) == (404, "message_not_found")
        assert answer.document == unknown.document
    for query in ("", f"?reference={reference}", "?to=+33639980901", "?status=held"):
        assert (await theirs.get(f"/v1/messages{query}")).items == []
    assert (await theirs.delete(f"/v1/messages?reference={reference}")).items == []
    assert (await mine.get(f"/v1/messages/{sent.document['id']}")).document == before
    everybody = await holder("read:all")
    assert (await everybody.get(f"/v1/messages/{sent.document['id']}")).document == before
    tell(f"A05: {len(OF_A_MESSAGE)} routes of a message × another's token: 404, as for one that is not")


async def test_a05_nobody_reads_the_replies_to_what_another_sent(api: Api, holder):
    mine, theirs = await holder("send", "read"), await holder("read")
    asked = {"to": "+33639980204", "text": "?", "reference": "asked"}
    sent = (await mine.post("/v1/messages", asked)).document

    async def has_left() -> bool:
        return (await mine.get(f"/v1/messages/{sent['id']}")).document["status"] in {"sent", "delivered"}

    await eventually(has_left)
    await api.post("/v1/modems/sim1/simulate", {"from": "+33639980204", "text": "yes"})

    async def arrived() -> list[dict]:
        return (await mine.get("/v1/inbox")).items

    (item,) = await eventually(arrived)
    assert (item["text"], item["in_reply_to"], item["reference"]) == ("yes", sent["id"], "asked")
    assert (await theirs.get("/v1/inbox")).items == []
    assert (await theirs.get("/v1/inbox?from=+33639980204")).items == []


def _altered(cursor: str) -> Iterator[str]:
    """The cursor with a character more, less, or another one at each of some places, and what else may be tried."""
    yield from (
        cursor[:-1],
        cursor + "0",
        "-" + cursor,
        " " + cursor,
        cursor[::-1],
        cursor.swapcase(),
        "0",
        "-1",
        "9" * 40,
    )
    yield from (cursor[:at] + letter + cursor[at + 1 :] for at in range(0, len(cursor), 7) for letter in "0Az'%")
    yield from (base64.urlsafe_b64encode(each.encode()).decode() for each in ("1", "sim1", "' OR 1=1--"))


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/inbox"])
async def test_h11_an_altered_cursor_shows_nothing_of_another(api: Api, holder, path: str, tell: Callable[[str], None]):
    mine, theirs = await holder("send", "read"), await holder("send", "read")
    for text in ("one", "two", "three"):
        await mine.post("/v1/messages", {"to": "+33639980902", "text": text, "send_at": LATER})
    cursor = (await api.get(f"{path}?limit=1")).document["next"] or "0" * 32
    tried = 0
    for altered in dict.fromkeys(_altered(cursor)):
        answer = await theirs.get(f"{path}?cursor={quote(altered, safe='')}")
        assert answer.status == 422 or answer.items == []
        tried += 1
    tell(f"H11: {tried} altered cursors of {path}: refused, or a page without anybody else's")


@pytest.mark.parametrize(("path", "name"), FILTERS, ids=[f"{path} {name}" for path, name in FILTERS])
async def test_h11_a_filter_is_a_value_and_nothing_more(api: Api, path: str, name: str, tell: Callable[[str], None]):
    for value in INJECTED:
        answer = await api.get(f"{path}?{name}={quote(value, safe='')}")
        assert (answer.status == 200 and answer.items == []) or answer.status == 422, (value, answer.document)
        assert value not in str(answer.document) or len(value) == 1
    tell(f"H11: {len(FILTERS)} filters × {len(INJECTED)} texts that a store might obey: refused or nothing found")
