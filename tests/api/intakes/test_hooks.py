"""Alertmanager, Grafana, Uptime Kuma, Gammu REST and listmonk, each in its own words, and in none."""

from __future__ import annotations

import asyncio
import base64
import itertools
from typing import Any

import pytest
from support.http import Answer, Api

from gateway.services.alerts import MOST_LINES, MOST_RECIPIENTS

pytestmark = pytest.mark.asyncio(loop_scope="session")

ONE, TWO = "+33639980011", "+33639980012"
_names = itertools.count()


@pytest.fixture
def name() -> str:
    """A fingerprint that nobody used."""
    return f"{next(_names):016x}"


def alert(fingerprint: str, status: str = "firing", **labels: str) -> dict[str, Any]:
    named = {"alertname": "DiskFull", "instance": "db1", "severity": "warning", **labels}
    said = {"summary": f"95 % used ({fingerprint})"}
    return {
        "status": status, "labels": named, "annotations": said, "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": fingerprint,
    }  # fmt: skip


async def hook(api: Api, *alerts: dict[str, Any], to: str = ONE, system: str = "alertmanager", **given: Any) -> Answer:
    query = "&".join(f"to={each.replace('+', '%2B')}" for each in to.split(","))
    document = {"version": "4", "receiver": "sms", "status": "firing", "alerts": list(alerts)}
    return await api.post(f"/hooks/{system}?{query}", document, **given)


def fates(answer: Answer, at: int = 0) -> dict[str, int]:
    assert answer.status == 200, answer.document
    item = answer.document["items"][at]
    return {fate: item[fate] for fate in ("told", "joined", "untold", "damped") if item[fate]}


async def sent(api: Api, answer: Answer, at: int = 0) -> list[dict[str, Any]]:
    ids = [each["id"] for each in answer.document["items"][at]["messages"]]
    return [(await api.get(f"/v1/messages/{each}")).document for each in ids]


@pytest.mark.parametrize("system", ["alertmanager", "grafana"])
async def test_an_alert_is_told_once_and_its_end_once(api: Api, name: str, system: str):
    first = await hook(api, alert(name), to=f"{ONE},{TWO}", system=system)
    again = await hook(api, alert(name), system=system)
    over = await hook(api, alert(name, "resolved"), system=system)
    after = await hook(api, alert(name, "resolved"), system=system)
    never = await hook(api, alert(f"never{name}", "resolved"), system=system)
    assert [fates(each) for each in (first, again, over, after, never)] == [
        {"told": 1}, {"joined": 1}, {"told": 1}, {"untold": 1}, {"untold": 1},
    ]  # fmt: skip
    assert fates(first, 1) == {"told": 1}
    (fires,), (ends,) = await sent(api, first), await sent(api, over)
    assert (fires["to"], fires["category"]) == (ONE, "transactional")
    assert fires["text"] == f"WARNING: DiskFull db1 95 % used ({name})"
    assert ends["text"] == f"RESOLVED: DiskFull db1 95 % used ({name})"


async def test_a_group_that_grows_tells_what_is_new(api: Api, name: str):
    await hook(api, alert(name))
    grown = await hook(api, alert(name), alert(f"{name}b", instance="db2"), alert(f"{name}c", instance="db3"))
    assert fates(grown) == {"told": 2, "joined": 1}
    (message,) = await sent(api, grown)
    assert message["text"] == "WARNING: 2 alerts: DiskFull db2, DiskFull db3"


async def test_a_pair_that_tells_at_the_same_moment_tells_once(api: Api, name: str):
    answers = await asyncio.gather(*(hook(api, alert(name)) for _ in range(8)))
    assert sorted(str(fates(each)) for each in answers) == ["{'joined': 1}"] * 7 + ["{'told': 1}"]


async def test_severity_chooses_the_category_if_the_token_may_use_it(api: Api, holder, name: str):
    (critical,) = await sent(api, await hook(api, alert(name, severity="Critical")))
    assert critical["category"] == "emergency"
    bound = await holder("send", "read", categories=["transactional"])
    answer = await hook(bound, alert(name, severity="critical"))
    (lesser,) = await sent(bound, answer)
    assert lesser["category"] == "transactional"
    assert [each["code"] for each in answer.document["items"][0]["warnings"]] == ["category_not_allowed"]


async def test_one_that_comes_and_goes_is_told_later_and_in_its_last_state(api: Api, name: str):
    changes = [await hook(api, alert(name, status)) for status in ("firing", "resolved") * 4]
    # The clock stands still: only an end makes the next beginning news of its own.
    assert fates(changes[2]) == {"joined": 1}
    flaps = [
        await hook(api, {**alert(f"{name}f", status), "startsAt": f"2026-01-01T{hour:02}:00:00Z"})
        for hour in range(4)
        for status in ("firing", "resolved")
    ]
    assert [fates(each) for each in flaps] == [{"told": 1}] * 4 + [{"damped": 1}] * 4
    waiting = [(await sent(api, each))[0]["status"] for each in flaps[4:]]
    assert waiting == ["canceled", "canceled", "canceled", "held"]


async def test_whom_it_is_for(api: Api, name: str):
    for query, code in {
        "": "invalid_request",
        "?to=": "number_invalid",
        "?to=%20,,": "number_invalid",
        "?to=night-team": "to_invalid",
        "?to=12": "number_invalid",
        f"?to={ONE.replace('+', '%2B')}&x=1": "invalid_request",
        "?to=" + ",".join(f"%2B3363998{at:04}" for at in range(MOST_RECIPIENTS + 1)): "number_invalid",
    }.items():
        answer = await api.post(f"/hooks/alertmanager{query}", {"alerts": [alert(name)]})
        assert (answer.status, answer.code) == (422, code), query
    # A plus that was not escaped is a blank; the same number in another form is the same person.
    spelled = await api.post("/hooks/alertmanager?to=+33639980011,0639980011", {"alerts": [alert(name)]})
    assert [item["to"] for item in spelled.document["items"]] == [ONE]


async def test_one_who_may_not_be_told_keeps_nothing_from_the_others(api: Api, name: str):
    answer = await hook(api, alert(name), to=f"+33899000000,{ONE}")
    assert (answer.status, answer.code) == (422, "number_not_allowed")
    assert [item["told"] for item in answer.document["items"]] == [0, 1]
    assert "33899000000" not in answer.document["detail"]


@pytest.mark.parametrize(
    "body",
    [
        [], {}, {"alerts": None}, {"alerts": {}}, {"alerts": [None]}, {"alerts": [{"status": "on fire"}]},
        {"alerts": [[]]}, {"alerts": [{"labels": {}}]},
    ],
)  # fmt: skip
async def test_what_is_no_alert_is_refused(api: Api, body: object):
    answer = await api.post("/hooks/alertmanager?to=%2B33639980011", body)
    assert answer.status == 422


async def test_odd_fields_of_an_alert_do_not_silence_it(api: Api, name: str):
    odd = {
        "status": "firing", "fingerprint": ["x"], "startsAt": "yesterday", "annotations": "none",
        "labels": {"alertname": f"A\u0000\u202e{name}", "severity": 5, "n": None, "x": {}, "instance": "\n" * 9999},
    }  # fmt: skip
    answer = await hook(api, odd)
    (message,) = await sent(api, answer)
    assert message["text"] == f"5: A{name}"
    assert fates(await hook(api, odd)) == {"joined": 1}
    flood = await hook(api, *(alert(f"{name}{at}", instance=f"h{at}") for at in range(1500)))
    (message,) = await sent(api, flood)
    assert message["text"].startswith("WARNING: 1500 alerts: DiskFull h0, ")
    assert message["parts"] == 2


async def test_one_request_is_bounded_in_messages_and_in_what_is_remembered(api: Api, name: str):
    odd = await hook(api, *(alert(f"{name}{at}", instance=f"h{at}", severity=f"s{at}") for at in range(30)))
    (message,) = await sent(api, odd)
    assert message["text"].startswith("ALERT: 30 alerts: DiskFull h0, ")
    people = [f"+336399801{at:02}" for at in range(50, 60)]
    ended = [alert(f"{name}e{at}", "resolved") for at in range(MOST_LINES // 10)]
    answer = await hook(api, *ended, alert(f"{name}f"), to=",".join(people))
    assert [fates(answer, at) for at in range(10)] == [{"told": 1, "untold": len(ended) - 1}] * 10


async def test_uptime_kuma_reads_its_own_answer(api: Api):
    nobody, key = api.with_token(None), {"X-API-Key": str(api.token)}

    async def send(document: object, headers: dict[str, str] = key) -> Answer:
        return await nobody.ask("POST", "/api/v1/sms/send", headers=headers, json=document)

    good = await send({"to": ONE, "body": "[web] down"})
    assert (good.status, good.document["status"]) == (200, "queued")
    refused = await send({"to": "+33899000000", "body": "[web] down"})
    assert (refused.status, refused.document["status"], refused.document["id"]) == (200, "failed", None)
    assert "premium" in refused.document["message"]


@pytest.mark.parametrize(
    ("path", "word", "challenges"),
    [
        ("/api/v1/sms/send", "as X-API-Key: TOKEN", ["X-API-Key"]),
        ("/sms", "as the password of HTTP Basic", ["Basic"]),
        ("/hooks/listmonk", "as the password of HTTP Basic", ["Basic"]),
        ("/hooks/alertmanager", "as Authorization: Bearer TOKEN, or the password of HTTP Basic", ["Bearer", "Basic"]),
    ],
)
async def test_a_refusal_names_the_credential_of_that_system(api: Api, path: str, word: str, challenges: list[str]):
    nobody = api.with_token(None)
    for headers in ({}, {"X-API-Key": "bad", "Authorization": "Bearer bad"}, basic(api, "bad")):
        async with nobody.session.post(nobody.url + path, json={}, headers=headers) as answer:
            assert answer.status == 401
            assert word in await answer.text()
            named = answer.headers["WWW-Authenticate"].split(", ")
            assert [each.split(" ")[0] for each in named if "realm" in each] == challenges


def basic(api: Api, token: str | None = None) -> dict[str, str]:
    login = base64.b64encode(f"user:{token or api.token}".encode()).decode()
    return {"Authorization": f"Basic {login}"}


async def test_gammu_rest(api: Api):
    nobody = api.with_token(None)
    good = await nobody.post("/sms", {"text": "hi", "number": f"{ONE}, {TWO}", "smsc": ""}, headers=basic(api))
    assert (good.status, good.document["status"]) == (200, 200)
    assert good.document["message"].count('"') == 4
    signal = await nobody.get("/signal", headers=basic(api))
    assert set(signal.document) == {"SignalStrength", "SignalPercent", "BitErrorRate"}


async def test_listmonk(api: Api):
    nobody, name = api.with_token(None), str(next(_names))
    campaign = {"uuid": name, "name": "May", "tags": []}
    person = {"uuid": "p1", "email": "p@example.org", "name": "P", "attribs": {"phone": ONE, "mobile": TWO}}
    body = {"subject": "S", "body": "<p>Hello <b>P</b></p>", "content_type": "html", "recipients": [person]}
    first = await nobody.post("/hooks/listmonk", body | {"campaign": campaign}, headers=basic(api))
    again = await nobody.post("/hooks/listmonk", body | {"campaign": campaign}, headers=basic(api))
    other = await nobody.post("/hooks/listmonk?phone=mobile", body, headers=basic(api))
    assert [each.status for each in (first, again, other)] == [200, 200, 200]
    # The attribute was corrected.
    person["attribs"]["phone"] = TWO
    corrected = await nobody.post("/hooks/listmonk", body | {"campaign": campaign}, headers=basic(api))
    assert corrected.status == 200
    assert corrected.document["items"][0]["id"] != first.document["items"][0]["id"]
    assert first.document["items"][0]["id"] == again.document["items"][0]["id"]
    message = (await api.get(f"/v1/messages/{other.document['items'][0]['id']}")).document
    assert (message["to"], message["text"]) == (TWO, "Hello P")
    odd = await nobody.post("/hooks/listmonk", body | {"content_type": ["html"]}, headers=basic(api))
    assert odd.status == 200
    bare = await nobody.post("/hooks/listmonk", body | {"recipients": [{"attribs": []}]}, headers=basic(api))
    assert (bare.status, bare.pointers) == (422, ["/recipients/0/attribs"])


async def test_segments_are_told_by_who_may_know_them(api: Api, name: str):
    for number in (ONE, TWO):
        await api.post("/v1/contacts", {"number": number, "tags": ["on-call"]})
    await api.post("/v1/segments", {"name": "hook-on-call", "filter": '"on-call" in tags'})
    await api.post("/v1/segments", {"name": "hook-nobody", "filter": '"no such tag" in tags'})
    told = await hook(api, alert(name), to=f"{TWO},hook-on-call")
    assert [each["to"] for each in told.document["items"]] == [TWO, ONE]
    made = await api.post("/v1/tokens", {"name": f"hook-{name}", "scopes": ["send"]})
    refusals = [
        await hook(api.with_token(made.document["token"]), alert(name), to="hook-on-call"),
        await hook(api, alert(name), to="hook-unknown"),
        await hook(api, alert(name), to="hook-nobody"),
    ]
    codes = ["segments_not_allowed", "to_invalid", "number_invalid"]
    assert [(each.status, each.code) for each in refusals] == list(zip((403, 422, 422), codes, strict=True))
