"""Messages: accepted, listed, read, followed, cancelled, previewed."""

from __future__ import annotations

import pytest
import pytest_asyncio
from support.clock import START_US
from support.http import Api
from support.waiting import eventually

from gateway.clock import SECOND_US, rfc3339

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOUR_US = 3600 * SECOND_US
NOW = rfc3339(START_US)
TO = "+33639980101"
LATER = rfc3339(START_US + HOUR_US)
#: The order of contract section 5.
FIELDS = [
    "id",
    "to",
    "text",
    "category",
    "status",
    "encoding",
    "parts",
    "reference",
    "modem",
    "node",
    "simulated",
    "attempts",
    "created_at",
    "send_at",
    "expires_at",
    "due_at",
    "sent_at",
    "delivered_at",
    "hold",
    "error",
    "warnings",
    "repeats",
    "joined_to",
]
PREVIEW_FIELDS = [
    "encoding",
    "parts",
    "characters",
    "remaining",
    "forced_ucs2_by",
    "gsm7_text",
    "text",
    "decision",
    "rule",
    "until",
    "explanation",
    "warnings",
]


async def _accepted(api: Api, **fields: object) -> dict:
    answer = await api.post("/v1/messages", {"to": TO, "text": "hello", **fields})
    assert answer.status == 202, answer.document
    return answer.document


async def _waiting(api: Api, **fields: object) -> dict:
    """A message that waits for its hour: nothing happens to it while a test looks at it."""
    return await _accepted(api, send_at=LATER, **fields)


async def test_a_message_is_accepted_as_the_contract_shows_it(api: Api):
    message = await _waiting(api, text="héllo ✓", reference="r-1")
    assert list(message) == FIELDS
    assert message == {
        "id": message["id"],
        "to": TO,
        "text": "héllo ✓",
        "category": "transactional",
        "status": "held",
        "encoding": "ucs2",
        "parts": 1,
        "reference": "r-1",
        "modem": None,
        "node": None,
        "simulated": True,
        "attempts": 0,
        "created_at": NOW,
        "send_at": LATER,
        "expires_at": rfc3339(START_US + 25 * HOUR_US),
        "due_at": LATER,
        "sent_at": None,
        "delivered_at": None,
        "hold": {"rule": "scheduled", "until": LATER, "detail": message["hold"]["detail"]},
        "error": None,
        "warnings": [{"code": "forced_ucs2", "message": message["warnings"][0]["message"]}],
        "repeats": 0,
        "joined_to": None,
    }
    assert len(message["id"]) == 32
    assert (await api.get(f"/v1/messages/{message['id']}")).document == message


async def test_every_field_is_taken(api: Api):
    message = await _waiting(
        api,
        category="emergency",
        expires_at="2026-01-05T16:00:00.5+01:00",
        reference="every-field",
        modem="test-1:sim1",
        flash=True,
        on_uncertain="never",
    )
    assert message["category"] == "emergency"
    assert message["expires_at"] == "2026-01-05T15:00:00.500Z"
    assert message["reference"] == "every-field"


async def test_null_is_the_same_as_absent(api: Api):
    absent = dict.fromkeys(("category", "send_at", "expires_at", "reference", "modem", "on_uncertain"))
    assert (await _accepted(api, **absent))["category"] == "transactional"


async def test_a_message_is_followed_to_its_delivery(api: Api):
    message_id = (await _accepted(api, text="to be delivered"))["id"]

    async def delivered() -> bool:
        return (await api.get(f"/v1/messages/{message_id}")).document["status"] == "delivered"

    await eventually(delivered)
    message = (await api.get(f"/v1/messages/{message_id}")).document
    assert (message["modem"], message["node"], message["attempts"]) == ("sim1", "test-1", 1)
    assert message["sent_at"] == message["delivered_at"] == NOW
    items = (await api.get(f"/v1/messages/{message_id}/timeline")).items
    assert all(list(item) == ["at", "event", "detail"] for item in items)
    events = [item["event"] for item in items]
    assert (events[0], events[-1]) == ("message.queued", "message.delivered")
    for method, path in (("POST", f"/v1/messages/{message_id}/cancel"), ("DELETE", f"/v1/messages/{message_id}")):
        refused = await api.ask(method, path)
        assert (refused.status, refused.code) == (409, "not_cancelable")


@pytest.mark.parametrize(("method", "suffix"), [("POST", "/cancel"), ("DELETE", "")])
async def test_what_waits_is_cancelled_once(api: Api, method: str, suffix: str):
    path = f"/v1/messages/{(await _waiting(api))['id']}"
    answer = await api.ask(method, path + suffix)
    assert (answer.status, answer.document["status"], answer.document["hold"]) == (200, "canceled", None)
    assert (await api.get(path)).document == answer.document
    assert (await api.get(path + "/timeline")).items[-1]["event"] == "message.canceled"
    again = await api.ask(method, path + suffix)
    assert (again.status, again.code) == (409, "not_cancelable")


@pytest.mark.parametrize(
    "message_id", ["0" * 32, "x", "A" * 32, "0" * 31, "%00", "é" * 32, "%ff", "..%2f..", "1" * 4000]
)
async def test_an_id_that_is_not_known_is_not_found(api: Api, message_id: str):
    for method, suffix in (("GET", ""), ("GET", "/timeline"), ("POST", "/cancel"), ("DELETE", "")):
        answer = await api.ask(method, f"/v1/messages/{message_id}{suffix}")
        assert (answer.status, answer.code) == (404, "message_not_found")


async def test_a_token_may_be_bound_to_categories(holder):
    bound = await holder("send", categories=["transactional"])
    answer = await bound.post("/v1/messages", {"to": TO, "text": "x", "category": "emergency"})
    assert (answer.status, answer.code) == (403, "category_not_allowed")


@pytest_asyncio.fixture(loop_scope="session")
async def three(holder) -> tuple[Api, list[dict]]:
    """Three messages that differ in everything a filter can ask for, as the only ones that a token sees."""
    api = await holder("send", "read")
    first = await _waiting(api, to="+33639980111", category="emergency", reference="a & b=c", text="one")
    second = await _waiting(api, to="+33639980112", reference="b", modem="sim1", text="two")
    third = await _waiting(api, to="+33639980112", reference="c", text="three")
    await api.delete(f"/v1/messages/{third['id']}")
    return api, [first, second, third]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "321"),
        ("status=held", "21"),
        ("status=canceled", "3"),
        ("status=held,canceled", "321"),
        ("status=held&status=canceled", "321"),
        ("status=failed", ""),
        ("to=%2B33639980112", "32"),
        ("to=+33639980112", "32"),
        ("to=06+39+98+01+12", "32"),
        ("to=%2B33639980119", ""),
        ("category=emergency", "1"),
        ("campaign=spring", ""),
        ("reference=a+%26+b%3Dc", "1"),
        ("reference=", ""),
        ("modem=sim9", ""),
        (f"since={NOW}", "321"),
        ("since=2026-01-05T11:00:00+01:00", "321"),
        ("since=2026-01-05T10:00:00.000001Z", ""),
        (f"until={NOW}", ""),
        ("until=2026-01-05T10:00:00.000001Z", "321"),
        ("status=held&to=%2B33639980112", "2"),
        ("limit=2", "32"),
    ],
)
async def test_filters(three: tuple[Api, list[dict]], query: str, found: str):
    api, messages = three
    answer = await api.get(f"/v1/messages?{query}")
    assert answer.status == 200, answer.document
    assert [item["id"] for item in answer.items] == [messages[int(digit) - 1]["id"] for digit in found]


async def test_pages_follow_each_other_newest_first(holder):
    api = await holder("send", "read")
    sent = [(await _waiting(api))["id"] for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        answer = await api.get("/v1/messages?limit=3" + (f"&cursor={cursor}" if cursor else ""))
        seen += [item["id"] for item in answer.items]
        cursor = answer.document["next"]
    assert seen == sent[::-1]


async def test_preview_tells_and_changes_nothing(holder):
    api = await holder("send", "read")
    answer = await api.post("/v1/messages/preview", {"to": "06 39 98 01 01", "text": "a" * 70 + "🎉", "at": LATER})
    assert answer.status == 200
    assert list(answer.document) == PREVIEW_FIELDS
    assert (answer.document["encoding"], answer.document["parts"], answer.document["forced_ucs2_by"]) == (
        "ucs2",
        2,
        ["🎉"],
    )
    assert (answer.document["decision"], answer.document["rule"], answer.document["until"]) == ("send", None, None)
    assert (await api.get("/v1/messages")).items == []


async def test_preview_at_another_time(holder):
    api = await holder("send")
    asked = {"to": TO, "text": "x", "send_at": LATER}
    now = (await api.post("/v1/messages/preview", asked)).document
    then = (await api.post("/v1/messages/preview", {**asked, "at": LATER})).document
    assert (now["decision"], now["rule"], now["until"]) == ("hold", "scheduled", LATER)
    assert (then["decision"], then["rule"], then["until"]) == ("send", None, None)


async def test_head_is_get_without_the_body(api: Api):
    whole, head = await api.get("/v1/messages?limit=1"), await api.ask("HEAD", "/v1/messages?limit=1")
    assert (head.status, head.headers["content-length"]) == (200, whole.headers["content-length"])
