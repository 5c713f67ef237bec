"""The official `twilio` package, with only the address and the credentials changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from support.foreign import FAR, OWN, UNKNOWN, Foreign, beside
from support.waiting import eventually
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

pytestmark = pytest.mark.asyncio(loop_scope="session")

ACCOUNT = "AC" + "0123456789abcdef" * 2


def client_of(foreign: Foreign, token: str, account: str = ACCOUNT) -> Client:
    client = Client(account, token)
    client.api.base_url = foreign.url
    return client


async def test_a_message_is_sent_and_followed(foreign: Foreign):
    client, to = client_of(foreign, await foreign.token("send", "read")), foreign.number()
    made = await beside(lambda: client.messages.create(to=to, from_=OWN, body="Bonjour"))
    assert (made.to, made.from_, made.body, made.num_segments, made.direction) == (
        to,
        OWN,
        "Bonjour",
        "1",
        "outbound-api",
    )
    assert (made.status, made.error_code, made.price, made.account_sid) == ("queued", None, None, ACCOUNT)
    assert made.sid.startswith("SM")
    assert made.date_created.tzinfo is not None

    async def delivered():
        message = await beside(client.messages(made.sid).fetch)
        return message if message.status == "delivered" else None

    message = await eventually(delivered, 10, "delivered")
    assert (message.from_, message.date_sent is None, message.uri) == (OWN, False, made.uri)
    ours = await foreign.ours("GET", f"/v1/messages/{made.sid[2:]}")
    assert (ours["to"], ours["text"], ours["category"]) == (to, "Bonjour", "transactional")


async def test_messages_are_listed_by_pages(foreign: Foreign):
    client, to = client_of(foreign, await foreign.token("send", "read")), foreign.number()
    for at in range(5):
        await beside(lambda at=at: client.messages.create(to=to, from_="Clinique", body=f"n° {at}", send_at=FAR))
    listed = await beside(lambda: client.messages.list(to=to, page_size=2))
    assert [each.body for each in listed] == [f"n° {at}" for at in (4, 3, 2, 1, 0)]
    assert {each.status for each in listed} == {"scheduled"}
    today = datetime.now(UTC)
    for given, count in (
        ({"date_sent": today.date()}, 5),
        ({"date_sent_after": today - timedelta(hours=1)}, 5),
        ({"date_sent_before": today - timedelta(days=2)}, 0),
        ({"from_": "+33799999999"}, 0),
    ):
        assert len(await beside(lambda given=given: client.messages.list(to=to, **given))) == count, given


async def test_a_scheduled_message_is_canceled_once(foreign: Foreign):
    client, to = client_of(foreign, await foreign.token("send", "read")), foreign.number()
    made = await beside(
        lambda: client.messages.create(
            to=to, messaging_service_sid="MG1", body="x", schedule_type="fixed", send_at=FAR, validity_period=600
        )
    )
    assert (made.status, made.messaging_service_sid) == ("scheduled", "MG1")
    assert await refusal(lambda: client.messages(made.sid).delete()) == (409, 20009)
    assert (await beside(lambda: client.messages(made.sid).update(status="canceled"))).status == "canceled"
    assert await refusal(lambda: client.messages(made.sid).update(status="canceled")) == (409, 30409)
    assert await refusal(lambda: client.messages(made.sid).update(body="")) == (400, 20400)
    assert await refusal(lambda: client.messages(made.sid).delete()) == (405, 20004)
    ours = await foreign.ours("GET", f"/v1/messages/{made.sid[2:]}")
    assert (ours["send_at"], ours["expires_at"]) == (FAR, FAR.replace("12:00", "12:10"))


async def refusal(work) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as raised:
        await beside(work)
    assert raised.value.msg
    return raised.value.status, raised.value.code


WRONG = {
    "no recipient": ({"to": ""}, 400, 21604),
    "no number": ({"to": "+1"}, 400, 21211),
    "a channel": ({"to": "whatsapp:+33612345678"}, 400, 21211),
    "no text": ({"body": ""}, 400, 21602),
    "blanks": ({"body": "   "}, 400, 21602),
    "too long": ({"body": "x" * 3000}, 400, 21617),
    "control characters": ({"body": "a\x00b"}, 400, 20400),
    "media": ({"media_url": ["https://example.com/a.png"]}, 400, 21620),
    "a template": ({"content_sid": "HX1", "body": ""}, 400, 21655),
    "a discarded text": ({"content_retention": "discard"}, 400, 20400),
    "no time": ({"schedule_type": "fixed"}, 400, 35111),
    "a bad time": ({"schedule_type": "fixed", "send_at": "tomorrow"}, 400, 35115),
    "too far": ({"schedule_type": "fixed", "send_at": "2990-01-01T00:00:00Z"}, 400, 35115),
    "a validity": ({"validity_period": 0}, 400, 20400),
    "an address that may not be reached": ({"status_callback": "http://10.0.0.1/x"}, 400, 21609),
    "no address": ({"status_callback": "nonsense"}, 400, 21609),
}


async def test_what_is_wrong_has_twilios_code(foreign: Foreign):
    client = client_of(foreign, await foreign.token("send", "read"))
    good = {"to": "+33612345678", "from_": OWN, "body": "x"}
    for name, (given, status, code) in WRONG.items():
        assert await refusal(lambda given=given: client.messages.create(**good | given)) == (status, code), name
    assert await refusal(client.messages("SM" + "0" * 32).fetch) == (404, 20404)
    assert await refusal(client.messages("MM1").fetch) == (404, 20404)


async def test_who_may_not_is_told_so(foreign: Foreign):
    good = {"to": "+33612345678", "from_": OWN, "body": "x"}
    for token in (UNKNOWN, await foreign.revoked(), "é"):
        client = client_of(foreign, token)
        assert await refusal(lambda client=client: client.messages.create(**good)) == (401, 20003)
    reader = client_of(foreign, await foreign.token("read"))
    assert await refusal(lambda: reader.messages.create(**good)) == (403, 20003)
    sender, made = client_of(foreign, await foreign.token("send")), client_of(foreign, await foreign.token("send"))
    message = await beside(lambda: made.messages.create(**good))
    assert await refusal(sender.messages(message.sid).fetch) == (403, 20003)
    stranger = client_of(foreign, await foreign.token("read"))
    assert await refusal(stranger.messages(message.sid).fetch) == (404, 20404)


async def test_who_opted_out_is_refused_as_unsubscribed(foreign: Foreign):
    client, to = client_of(foreign, await foreign.token("send", "read")), foreign.number()
    await foreign.ours("POST", "/v1/optouts", {"number": to})
    assert await refusal(lambda: client.messages.create(to=to, from_=OWN, body="x")) == (400, 21610)
    listed = await beside(lambda: client.messages.list(to=to))
    assert [(each.status, each.error_code) for each in listed] == [("failed", 21610)]


async def test_callbacks_bear_signatures_that_the_official_validator_accepts(foreign: Foreign):
    token = await foreign.token("send", "read")
    client, to, url = client_of(foreign, token), foreign.number(), f"{foreign.listener.url}/news?shop=é&n=1"
    url = url.replace("é", "%C3%A9")
    made = await beside(lambda: client.messages.create(to=to, from_=OWN, body="Bonjour", status_callback=url))
    for status in ("sent", "delivered"):
        heard = await foreign.listener.until(
            lambda each, status=status: (
                made.sid.encode() in each.body and f"MessageStatus={status}".encode() in each.body
            )
        )
        fields = dict(parse_qsl(heard.body.decode()))
        assert (fields["MessageSid"], fields["SmsStatus"], fields["To"], fields["From"]) == (made.sid, status, to, OWN)
        assert (fields["AccountSid"], fields["ApiVersion"]) == (ACCOUNT, "2010-04-01")
        signature = heard.headers["X-Twilio-Signature"]
        assert RequestValidator(token).validate(url, fields, signature)
        assert not RequestValidator(UNKNOWN).validate(url, fields, signature)
        assert not RequestValidator(token).validate(url, fields | {"To": OWN}, signature)
    held = await beside(lambda: client.messages.create(to=to, from_=OWN, body="x", status_callback=url, send_at=FAR))
    await beside(lambda: client.messages(held.sid).update(status="canceled"))
    heard = await foreign.listener.until(lambda each: held.sid.encode() in each.body)
    assert b"MessageStatus=canceled" in heard.body


HOSTILE = {
    "no form": ({"json": {"To": "+33612345678"}}, 415),
    "no body": ({}, 415),
    "an empty form": ({"data": b""}, 400),
    "not UTF-8": ({"data": b"To=%ff&Body=x"}, 400),
    "half an escape": ({"data": b"To=%2&Body=x"}, 400),
    "a name twice": ({"data": b"To=%2B33612345678&To=%2B33612345679&Body=x"}, 400),
    "many names": ({"data": b"&".join(b"n%d=1" % at for at in range(2000))}, 400),
    "only separators": ({"data": b"&" * 100_000}, 400),
    "a large body": ({"data": b"To=%2B33612345678&Body=" + b"x" * 5_000_000}, 413),
    "a surrogate": ({"data": b"To=%2B33612345678&Body=%ed%a0%80"}, 400),
    "long digits": ({"data": b"To=%2B33612345678&Body=x&ValidityPeriod=" + b"9" * 10_000}, 400),
}


async def test_hostile_forms_are_refused_in_twilios_form(foreign: Foreign):
    token, path = await foreign.token("send"), f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for name, (given, status) in HOSTILE.items():
        headers = form if "data" in given else {}
        found, text, _ = await foreign.raw_as(ACCOUNT, token, "POST", path, headers=headers, **given)
        assert found == status, (name, text)
        assert f'"status":{status}' in text, (name, text)
