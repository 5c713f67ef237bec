"""The `android-sms-gateway` package, with only the address and the credentials changed."""

from __future__ import annotations

import datetime
import hmac
import json
from base64 import b64encode

import pytest
from android_sms_gateway import client, domain, errors
from android_sms_gateway.enums import MessagePriority, ProcessState, WebhookEvent
from android_sms_gateway.webhooks import SmsReceivedPayload
from support.foreign import FAR, NOON, OWN, UNKNOWN, Foreign, beside
from support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def ask(foreign: Foreign, token: str, work, login: str | None = "any"):
    """What the client says to `work`, with a fresh connection."""

    def blocking():
        with client.APIClient(login, token, base_url=f"{foreign.url}/3rdparty/v1") as opened:
            return work(opened)

    return await beside(blocking)


def text(*numbers: str, **fields: object) -> domain.Message:
    return domain.Message(phone_numbers=list(numbers), text_message=domain.TextMessage("Bonjour"), **fields)


async def test_a_message_is_sent_and_followed(foreign: Foreign):
    token, to = await foreign.token("send", "read"), foreign.number()
    # A modem that is quick would have taken it before it is answered.
    await foreign.ours("POST", "/v1/pause")
    try:
        made = await ask(foreign, token, lambda c: c.send(text(to)))
    finally:
        await foreign.ours("POST", "/v1/resume")
    assert (made.state, made.is_encrypted, made.created_at is None) == (ProcessState.Pending, False, False)
    assert [(each.phone_number, each.state, each.error) for each in made.recipients] == [
        (to, ProcessState.Pending, None)
    ]

    async def delivered():
        state = await ask(foreign, token, lambda c: c.get_state(made.id))
        return state if state.state is ProcessState.Delivered else None

    state = await eventually(delivered, 10, "delivered")
    assert set(state.states) == {"Pending", "Sent", "Delivered"}
    assert (await foreign.ours("GET", f"/v1/messages/{made.id}"))["text"] == "Bonjour"


async def test_one_message_for_several_people_is_known_by_the_clients_id(foreign: Foreign):
    token, first, second = await foreign.token("send", "read"), foreign.number(), foreign.number()
    wanted = text(first, second, id="order-1234", ttl=3600, priority=MessagePriority.BYPASS_THRESHOLD)
    made = await ask(foreign, token, lambda c: c.send(wanted))
    again = await ask(foreign, token, lambda c: c.send(wanted))
    assert (made.id, again.id) == ("order-1234", "order-1234")
    state = await ask(foreign, token, lambda c: c.get_state("order-1234"))
    assert [each.phone_number for each in state.recipients] == [first, second]
    with pytest.raises(errors.APIError) as refused:
        await ask(foreign, token, lambda c: c.send(text(first, id="order-1234")))
    assert (refused.value.status_code, refused.value.response["code"]) == (409, 409)
    # Another token's ids are its own.
    other = await foreign.token("send", "read:all")
    with pytest.raises(errors.NotFoundError):
        await ask(foreign, other, lambda c: c.get_state("order-1234"))
    assert (await ask(foreign, other, lambda c: c.send(text(first, id="order-1234")))).id == "order-1234"


async def test_messages_are_listed_and_canceled(foreign: Foreign):
    token, to = await foreign.token("send", "read"), foreign.number()
    made = []
    for at in range(3):
        body = {"phoneNumbers": [to], "message": f"n° {at}", "scheduleAt": FAR, "id": f"list-{at}"}
        status, said, headers = await foreign.raw_as("any", token, "POST", "/3rdparty/v1/messages", json=body)
        assert (status, headers["Location"]) == (202, f"/3rdparty/v1/messages/list-{at}"), said
        made.append(f"list-{at}")
    page = domain.QueryPagination(limit=2, offset=1)
    listed = await ask(foreign, token, lambda c: c.get_messages(pagination=page))
    assert [each.id for each in listed] == made[1::-1]
    await ask(foreign, token, lambda c: c.cancel_message(made[0]))
    with pytest.raises(Exception, match="409"):
        await ask(foreign, token, lambda c: c.cancel_message(made[0]))
    only = domain.MessagesQueryFilter(state="Cancelled", from_=NOON - datetime.timedelta(days=40))
    assert [each.id for each in await ask(foreign, token, lambda c: c.get_messages(query=only))] == [made[0]]
    later = domain.MessagesQueryFilter(from_=NOON)
    assert await ask(foreign, token, lambda c: c.get_messages(query=later)) == []
    ours = await foreign.ours("GET", f"/v1/messages?reference={made[1]}")
    assert [each["send_at"] for each in ours["items"]] == [FAR]


async def test_health_devices_inbox_and_local_mode(foreign: Foreign):
    token, to = await foreign.token("send", "read"), foreign.number()
    assert (await ask(foreign, token, lambda c: c.health_check())).status.value == "pass"
    assert [each.id for each in await ask(foreign, token, lambda c: c.list_devices())] == ["sim1"]
    await ask(foreign, token, lambda c: c.send(text(to, device_id="sim1", sim_number=1)))
    await foreign.ours("POST", "/v1/modems/sim1/simulate", {"from": to, "text": "Merci"})

    async def come():
        return await ask(foreign, token, lambda c: c.list_inbox_messages())

    (item,) = await eventually(come, 10, "the answer")
    assert (item.sender, item.content_preview, item.recipient, item.message_type) == (to, "Merci", OWN, "SMS")
    body = {"phoneNumbers": [to], "textMessage": {"text": "x"}}
    for path in ("/messages", "/message"):
        assert (await foreign.raw_as("sms", token, "POST", path, json=body))[0] == 202
    assert (await ask(foreign, token, lambda c: c.send(text(to)), None)).state is ProcessState.Pending


WRONG = {
    "nobody": {"phoneNumbers": []},
    "a number that is none": {"phoneNumbers": ["hello"]},
    "many people": {"phoneNumbers": ["+33612345678"] * 101},
    "no text": {"textMessage": None},
    "an empty text": {"textMessage": {"text": ""}},
    "two texts": {"message": "x"},
    "data": {"dataMessage": {"data": "AAAA", "port": 1}},
    "an MMS": {"mmsMessage": {"text": "x"}},
    "for the app alone": {"isEncrypted": True},
    "two ends": {"ttl": 60, "validUntil": FAR},
    "a short life": {"ttl": 1},
    "a long life": {"ttl": 10**400},
    "an end that is no time": {"validUntil": "tomorrow"},
    "a device that is none": {"deviceId": "nowhere"},
    "a SIM that is none": {"simNumber": 3},
    "a priority that is none": {"priority": 1000},
    "a long id": {"id": "x" * 37},
    "an id with U+0000": {"id": "a\x00"},
    "an id that is none": {"id": ["x"]},
    "a surrogate": {"textMessage": {"text": "\ud800"}},
    "a list": {"textMessage": ["x"]},
}


async def test_what_is_wrong_is_refused_in_smsgates_form(foreign: Foreign):
    token = await foreign.token("send", "read")
    good = {"phoneNumbers": ["+33612345678"], "textMessage": {"text": "x"}}
    for name, given in WRONG.items():
        status, said, _ = await foreign.raw_as("any", token, "POST", "/3rdparty/v1/messages", json=good | given)
        assert (status, '"code":400' in said, '"message":' in said) == (400, True, True), (name, said)
    for path, status in (
        ("/3rdparty/v1/messages/" + "0" * 32, 404),
        ("/3rdparty/v1/messages/" + "x" * 300, 404),
        ("/3rdparty/v1/messages/%00", 404),
        ("/3rdparty/v1/messages?limit=1000", 400),
        ("/3rdparty/v1/messages?sort=created_at", 400),
        ("/3rdparty/v1/messages?from=x", 400),
    ):
        assert (await foreign.raw_as("any", token, "GET", path))[0] == status, path
    with pytest.raises(errors.BadRequestError):
        await ask(foreign, token, lambda c: c.send(text("+33612345678", is_encrypted=True)))
    with pytest.raises(errors.APIError):
        await ask(foreign, token, lambda c: c.generate_token(domain.TokenRequest(scopes=["messages:send"])))


async def test_who_may_not_is_told_so(foreign: Foreign):
    bad = (None, "", "Basic", "Basic YQ==", f"Bearer {UNKNOWN}", f"Basic {b64encode(f'a:{UNKNOWN}'.encode()).decode()}")
    told = {
        (await foreign.raw("GET", "/3rdparty/v1/messages", headers={} if field is None else {"Authorization": field}))[
            :2
        ]
        for field in bad
    }
    assert told == {(401, '{"code":401,"message":"Unauthorized"}')}
    for token in (UNKNOWN, await foreign.revoked()):
        for login in ("any", None):
            with pytest.raises(errors.UnauthorizedError):
                await ask(foreign, token, lambda c: c.send(text("+33612345678")), login)
    with pytest.raises(errors.ForbiddenError):
        await ask(foreign, await foreign.token("read"), lambda c: c.send(text("+33612345678")))


async def test_webhooks_are_told_in_smsgates_form_and_signed(foreign: Foreign):
    token, admin, to = await foreign.token("send", "read"), await foreign.token("admin"), foreign.number()
    with pytest.raises(errors.ForbiddenError):
        await ask(foreign, token, lambda c: c.get_webhooks())
    kinds = ("sms:sent", "sms:delivered", "sms:received")
    for kind in kinds:
        wanted = domain.Webhook(id=f"my-{kind}", url=f"{foreign.listener.url}/hook/{kind}", event=WebhookEvent(kind))
        for _ in range(2):
            assert (await ask(foreign, admin, lambda c, wanted=wanted: c.create_webhook(wanted))).id == f"my-{kind}"
    assert {each.id for each in await ask(foreign, admin, lambda c: c.get_webhooks())} == {
        f"my-{kind}" for kind in kinds
    }
    body = {"url": f"{foreign.listener.url}/hook/x", "event": "sms:failed"}
    status, said, _ = await foreign.raw_as("any", admin, "POST", "/webhooks", json=body)
    assert (status, json.loads(said)["signingKey"].startswith("whsec_")) == (201, True)
    await ask(foreign, token, lambda c: c.send(text(to, id="hooked-1")))
    heard = [await foreign.listener.until(lambda each, kind=kind: kind in each.url) for kind in kinds[:2]]
    await foreign.ours("POST", "/v1/modems/sim1/simulate", {"from": to, "text": "Merci"})
    heard.append(await foreign.listener.until(lambda each: kinds[2] in each.url))
    keys = {each["url"]: (await foreign.ours("GET", f"/v1/webhooks/{each['id']}/secret"))["secret"]
            for each in (await foreign.ours("GET", "/v1/webhooks"))["items"]}  # fmt: skip
    for kind, each in zip(kinds, heard, strict=True):
        said = json.loads(each.body)
        assert (said["event"], said["webhookId"], said["deviceId"]) == (kind, f"my-{kind}", "sim1")
        signed = each.body + each.headers["X-Timestamp"].encode()
        assert each.headers["X-Signature"] == hmac.new(keys[each.url].encode(), signed, "sha256").hexdigest()
    sent, delivered, received = (json.loads(each.body)["payload"] for each in heard)
    assert (sent["messageId"], sent["phoneNumber"], delivered["messageId"]) == ("hooked-1", to, "hooked-1")
    assert SmsReceivedPayload.from_dict(received).message == "Merci"
    for kind in kinds:
        await ask(foreign, admin, lambda c, kind=kind: c.delete_webhook(f"my-{kind}"))
    with pytest.raises(Exception, match="404"):
        await ask(foreign, admin, lambda c: c.delete_webhook("my-sms:sent"))
    refused = {"url": f"{foreign.listener.url}/", "event": "system:ping"}, {"url": "x", "event": "sms:sent"}, {}
    for given in refused:
        assert (await foreign.raw_as("any", admin, "POST", "/3rdparty/v1/webhooks", json=given))[0] == 400
