"""Alerts to groups on the wire: shapes, words, refusals, and who may see them."""

from __future__ import annotations

import pytest
from support.http import Api
from support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

A, B = "+33639980211", "+33639980212"
ALERTS = "/v1/alerts"


def alert(**fields: object) -> dict[str, object]:
    return {"to": [A, B], "text": "Fire drill", **fields}


async def test_an_alert_from_its_beginning_to_its_answers(holder, api: Api):
    mine = await holder("send", "read")
    rung = await mine.post(ALERTS, alert(expect=["OK", "AIDE"], escalate=[{"after": "5m", "to": ["06 39 98 02 13"]}]))
    assert rung.status == 202
    assert list(rung.document) == ["id", "recipients", "parts", "modems", "estimate", "warnings", "gsm7_text"]
    assert (rung.document["recipients"], rung.document["parts"], rung.document["modems"]) == (2, 2, ["sim1"])
    assert list(rung.document["estimate"]) == ["seconds", "done_at", "modems"]
    assert rung.document["estimate"]["seconds"] > 0
    path = f"{ALERTS}/{rung.document['id']}"

    async def delivered() -> bool:
        return (await mine.get(path)).document["counts"] == {"delivered": 2}

    await eventually(delivered)
    for sender, text in ((A, "ok"), (B, "Où ça ?")):
        await api.post("/v1/modems/sim1/simulate", {"from": sender, "text": text})

    async def heard() -> bool:
        return (await mine.get(path)).document["silent"] == []

    await eventually(heard)
    found = (await mine.get(path)).document
    assert found["answered"]["OK"]["count"] == 1
    assert [each["number"] for each in found["answered"]["OK"]["people"]] == [A]
    assert found["answered"]["AIDE"] == {"count": 0, "people": []}
    assert [(each["number"], each["text"]) for each in found["other"]] == [(B, "Où ça ?")]
    assert (found["reached"], found["unreached"], found["status"], found["category"]) == (2, [], "ringing", "emergency")
    assert [(each["after"], each["outcome"]) for each in found["escalate"]] == [("5m", None)]
    assert found["estimate"]["seconds"] == 0
    listed = (await mine.get(ALERTS)).items
    assert [each["id"] for each in listed] == [found["id"]]
    assert set(listed[0]) < set(found)


async def test_the_silent_are_rung_again_and_an_alert_is_stopped(holder):
    mine = await holder("send", "read")
    path = f"{ALERTS}/{(await mine.post(ALERTS, alert(again={'after': '10m', 'times': 2}))).document['id']}"

    async def reached() -> bool:
        return (await mine.get(path)).document["reached"] == 2

    await eventually(reached)
    again = await mine.post(f"{path}/ring-again")
    assert (again.status, again.document["recipients"], again.document["parts"]) == (202, 2, 2)
    stopped = await mine.post(f"{path}/stop", {})
    assert (stopped.status, stopped.document["status"]) == (200, "stopped")
    refused = await mine.post(f"{path}/ring-again")
    assert (refused.status, refused.code) == (409, "alert_stopped")
    assert (await mine.get(path)).document["again"] == {"after": "10m", "times": 2}


@pytest.mark.parametrize(
    ("fields", "code", "pointers"),
    [
        ({"to": []}, "invalid_request", ["/to"]),
        ({"to": "+33639980211"}, "invalid_request", ["/to"]),
        ({"to": [A, "no such number"]}, "segments_not_allowed", []),
        ({"to": [A, "+12"]}, "to_invalid", ["/to/1"]),
        ({"to": [A, "+19002345678"]}, "number_not_allowed", ["/to/1"]),
        ({"text": ""}, "text_empty", ["/text"]),
        ({"text": "x" * 5000}, "text_too_long", ["/text"]),
        ({"category": "nope"}, "category_unknown", ["/category"]),
        ({"expect": ["ARRET"]}, "expect_invalid", ["/expect"]),
        ({"escalate": [{"after": "soon", "to": [B]}]}, "invalid_request", ["/escalate/0/after"]),
        ({"escalate": [{"after": "8d", "to": [B]}]}, "alert_invalid", ["/escalate/0/after"]),
        ({"escalate": [{"after": "5m", "to": [B, "1"]}]}, "to_invalid", ["/escalate/0/to/1"]),
        ({"escalate": [{"after": "5m", "to": [B], "when": "never"}]}, "invalid_request", ["/escalate/0/when"]),
        ({"again": {"after": "5m", "times": 0}}, "invalid_request", ["/again/times"]),
        ({"nope": 1}, "invalid_request", ["/nope"]),
    ],
)
async def test_what_is_wrong_is_named_and_nobody_is_rung(holder, fields, code, pointers):
    mine = await holder("send", "read")
    answer = await mine.post(ALERTS, alert(**fields))
    assert (answer.code, answer.pointers) == (code, pointers)
    assert answer.status == (403 if code == "segments_not_allowed" else 422)
    assert (await mine.get(ALERTS)).items == []
    assert (await mine.get("/v1/messages")).items == []


async def test_a_segment_is_rung_by_who_may_know_it(holder, api: Api):
    for number, tag in ((A, "ring-test"), (B, "ring-test")):
        await api.post("/v1/contacts", {"number": number, "tags": [tag]})
    made = await api.post("/v1/segments", {"name": "ring-test", "filter": '"ring-test" in tags'})
    assert made.status == 201
    mine = await holder("send", "read", "contacts")
    rung = await mine.post(ALERTS, alert(to=["ring-test", B]))
    assert (rung.status, rung.document["recipients"]) == (202, 2)
    unknown = await mine.post(ALERTS, alert(to=["ring-nobody"]))
    assert (unknown.status, unknown.code, unknown.pointers) == (422, "to_invalid", ["/to/0"])
    refused = await (await holder("send", "read")).post(ALERTS, alert(to=["ring-test"]))
    assert (refused.status, refused.code) == (403, "segments_not_allowed")


@pytest.mark.usefixtures("nobody")
async def test_a_token_that_tests_reaches_nobody_of_a_segment_but_the_test_network(holder, api: Api):
    for number in ("+33639980001", B):
        await api.post("/v1/contacts", {"number": number, "tags": ["ring-rehearsal"]})
    await api.post("/v1/segments", {"name": "ring-rehearsal", "filter": '"ring-rehearsal" in tags'})
    mine = await holder("send", "read", "contacts", test=True)
    rung = await mine.post(ALERTS, alert(to=["ring-rehearsal"]))
    assert (rung.status, rung.document["recipients"], rung.document["modems"]) == (202, 1, ["test-network"])
    path = f"{ALERTS}/{rung.document['id']}"
    found = (await mine.get(path)).document
    assert (found["silent"], found["simulated"]) == (["+33639980001"], True)
    real = (await api.post(ALERTS, alert())).document["id"]
    assert (await (await holder("read:all", test=True)).get(f"{ALERTS}/{real}")).code == "alert_not_found"


async def test_the_same_key_is_the_same_alert_and_what_is_unknown_is_not_found(holder):
    mine = await holder("send", "read")
    first, second = [await mine.post(ALERTS, alert(), headers={"Idempotency-Key": "fire-1"}) for _ in range(2)]
    assert first.document["id"] == second.document["id"]
    other = await mine.post(ALERTS, alert(text="Flood"), headers={"Idempotency-Key": "fire-1"})
    assert (other.status, other.code) == (409, "idempotency_mismatch")
    assert len((await mine.get("/v1/messages")).items) == 2
    stranger = await holder("send", "read")
    for path in (f"{ALERTS}/{'0' * 32}", f"{ALERTS}/x", f"{ALERTS}/{first.document['id']}"):
        assert (await stranger.get(path)).code == "alert_not_found"
        assert (await stranger.post(f"{path}/stop")).code == "alert_not_found"
    assert (await stranger.get(ALERTS)).items == []
    assert (await (await holder("send")).get(ALERTS)).code == "scope_missing"


async def test_pages_of_alerts(holder):
    mine = await holder("send", "read")
    ids = [(await mine.post(ALERTS, alert(text=f"{at}"))).document["id"] for at in range(3)]
    first = await mine.get(f"{ALERTS}?limit=2")
    assert [each["id"] for each in first.document["items"]] == ids[:0:-1]
    rest = await mine.get(f"{ALERTS}?cursor={first.document['next']}")
    assert ([each["id"] for each in rest.document["items"]], rest.document["next"]) == (ids[:1], None)
    assert (await mine.get(f"{ALERTS}?cursor=x")).code == "cursor_invalid"
