"""What an operator does to a modem, over HTTP: verbs, questions by hand, and who may."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.http import Api
from support.waiting import eventually

from gateway.daemon import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

VERBS = ("reset", "pause", "resume", "unlock")


async def _state(api: Api) -> str:
    (modem,) = (await api.get("/v1/modems")).items
    return modem["state"]


async def _until(api: Api, *words: str) -> None:
    async def reached() -> bool:
        return await _state(api) in words

    await eventually(reached, 20, f"a modem in {words}")


@pytest_asyncio.fixture(loop_scope="session")
async def resumed(api: Api) -> AsyncIterator[None]:
    """After a test that pauses the modem, it sends again for all others of this gateway."""
    await _until(api, "ready", "busy")
    yield
    await api.post("/v1/modems/sim1/resume", {})
    await _until(api, "ready", "busy")


@pytest.mark.usefixtures("resumed")
@pytest.mark.parametrize("name", ["sim1", "test-1:sim1"])
async def test_pause_and_resume(api: Api, name: str):
    paused = await api.post(f"/v1/modems/{name}/pause", {})
    assert (paused.status, paused.document["state"], paused.document["name"]) == (200, "paused", "sim1")
    assert paused.document["reason"] == "paused by an operator"
    again = await api.post(f"/v1/modems/{name}/pause", {})
    assert (again.status, again.document["state"]) == (200, "paused")
    after = await api.post(f"/v1/modems/{name}/resume", {})
    assert after.status == 200
    assert after.document["state"] in {"ready", "busy"}


@pytest.mark.usefixtures("resumed")
async def test_what_waits_for_a_paused_modem_says_so_and_what_comes_in_is_heard(api: Api):
    await api.post("/v1/modems/sim1/pause", {})
    sent = await api.post("/v1/messages", {"to": "+33639980311", "text": "Later", "modem": "sim1"})
    assert sent.status == 202
    shown = (await api.get(f"/v1/messages/{sent.document['id']}")).document
    assert (shown["status"], shown["hold"]["rule"], shown["hold"]["until"]) == ("held", "paused", None)
    assert shown["hold"]["detail"] == "every modem that may take it is paused"
    held = await api.get("/v1/messages?status=held&to=%2B33639980311")
    assert [each["id"] for each in held.items] == [sent.document["id"]]
    await api.post("/v1/modems/sim1/simulate", {"from": "+33639980312", "text": "heard while paused"})

    async def heard() -> bool:
        items = (await api.get("/v1/inbox?from=%2B33639980312")).items
        return [each["text"] for each in items] == ["heard while paused"]

    await eventually(heard)
    await api.post("/v1/modems/sim1/resume", {})

    async def sent_now() -> bool:
        return (await api.get(f"/v1/messages/{sent.document['id']}")).document["status"] in {"sent", "delivered"}

    await eventually(sent_now)


async def test_reset(api: Api):
    await _until(api, "ready", "busy")
    answer = await api.post("/v1/modems/sim1/reset", {})
    assert answer.status == 200
    assert answer.document["name"] == "sim1"
    await _until(api, "ready")


async def test_nothing_is_locked(api: Api):
    await _until(api, "ready", "busy")
    answer = await api.post("/v1/modems/sim1/unlock", {})
    assert (answer.status, answer.code) == (409, "modem_not_locked")


async def test_a_line_by_hand(api: Api):
    await _until(api, "ready", "busy")
    answer = await api.post("/v1/modems/sim1/at", {"command": "AT+CSQ", "seconds": 5})
    assert answer.status == 200
    assert answer.document["lines"][-1] == "OK"
    assert answer.document["lines"][0].startswith("+CSQ: ")
    wrong = await api.post("/v1/modems/sim1/at", {"command": "AT+NOSUCH"})
    assert wrong.status == 200
    assert wrong.document["lines"][-1] != "OK"


@pytest.mark.parametrize(
    "command",
    ['AT+CPIN="1234"', 'AT+CPIN="12345678","1234"', 'AT+CLCK="SC",0,"1234"', "AT+CMGS=20", "ATD+33612345678;", "ATZ",
     'AT^CPIN="1234"', 'at+cpwd="SC","1234","4321"', "AT+CSQ;+CPIN=1234", "CSQ", "AT\r+CPIN=1", "é"],
)  # fmt: skip
async def test_what_is_not_given_by_hand(api: Api, command: str):
    answer = await api.post("/v1/modems/sim1/at", {"command": command})
    assert (answer.status, answer.code, answer.pointers) == (422, "command_unsafe", ["/command"])
    assert "1234" not in str(answer.document)


@pytest.mark.parametrize(
    ("path", "document", "pointer"),
    [
        ("at", {}, "/command"),
        ("at", {"command": ""}, "/command"),
        ("at", {"command": "A" * 401}, "/command"),
        ("at", {"command": "AT", "seconds": 0}, "/seconds"),
        ("at", {"command": "AT", "seconds": 121}, "/seconds"),
        ("at", {"command": "AT", "seconds": "5"}, "/seconds"),
        ("at", {"command": "AT", "timeout": 5}, "/timeout"),
        ("ussd", {}, "/code"),
        ("ussd", {"code": ""}, "/code"),
        ("ussd", {"code": "*100#\r"}, "/code"),
        ("ussd", {"code": "call me"}, "/code"),
        ("reset", {"hard": True}, "/hard"),
    ],
)
async def test_a_wrong_question(api: Api, path: str, document: dict, pointer: str):
    answer = await api.post(f"/v1/modems/sim1/{path}", document)
    assert (answer.status, answer.pointers) == (422, [pointer])


@pytest.mark.parametrize("name", ["sim9", "other:sim1", "%ff", "a%2fb"])
@pytest.mark.parametrize("verb", VERBS)
async def test_no_such_modem(api: Api, name: str, verb: str):
    answer = await api.post(f"/v1/modems/{name}/{verb}", {})
    assert answer.status == 404
    assert answer.code in {"modem_not_found", "route_not_found"}
    answer = await api.post(f"/v1/modems/{name}/at", {"command": "AT"})
    assert answer.status == 404


@pytest.mark.parametrize("code", ["112", "0612345678", "**04*1234*4321*4321#", "*21*0639980101#"])
async def test_codes_that_are_not_sent(api: Api, code: str):
    answer = await api.post("/v1/modems/sim1/ussd", {"code": code})
    assert (answer.status, answer.code, answer.pointers) == (422, "ussd_refused", ["/code"])
    assert code not in str(answer.document)


async def test_only_an_admin(holder):
    held = await holder("send", "read:all", "contacts", "campaigns")
    for path, body in [*((verb, {}) for verb in VERBS), ("at", {"command": "AT"}), ("ussd", {"code": "*100#"})]:
        answer = await held.post(f"/v1/modems/sim1/{path}", body)
        assert (answer.status, answer.code) == (403, "scope_missing"), path


async def test_what_is_asked_and_answered_is_in_no_log(api: Api, gateway: Gateway, caplog: pytest.LogCaptureFixture):
    await _until(api, "ready", "busy")
    caplog.set_level("DEBUG")
    answer = await api.post("/v1/modems/sim1/at", {"command": "AT+CNUM"})
    assert "+33639" in str(answer.document)
    await api.post("/v1/modems/sim1/ussd", {"code": "*7351#"})
    await asyncio.sleep(0)
    text = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "modem_at" in text
    assert "+33639" not in text
    assert "7351" not in text
    assert "AT+CNUM" not in text


async def test_a_network_without_such_a_service(api: Api):
    await _until(api, "ready", "busy")
    answer = await api.post("/v1/modems/sim1/ussd", {"code": "#123#"})
    assert (answer.status, answer.code) == (409, "ussd_failed")
