"""The consent ledger and the list of doubtful replies over HTTP: shapes, scopes, refusals, and what they do."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
import pytest_asyncio
from support.clock import START_US, ManualClock
from support.http import Api
from support.settings import category, settings_in
from support.waiting import eventually

from gateway.clock import SECOND_US, rfc3339
from gateway.daemon import running_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIELDS = ["number", "category", "state", "at", "channel", "wording", "evidence", "source", "by", "recorded_at"]
REVIEW_FIELDS = ["id", "from", "text", "guess", "created_at", "settled_at", "settled_as", "settled_by"]
BEFORE, LATER = (rfc3339(START_US + seconds * SECOND_US) for seconds in (-3600, 3600))
_numbers = itertools.count(10)
_names = itertools.count(1)


@pytest.fixture(scope="module")
def time() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory, time: ManualClock) -> AsyncIterator[Api]:
    """A gateway of this module alone, whose categories ask for consent; its clock is moved by hand."""
    categories = (
        category("promotional", consent="opt_in", priority=1),
        category("club", consent="opt_in"),
        category("notices", consent="implied"),
    )
    settings = settings_in(tmp_path_factory.mktemp("consents"), categories=categories)
    async with running_gateway(settings, time) as running, aiohttp.ClientSession() as session:
        yield Api(session, running.url, running.admin_token)


@pytest.fixture
def number() -> str:
    """Somebody whom no other test knows."""
    return f"+336399807{next(_numbers)}"


async def holder(api: Api, *scopes: str) -> Api:
    made = await api.post("/v1/tokens", {"name": f"holder-{next(_names)}", "scopes": list(scopes)})
    return api.with_token(made.document["token"])


async def receive(api: Api, sender: str, text: str) -> dict:
    async def received() -> list[dict]:
        return (await api.get("/v1/inbox", params={"from": sender})).items

    before = len(await received())
    await api.post("/v1/modems/sim1/simulate", {"from": sender, "text": text})

    async def one_more() -> bool:
        return len(await received()) > before

    await eventually(one_more)
    return (await received())[0]


async def status(api: Api, message: dict) -> tuple[str, str | None]:
    found = (await api.get(f"/v1/messages/{message['id']}")).document
    return found["status"], (found["error"] or {}).get("code")


async def test_an_entry_is_told_as_the_contract_shows_it(api: Api, number: str, time: ManualClock):
    contacts = await holder(api, "contacts")
    body = {
        "number": f"00{number[1:]}",
        "category": "promotional",
        "state": "given",
        "at": BEFORE,
        "channel": "web form",
        "wording": "J'accepte de recevoir\nles offres ✓",
        "evidence": "form 12",
    }
    added = await contacts.post("/v1/consents", body)
    assert added.status == 201
    assert list(added.document) == FIELDS
    assert added.document == body | {
        "number": number,
        "source": "api",
        "by": f"holder-{next(_names) - 1}",
        "recorded_at": rfc3339(time.now_us()),
    }
    assert (await contacts.get(f"/v1/consents?number={number}")).items == [added.document]


async def test_without_consent_nothing_leaves_and_with_it_all_does(api: Api, number: str):
    message = {"to": number, "text": "offre", "category": "promotional", "send_at": LATER}
    refused = (await api.post("/v1/messages", message)).document
    assert (refused["status"], refused["error"]["code"]) == ("suppressed", "no_consent")
    entry = {"number": number, "category": "promotional"}
    await api.post("/v1/consents", entry | {"state": "given"})
    waiting = (await api.post("/v1/messages", message)).document
    other = (await api.post("/v1/messages", message | {"category": "notices"})).document
    assert (waiting["status"], other["status"]) == ("held", "held")
    await api.post("/v1/consents", entry | {"state": "withdrawn", "at": BEFORE})
    assert await status(api, waiting) == ("held", None), "what was said before does not count"
    await api.post("/v1/consents", entry | {"state": "withdrawn"})
    assert await status(api, waiting) == ("suppressed", "no_consent")
    assert await status(api, other) == ("held", None)


async def test_where_consent_is_implied_a_no_counts(api: Api, number: str):
    message = {"to": number, "text": "avis", "category": "notices", "send_at": LATER}
    waiting = (await api.post("/v1/messages", message)).document
    assert waiting["status"] == "held"
    await api.post("/v1/consents", {"number": number, "category": "notices", "state": "withdrawn"})
    assert await status(api, waiting) == ("suppressed", "no_consent")
    assert (await api.post("/v1/messages", message)).document["status"] == "suppressed"


async def test_an_opt_out_by_hand_takes_consent_back_and_its_lifting_gives_none(api: Api, number: str):
    await api.post("/v1/consents", {"number": number, "category": "club", "state": "given"})
    await api.post("/v1/optouts", {"number": number})
    latest = (await api.get(f"/v1/consents?number={number}")).items[0]
    assert (latest["state"], latest["source"], latest["by"]) == ("withdrawn", "api", "cli")
    await api.delete(f"/v1/optouts?number={number}")
    await receive(api, number, "START")
    assert (await api.get(f"/v1/consents?number={number}")).items[0] == latest


async def test_filters_and_pages(api: Api, number: str):
    for name, state in (("club", "given"), ("promotional", "given"), ("club", "withdrawn")):
        await api.post("/v1/consents", {"number": number, "category": name, "state": state})

    async def found(query: str) -> list[tuple[str, str]]:
        items = (await api.get(f"/v1/consents?number={number}{query}")).items
        return [(one["category"], one["state"]) for one in items]

    everything = [("club", "withdrawn"), ("promotional", "given"), ("club", "given")]
    assert await found("") == everything
    assert await found("&category=club&state=given") == [("club", "given")]
    assert await found("&state=asked") == []
    first = await api.get(f"/v1/consents?number={number}&limit=2")
    assert await found(f"&limit=2&cursor={first.document['next']}") == everything[2:]
    assert (await api.get("/v1/consents?number=%2B33639980799")).items == []


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"number": "12ab"}, ["/number"]),
        ({"category": "nonsense"}, ["/category"]),
        ({"category": "emergency"}, ["/category"]),
        ({"state": "asked"}, ["/state"]),
        ({"state": None}, ["/state"]),
        ({"at": LATER}, ["/at"]),
        ({"at": "2026-03-01"}, ["/at"]),
        ({"wording": "x" * 10_001}, ["/wording"]),
        ({"wording": "a\u0007b", "by": "c\0"}, ["/wording", "/by"]),
        ({"channel": "x" * 65, "source": "x" * 256}, ["/channel", "/source"]),
        ({"evidence": 7}, ["/evidence"]),
        ({"number": "12ab", "category": "nonsense", "at": LATER}, ["/number", "/category", "/at"]),
        ({"double_opt_in": True, "state": "withdrawn"}, ["/double_opt_in"]),
        ({"double_opt_in": True, "at": BEFORE}, ["/at"]),
        ({"double_opt_in": True, "number": "+33899123456"}, ["/number"]),
        ({"double_opt_in": "yes"}, ["/double_opt_in"]),
        ({"consent": True}, ["/consent"]),
    ],
)
async def test_wrong_entries(api: Api, number: str, change: dict, pointers: list[str]):
    answer = await api.post("/v1/consents", {"number": number, "category": "club", "state": "given"} | change)
    assert (answer.status, answer.pointers) == (422, pointers)
    assert (await api.get(f"/v1/consents?number={number}")).items == []


async def test_hostile_bodies(api: Api, number: str):
    body = {"number": number, "category": "club", "state": "given"}

    async def sent(wording: str):
        octets = json.dumps(body | {"wording": wording}, ensure_ascii=wording.isascii() or "\ud83c" in wording)
        fields = {"Content-Type": "application/json"}
        return await api.ask("POST", "/v1/consents", data=octets.encode(), headers=fields)

    large = await sent("é" * 2_000_000)
    assert (large.status, large.pointers) == (422, ["/wording"])
    assert (await sent("x" * (4 * 1024 * 1024))).status == 413
    half = await sent("\ud83c")
    assert (half.status, half.pointers) == (422, ["/wording"])
    script = await api.post("/v1/consents", body | {"wording": "<script>alert(1)</script>\u202e\n\tx"})
    assert script.document["wording"] == "<script>alert(1)</script>\u202e\n\tx"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [("GET", "/v1/consents", "read:all"), ("POST", "/v1/consents", "send"), ("GET", "/v1/reviews", "read"),
     ("POST", "/v1/reviews/" + "0" * 32, "read:all")],
)  # fmt: skip
async def test_scopes(api: Api, method: str, path: str, scope: str):
    answer = await (await holder(api, scope)).ask(method, path, **({"json": {}} if method == "POST" else {}))
    assert (answer.status, answer.code) == (403, "scope_missing")


async def all_left(api: Api, number: str, time: ManualClock) -> None:
    """Wait until everything that this person is sent has left."""

    async def have_left() -> bool:
        time.advance(timedelta(seconds=1))
        sent = (await api.get("/v1/messages", params={"to": number})).items
        return {one["status"] for one in sent} <= {"sent", "delivered"}

    await eventually(have_left)


async def test_double_opt_in_asks_by_sms_and_a_yes_gives(api: Api, number: str, time: ManualClock):
    body = {"number": number, "category": "club", "state": "given", "wording": "formulaire", "double_opt_in": True}
    asked = await api.post("/v1/consents", body | {"channel": "web form", "by": "import"})
    assert (asked.status, asked.document["state"]) == (202, "asked")
    (question,) = (await api.get("/v1/messages", params={"to": number})).items
    assert "Répondez OUI" in question["text"]
    assert asked.document["wording"] == f"formulaire\n{question['text']}"
    again = await api.post("/v1/consents", body)
    assert (again.status, again.code) == (409, "asked_lately")
    other = await api.post("/v1/consents", body | {"category": "promotional"})
    assert other.status == 202
    assert other.document["evidence"].startswith("message ")
    await all_left(api, number, time)
    item = await receive(api, number, "Oui !")
    given = (await api.get(f"/v1/consents?number={number}")).items[0]
    assert (given["category"], given["state"], given["channel"], given["evidence"], given["by"]) == (
        "promotional", "given", "sms", item["id"], "cli",
    )  # fmt: skip
    assert (item["keyword"], given["source"]) == ("start", "sms:confirm")
    await receive(api, number, "oui")
    assert (await api.get(f"/v1/consents?number={number}")).items[0]["by"] == "import"
    stands = await api.post("/v1/consents", body)
    assert (stands.status, stands.code) == (409, "consent_stands")


async def test_nobody_is_asked_who_opted_out(api: Api, number: str):
    await receive(api, number, "STOP club")
    body = {"number": number, "category": "club", "state": "given", "double_opt_in": True}
    answer = await api.post("/v1/consents", body)
    assert (answer.status, answer.code) == (409, "opted_out")


async def test_a_doubtful_reply_holds_advertising_until_somebody_judges_it(api: Api, number: str, time: ManualClock):
    await api.post("/v1/consents", {"number": number, "category": "promotional", "state": "given"})
    item = await receive(api, number, "stpo")
    held = (await api.post("/v1/messages", {"to": number, "text": "offre", "category": "promotional"})).document
    (review,) = [one for one in (await api.get("/v1/reviews")).items if one["from"] == number]
    assert list(review) == REVIEW_FIELDS
    assert (review["id"], review["text"], review["guess"], review["settled_at"]) == (item["id"], "stpo", "stop", None)
    judged = await api.post(f"/v1/reviews/{item['id']}", {"as": "nothing"})
    assert (judged.status, judged.document["settled_as"], judged.document["settled_by"]) == (200, "nothing", "cli")
    again = await api.post(f"/v1/reviews/{item['id']}", {"as": "stop"})
    assert (again.status, again.code) == (409, "review_settled")
    assert review not in (await api.get("/v1/reviews")).items
    assert (held["status"], held["hold"]["rule"]) == ("held", "opt_out")

    async def has_left() -> bool:
        time.advance(timedelta(seconds=1))
        return (await status(api, held))[0] in {"sent", "delivered"}

    await eventually(has_left)


async def test_settling_as_stop_does_what_a_stop_does(api: Api, number: str):
    await api.post("/v1/consents", {"number": number, "category": "promotional", "state": "given"})
    item = await receive(api, number, "stpo")
    held = (await api.post("/v1/messages", {"to": number, "text": "offre", "category": "promotional"})).document
    assert (await api.post(f"/v1/reviews/{item['id']}", {"as": "stop"})).status == 200
    assert (await status(api, held))[0] == "suppressed"
    (optout,) = (await api.get(f"/v1/optouts?number={number}")).items
    assert optout["source"] == "sms:stop"
    entry = (await api.get(f"/v1/consents?number={number}")).items[0]
    assert (entry["state"], entry["source"], entry["by"], entry["evidence"]) == (
        "withdrawn", "sms:stop", "cli", item["id"],
    )  # fmt: skip
    assert (await api.get("/v1/inbox", params={"from": number})).items[0]["keyword"] == "stop"
    texts = [one["text"] for one in (await api.get("/v1/messages", params={"to": number})).items]
    assert any("START" in text for text in texts), "it is confirmed"


@pytest.mark.parametrize(("path", "document", "expected"), [
    ("0" * 32, {"as": "stop"}, 404),
    ("nonsense", {"as": "stop"}, 404),
    ("0" * 32, {"as": "maybe"}, 422),
    ("0" * 32, {}, 422),
])  # fmt: skip
async def test_wrong_judgements(api: Api, path: str, document: dict, expected: int):
    answer = await api.post(f"/v1/reviews/{path}", document)
    assert answer.status == expected
    assert expected == 404 or answer.pointers == ["/as"]
