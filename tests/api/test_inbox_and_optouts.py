"""What people write, seen through the interface: the inbox, STOP, and opt-outs made and lifted by hand."""

from __future__ import annotations

import pytest
from support.clock import START_US
from support.http import Api
from support.waiting import eventually

from gateway.clock import SECOND_US, rfc3339

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOW = rfc3339(START_US)
LATER = rfc3339(START_US + 3600 * SECOND_US)
INBOX_FIELDS = [
    "id",
    "from",
    "text",
    "modem",
    "received_at",
    "sent_at",
    "parts",
    "keyword",
    "in_reply_to",
    "reference",
    "answer",
]
OPTOUT_FIELDS = ["number", "category", "since", "source"]


async def _receive(api: Api, sender: str, text: str) -> dict:
    """Let a text arrive, and wait until the inbox has one more from that sender."""

    async def received() -> list[dict]:
        return (await api.get("/v1/inbox", params={"from": sender})).items

    before = len(await received())
    answer = await api.post("/v1/modems/sim1/simulate", {"from": sender, "text": text})
    assert (answer.status, answer.document) == (202, {})

    async def one_more() -> bool:
        return len(await received()) > before

    await eventually(one_more)
    return (await received())[0]


async def test_a_received_text_is_told_as_the_contract_shows_it(api: Api):
    item = await _receive(api, "+33639980201", "Bonjour ✓" * 20)
    assert list(item) == INBOX_FIELDS
    assert (item["from"], item["text"], item["modem"]) == ("+33639980201", "Bonjour ✓" * 20, "sim1")
    assert (item["received_at"], item["parts"], item["keyword"]) == (NOW, 3, None)


async def test_half_a_surrogate_pair_never_breaks_an_answer(api: Api):
    answer = await api.post("/v1/modems/sim1/simulate", {"from": "+33639980202", "text": "a\ud83cb"})
    assert (answer.status, answer.pointers) == (422, ["/text"])


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("from=%2B33639980203", 2),
        ("from=+33639980203", 2),
        ("from=+33639980203&keyword=stop", 1),
        ("from=+33639980203&keyword=start", 1),
        ("from=+33639980203&keyword=help", 0),
        (f"from=+33639980203&since={NOW}", 2),
        (f"from=+33639980203&until={NOW}", 0),
        ("from=%2B33639980299", 0),
        ("from=+33639980203&limit=1", 1),
    ],
)
async def test_inbox_filters(api: Api, query: str, count: int):
    if not (await api.get("/v1/inbox?from=+33639980203")).items:
        await _receive(api, "+33639980203", "STOP")
        await _receive(api, "+33639980203", "START")
    answer = await api.get(f"/v1/inbox?{query}")
    assert (answer.status, len(answer.items)) == (200, count)


async def _has_left(api: Api, message_id: str) -> bool:
    return (await api.get(f"/v1/messages/{message_id}")).document["status"] in {"sent", "delivered"}


async def test_stop_suppresses_what_waits_and_what_comes(api: Api):
    number = "+33639980205"
    waiting = (await api.post("/v1/messages", {"to": number, "text": "later", "send_at": LATER})).document
    assert (await _receive(api, number, "Stop !"))["keyword"] == "stop"
    assert (await api.get(f"/v1/messages/{waiting['id']}")).document["status"] == "suppressed"
    refused = (await api.post("/v1/messages", {"to": number, "text": "again"})).document
    assert refused["status"] == "suppressed"
    assert list(refused["error"]) == ["code", "message"]
    assert refused["error"]["code"] == "opt_out"
    preview = (await api.post("/v1/messages/preview", {"to": number, "text": "again"})).document
    assert (preview["decision"], preview["rule"]) == ("refuse", "opt_out")
    standing = (await api.get(f"/v1/optouts?number={number}")).items
    assert [list(one) for one in standing] == [OPTOUT_FIELDS]
    assert (standing[0]["number"], standing[0]["category"], standing[0]["since"]) == (number, None, NOW)


async def test_an_opt_out_is_added_listed_and_lifted(holder):
    api = await holder("contacts")
    number = "+33639980206"
    added = await api.post("/v1/optouts", {"number": "06 39 98 02 06", "category": "transactional"})
    assert added.status == 201
    assert list(added.document) == OPTOUT_FIELDS
    assert (added.document["number"], added.document["category"]) == (number, "transactional")
    assert (await api.post("/v1/optouts", {"number": number, "category": "transactional"})).document == added.document
    assert (await api.get(f"/v1/optouts?number={number}")).items == [added.document]
    missing = await api.delete(f"/v1/optouts?number={number}")
    assert (missing.status, missing.code) == (404, "optout_not_found")
    lifted = await api.delete(f"/v1/optouts?number={number}&category=transactional")
    assert (lifted.status, lifted.document) == (200, added.document)
    assert (await api.get(f"/v1/optouts?number={number}")).items == []


async def test_opt_outs_come_in_pages(holder):
    api = await holder("contacts")
    for digit in range(3):
        await api.post("/v1/optouts", {"number": f"+3363998021{digit}"})
    first = await api.get("/v1/optouts?limit=2")
    second = await api.get(f"/v1/optouts?limit=2&cursor={first.document['next']}")
    numbers = [item["number"] for item in (*first.items, *second.items)]
    assert numbers[:3] == ["+33639980212", "+33639980211", "+33639980210"]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, "/number"),
        ({"number": "12ab"}, "/number"),
        ({"number": 33639980206}, "/number"),
        ({"number": "+33639980206", "category": "nonsense"}, "/category"),
        ({"number": "+33639980206", "category": "emergency"}, "/category"),
        ({"number": "+33639980206", "source": "me"}, "/source"),
    ],
)
async def test_a_wrong_opt_out(api: Api, document: dict, pointer: str):
    answer = await api.post("/v1/optouts", document)
    assert (answer.status, answer.pointers) == (422, [pointer])


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "number"),
        ("?category=transactional", "number"),
        ("?number=12ab", "number"),
        ("?number=+33639980206&x=1", "x"),
    ],
)
async def test_a_wrong_lifting(api: Api, query: str, pointer: str):
    answer = await api.delete(f"/v1/optouts{query}")
    assert (answer.status, answer.pointers) == (422, [pointer])
