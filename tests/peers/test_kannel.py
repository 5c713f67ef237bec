"""Programs that send through a Kannel, as its user guide shows the calls, with only address and password changed."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, quote_plus, urlencode, urlsplit

import pytest
import yarl
from support.foreign import OWN, UNKNOWN, Foreign
from support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/cgi-bin/sendsms"
ACCEPTED = (202, "0: Accepted for delivery")
QUEUED = (202, "3: Queued for later delivery")
DENIED = (403, "Authorization failed for sendsms")


async def get(foreign: Foreign, query: str) -> tuple[int, str]:
    status, text, headers = await foreign.raw("GET", f"{PATH}?{query}")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    return status, text


async def ask(foreign: Foreign, token: str, **fields: object) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return await get(foreign, urlencode({"username": "foo", "password": token, **named}))


async def sent(foreign: Foreign, to: str) -> list[dict]:
    """What the gateway has for somebody, oldest first."""
    return (await foreign.ours("GET", f"/v1/messages?to={quote(to)}"))["items"][::-1]


async def test_the_call_of_the_user_guide_is_accepted_and_delivered(foreign: Foreign):
    token, to = await foreign.token("send"), foreign.number()
    answer = await get(foreign, f"username=foo&password={token}&from=10003&to={quote(to)}&text=Hello+world")
    assert answer == ACCEPTED

    async def delivered():
        return [each for each in await sent(foreign, to) if each["status"] == "delivered"]

    (message,) = await eventually(delivered, 10, "delivered")
    assert message["text"] == "Hello world"


async def test_numbers_are_read_as_kannel_reads_them(foreign: Foreign):
    token = await foreign.token("send")
    first, second, third = foreign.number(), foreign.number(), foreign.number()
    receivers = f"{first[1:]}+00{second[1:]}+0{third[3:]}"
    assert await get(foreign, f"user=foo&pass={token}&to={receivers}&text=x&deferred=60") == QUEUED
    assert await get(foreign, f"user=foo&pass={token}&to=+447911123456&text=x&deferred=60") == QUEUED
    for number in (first, second, third, "+447911123456"):
        (message,) = await sent(foreign, number)
        assert message["hold"]["rule"] == "scheduled"
    assert await get(foreign, f"user=foo&pass={token}&to={first}+12&text=y&deferred=60") == (
        400,
        "to field (receiver 2): is not a phone number, rejected",
    )
    assert len(await sent(foreign, first)) == 1


TEXTS = {
    "UTF-8": (b"text=%C3%A9t%C3%A9+%E2%82%AC", "été €"),
    "windows-1252": (b"charset=windows-1252&text=%E9t%E9+%80", "été €"),
    "ISO-8859-1": (b"charset=ISO-8859-1&coding=0&text=%E9t%E9", "été"),
    "UCS-2": (b"coding=2&text=%04%1F%04%40%04%38", "При"),
    "UCS-2 by name": (b"coding=2&charset=UCS-2&text=%04%1F", "П"),
    "UTF-8 as UCS-2": (b"coding=2&charset=UTF-8&text=%D0%9F", "П"),
}


async def test_a_text_is_read_in_its_charset(foreign: Foreign):
    token, to = await foreign.token("send"), foreign.number()
    for name, (query, _) in TEXTS.items():
        path = f"{PATH}?username=a&password={token}&deferred=60&to={quote(to)}&".encode() + query
        url = yarl.URL(foreign.url + path.decode("utf-8", "surrogateescape"), encoded=True)
        async with foreign.session.get(url) as answer:
            assert (answer.status, await answer.text()) == QUEUED, name
    assert [each["text"] for each in await sent(foreign, to)] == [text for _, text in TEXTS.values()]


async def test_other_ways_of_asking(foreign: Foreign):
    token, to = await foreign.token("send"), foreign.number()
    form = {"username": "a", "password": token, "to": to, "text": "by form", "deferred": "60", "mclass": "0"}
    assert (await foreign.raw("POST", PATH, data=form))[:2] == QUEUED
    header = {
        "X-Kannel-Username": "a", "X-Kannel-Password": token, "X-Kannel-To": to, "X-Kannel-Deferred": "60",
        "X-Kannel-Validity": "90", "X-Kannel-From": OWN, "Content-Type": "text/plain; charset=ISO-8859-1",
    }  # fmt: skip
    assert (await foreign.raw("POST", PATH, headers=header, data=b"by h\xe9ader"))[:2] == QUEUED
    first, second = await sent(foreign, to)
    assert (first["text"], second["text"]) == ("by form", "by héader")
    assert second["expires_at"] > second["send_at"] > second["created_at"]


async def test_reports_are_fetched_with_what_was_asked_for(foreign: Foreign):
    token, to = await foreign.token("send"), foreign.number()
    template = (
        f"{foreign.listener.url}/dlr?me=7&type=%d&answer=%A&from=%p&to=%P&ts=%T&at=%t&smsc=%i&id=%I&f=%F&x=%%&y=%z&n=%n"
    )
    assert await ask(foreign, token, to=to, text="x", from_="x", dlr_mask=31, dlr_url=template) == ACCEPTED
    heard = {}
    for kind in ("8", "1"):
        found = await foreign.listener.until(
            lambda each, kind=kind: f"type={kind}&" in each.url and quote_plus(to) in each.url
        )
        assert found.method == "GET"
        heard[kind] = {name: values[0] for name, values in parse_qs(urlsplit(found.url).query).items()}
    (message,) = await sent(foreign, to)
    assert (heard["8"]["answer"], heard["8"]["to"], heard["8"]["smsc"]) == ("ACK/", to, "sim1")
    assert (heard["1"]["f"], heard["1"]["id"].replace("-", "")) == (message["id"], message["id"])
    assert "stat:DELIVRD" in heard["1"]["answer"]
    assert heard["1"]["n"].startswith("foreign-")
    unasked = foreign.number()
    assert await ask(foreign, token, to=unasked, text="x", dlr_mask=16, dlr_url=template) == ACCEPTED
    await eventually(lambda: _delivered(foreign, unasked), 10, "delivered")
    await foreign.ours("POST", "/v1/optouts", {"number": unasked})
    assert await ask(foreign, token, to=unasked, text="y", dlr_mask=16, dlr_url=template) == ACCEPTED
    found = await foreign.listener.until(lambda each: quote_plus(unasked) in each.url)
    assert "type=16&answer=NACK%2F" in found.url


async def _delivered(foreign: Foreign, to: str) -> bool:
    return any(each["status"] == "delivered" for each in await sent(foreign, to))


WRONG = {
    "no receiver": ({"to": ""}, (400, "Missing receiver number, rejected")),
    "no number": ({"to": "hello"}, 400),
    "no text": ({"text": ""}, (400, "text field (receiver 1): is empty, rejected")),
    "binary": ({"coding": 1}, 400),
    "a coding that is none": ({"coding": 3}, (400, "Coding field misformed, rejected")),
    "a header of user data": ({"udh": "\x06\x05\x04"}, 400),
    "a waiting indication": ({"mwi": 0}, 400),
    "a class": ({"mclass": 2}, 400),
    "a charset that is none": ({"charset": "punycode"}, (400, "Charset or body misformed, rejected")),
    "another charset that is none": ({"charset": "hex\x00"}, (400, "Charset or body misformed, rejected")),
    "control characters": ({"text": "a\x01b"}, 400),
    "long digits": ({"validity": "9" * 4000}, (400, "Validity field misformed, rejected")),
    "an end before its time": ({"validity": 5, "deferred": 5}, (400, "Validity field misformed, rejected")),
    "a mask": ({"dlr-mask": 64, "dlr-url": "http://127.0.0.1/"}, (400, "DLR-Mask field misformed, rejected")),
    "an address with blanks": ({"dlr-mask": 1, "dlr-url": "http://127.0.0.1/ x"}, 400),
    "an address that may not be reached": ({"dlr-mask": 1, "dlr-url": "http://10.1.2.3/%d"}, 400),
    "an address that is filled in": ({"dlr-mask": 1, "dlr-url": "http://%p.example.com/"}, 400),
    "no modem": ({"smsc": "nowhere"}, (403, "Not routable. Do not try again.")),
}


async def test_what_is_wrong_is_told_in_kannels_words(foreign: Foreign):
    token = await foreign.token("send")
    good = {"to": "+33612345678", "text": "x"}
    for name, (given, expected) in WRONG.items():
        found = await ask(foreign, token, **(good | given))
        assert found in (expected, (expected, found[1])), name
        assert found[1].endswith(("rejected", "again.")) or found[0] == 400, name


async def test_hostile_bodies_are_refused(foreign: Foreign):
    token = await foreign.token("send")
    query = f"{PATH}?username=a&password={token}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for given, status in (
        ({"data": b"text=%ff", "headers": form}, 400),
        ({"data": b"&".join(b"n%d=" % at for at in range(2000)), "headers": form}, 400),
        ({"data": b"text=" + b"x" * 5_000_000, "headers": form}, 413),
        ({"data": b"text=x&to=" + b"+".join(b"3361234%04d" % at for at in range(1001)), "headers": form}, 400),
        ({"json": {"text": "x"}}, 415),
        ({"data": b"<message/>", "headers": {"Content-Type": "text/xml"}}, 415),
    ):
        found, text, _ = await foreign.raw("POST", query, **given)
        assert found == status, text
        assert token not in text
    assert (await foreign.raw("HEAD", f"{query}&to=%2B33612345678&text=x"))[0] == 405


async def test_who_may_not_is_told_so_in_one_way(foreign: Foreign):
    for token in (UNKNOWN, await foreign.revoked(), await foreign.token("read"), "", "\xff"):
        assert await ask(foreign, token, to="+33612345678", text="x") == DENIED
    assert await get(foreign, "to=%2B33612345678&text=x&password=%ff") == DENIED
