"""Whatever is sent: a clear, specific 4xx, and nothing half done."""

from __future__ import annotations

import json

import pytest
import pytest_asyncio
from support.http import Api

from api.body import BODY_MAX

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOOD = {"to": "+33639980101", "text": "hello"}
JSON = {"Content-Type": "application/json"}


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def nothing_is_accepted(api: Api):
    before = await _newest(api)
    yield
    assert await _newest(api) == before


async def _newest(api: Api) -> list[str]:
    """What was sent before goes on its way meanwhile, so its id alone is the same."""
    return [item["id"] for item in (await api.get("/v1/messages?limit=1")).document["items"]]


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"to": "12ab"}, "/to", "number_invalid"),
        ({"to": ""}, "/to", "number_invalid"),
        ({"to": "+33639980101\r\nAT+CMGD=1"}, "/to", "number_invalid"),
        ({"to": "*100#"}, "/to", "number_invalid"),
        ({"to": "+" + "3" * 40}, "/to", "number_invalid"),
        ({"to": "٣٣٦٣٩٩٨٠١٠١"}, "/to", "number_invalid"),
        ({"to": "+33 899 12 34 56"}, "/to", "number_not_allowed"),
        ({"to": "112"}, "/to", "number_not_allowed"),
        ({"to": "15"}, "/to", "number_not_allowed"),
        ({"to": "911"}, "/to", "number_not_allowed"),
        ({"to": "36111"}, "/to", "number_not_allowed"),
        ({"to": "12345"}, "/to", "number_invalid"),
        ({"to": "0899123456"}, "/to", "number_not_allowed"),
        ({"to": "+870773111632"}, "/to", "number_not_allowed"),
        ({"text": ""}, "/text", "text_empty"),
        ({"text": " \n"}, "/text", "text_empty"),
        ({"text": "a" * 10_000}, "/text", "text_too_long"),
        ({"text": "a\u001ab"}, "/text", "text_invalid"),
        ({"category": "nonsense"}, "/category", "category_unknown"),
        ({"modem": "sim9"}, "/modem", "modem_unknown"),
        ({"reference": ""}, "/reference", "reference_invalid"),
        ({"reference": "a\0b"}, "/reference", "reference_invalid"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at", "expires_too_early"),
        ({"send_at": "2020-01-01T00:00:00Z"}, "/send_at", "send_at_too_old"),
        ({"send_at": "9998-01-01T00:00:00Z"}, "/send_at", "send_at_too_far"),
    ],
)
async def test_a_value_that_can_never_become_right(api: Api, change: dict, pointer: str, code: str):
    for path in ("/v1/messages", "/v1/messages/preview"):
        answer = await api.post(path, GOOD | change)
        assert (answer.status, answer.code) == (422, code)
        assert pointer in answer.pointers


@pytest.mark.parametrize(
    ("change", "pointer", "said"),
    [
        ({"to": None}, "/to", "must be a string"),
        ({"callback_url": 1}, "/callback_url", "must be a string"),
        ({"to": 33639980101}, "/to", "must be a string"),
        ({"to": ["+33639980101"]}, "/to", "must be a string"),
        ({"text": {"a": 1}}, "/text", "must be a string"),
        ({"text": "\ud83c"}, "/text", "surrogate"),
        ({"reference": "\udc00"}, "/reference", "surrogate"),
        ({"reference": "r" * 256}, "/reference", "at most 255"),
        ({"category": True}, "/category", "must be a string"),
        ({"flash": 1}, "/flash", "true or false"),
        ({"flash": "true"}, "/flash", "true or false"),
        ({"flash": None}, "/flash", "true or false"),
        ({"on_uncertain": "maybe"}, "/on_uncertain", "'resend', 'hold' or 'never'"),
        ({"send_at": "2026-01-06T09:00:00"}, "/send_at", "zone"),
        ({"send_at": "2026-01-06"}, "/send_at", "RFC 3339"),
        ({"send_at": "20260106T090000Z"}, "/send_at", "RFC 3339"),
        ({"send_at": "worst"}, "/send_at", "RFC 3339"),
        ({"about_at": "2026-01-06T09:00:00"}, "/about_at", "zone"),
        ({"shift": "sideways"}, "/shift", "one of"),
        ({"expect": "OK"}, "/expect", "list"),
        ({"expect": [1]}, "/expect/0", "string"),
        ({"expect": ["OK"] * 21}, "/expect", "20"),
        ({"fallback": "email"}, "/fallback", "list"),
        ({"fallback": ["email"] * 6}, "/fallback", "5"),
        ({"send_at": 1767690000}, "/send_at", "RFC 3339"),
        ({"send_at": "2026-02-30T09:00:00Z"}, "/send_at", "calendar"),
        ({"send_at": "2026-01-06T24:01:00Z"}, "/send_at", "calendar"),
        ({"send_at": "2026-01-06T09:00:00+25:00"}, "/send_at", "calendar"),
        ({"send_at": "1969-12-31T23:59:59Z"}, "/send_at", "between"),
        ({"send_at": "9999-12-31T23:59:59-23:59"}, "/send_at", "between"),
        ({"expires_at": "tomorrow"}, "/expires_at", "RFC 3339"),
        ({"": 1}, "/", "not supported"),
        ({"a/b~c": 1}, "/a~1b~0c", "not supported"),
        ({"status": "delivered"}, "/status", "not supported"),
        ({"id": "0" * 32}, "/id", "not supported"),
        ({"simulated": False}, "/simulated", "not supported"),
        ({"at": "2026-01-06T09:00:00Z"}, "/at", "not supported"),
        ({"template": "t"}, "/template", "not given beside a text"),
        ({"variables": {"a": 1}}, "/variables", "not given beside a text"),
        ({"text": None, "template": 1}, "/template", "must be a string"),
        ({"text": None, "template": "t", "variables": ["a"]}, "/variables", "must be an object"),
    ],
)
async def test_a_wrong_shape(api: Api, change: dict, pointer: str, said: str):
    answer = await api.post("/v1/messages", GOOD | change)
    assert (answer.status, answer.code, answer.pointers) == (422, "invalid_request", [pointer])
    assert said in answer.document["errors"][0]["message"]
    assert answer.document["detail"] == f"{pointer[1:] or 'body'}: {answer.document['errors'][0]['message']}"


@pytest.mark.parametrize("word", ["STOP", "Arrêt !", "stop all", "unsubscribe"])
async def test_a_word_that_always_stops_is_no_answer(api: Api, word: str):
    answer = await api.post("/v1/messages", GOOD | {"expect": ["OUI", word]})
    assert (answer.status, answer.code, answer.pointers) == (422, "expect_invalid", ["/expect"])
    assert "STOP, ARRET, STOPALL, UNSUBSCRIBE" in answer.document["errors"][0]["message"]


async def test_every_wrong_field_is_named_at_once(api: Api):
    answer = await api.post("/v1/messages", {"text": 1, "send_at": "soon", "texte": "x"})
    assert answer.status == 422
    assert sorted(answer.pointers) == ["/send_at", "/text", "/texte", "/to"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b"{'to': 1}", 400, "invalid_json"),
        (b'{"to": "a",}', 400, "invalid_json"),
        (b'{} {"to": "a"}', 400, "invalid_json"),
        (b'{"to": "a", "to": "b"}', 400, "invalid_json"),
        (b'{"x": {"a": 1, "a": 1}}', 400, "invalid_json"),
        (b'{"to": NaN}', 400, "invalid_json"),
        (b'{"to": -Infinity}', 400, "invalid_json"),
        (b'{"to": 1e999}', 400, "invalid_json"),
        (b'{"to": ' + b"9" * 5000 + b"}", 400, "invalid_json"),
        (b'{"to": "\xff"}', 400, "invalid_json"),
        (b'{"to": "\xed\xa0\x80"}', 400, "invalid_json"),
        (b'{"to": "a\nb"}', 400, "invalid_json"),
        (b"\xef\xbb\xbf{}", 400, "invalid_json"),
        (b"\x00", 400, "invalid_json"),
        (b"[" * 100_000, 400, "invalid_json"),
        (b'{"a":' * 100_000, 400, "invalid_json"),
        (b"[]", 422, "not_an_object"),
        (b"null", 422, "not_an_object"),
        (b'"text"', 422, "not_an_object"),
        (b"3", 422, "not_an_object"),
        (b'{"\\ud800": 1}', 422, "invalid_request"),
        (b"{" + b",".join(b'"k%d":1' % n for n in range(200_000)) + b"}", 422, "invalid_request"),
        (b'{"' + b"k" * 1_000_000 + b'":1}', 422, "invalid_request"),
        (b" " * (BODY_MAX + 1), 413, "body_too_large"),
    ],
    ids=lambda value: value[:16].decode("latin-1") if isinstance(value, bytes) else str(value),
)
async def test_a_body_that_is_no_message(api: Api, body: bytes, status: int, code: str):
    for path in ("/v1/messages", "/v1/optouts", "/v1/tokens", "/v1/modems/sim1/simulate"):
        answer = await api.post(path, data=body, headers=JSON)
        assert (answer.status, answer.code) == (status, code)
        assert len(json.dumps(answer.document)) < 10_000


async def test_a_body_without_end_is_cut_at_its_limit(api: Api):
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 64 * BODY_MAX:
            sent += 65_536
            yield b" " * 65_536

    answer = await api.post("/v1/messages", data=endless(), headers=JSON)
    assert (answer.status, answer.code) == (413, "body_too_large")


@pytest.mark.parametrize(
    "field",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "application/jsonp",
        "",
        "; ;",
    ],
)
async def test_another_type_than_json(api: Api, field: str):
    answer = await api.post("/v1/messages", data=json.dumps(GOOD).encode(), headers={"Content-Type": field})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip"])
async def test_a_compressed_body(api: Api, coding: str):
    fields = JSON | {"Content-Encoding": coding}
    answer = await api.post("/v1/messages", data=json.dumps(GOOD).encode(), headers=fields)
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "field", ["Application/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"']
)
async def test_json_under_its_other_spellings(api: Api, field: str):
    answer = await api.post("/v1/messages", data=b"{}", headers={"Content-Type": field})
    assert (answer.status, answer.pointers) == (422, ["/to", "/text"])


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=", "limit"),
        ("limit=1e1", "limit"),
        ("limit=1_0", "limit"),
        ("limit=%D9%A1", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=5&limit=6", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=" + "0" * 600, "cursor"),
        ("cursor=%27%20OR%201%3D1--", "cursor"),
        ("campagne=c", "campagne"),
        ("Limit=5", "Limit"),
        ("a=1", "a"),
        ("=1", ""),
    ],
)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/inbox", "/v1/optouts", "/v1/modems", "/v1/tokens"])
async def test_a_wrong_query_of_a_list(api: Api, path: str, query: str, pointer: str):
    answer = await api.get(f"{path}?{query}")
    assert (answer.status, answer.pointers) == (422, [pointer])


@pytest.mark.parametrize(
    ("target", "pointer"),
    [
        ("/v1/messages?status=done", "status"),
        ("/v1/messages?status=", "status"),
        ("/v1/messages?status=held,,sent", "status"),
        ("/v1/messages?since=2026-01-06T09:00:00", "since"),
        ("/v1/messages?until=yesterday", "until"),
        ("/v1/messages?to=%2B12ab", "to"),
        ("/v1/messages?to=a&to=b", "to"),
        ("/v1/inbox?keyword=hello", "keyword"),
        ("/v1/inbox?from=%2B12ab", "from"),
        ("/v1/inbox?sender=x", "sender"),
        ("/v1/inbox?since=1", "since"),
        ("/v1/optouts?number=12ab", "number"),
        ("/v1/messages/" + "0" * 32 + "?x=1", "x"),
        ("/v1/messages/" + "0" * 32 + "/timeline?limit=1", "limit"),
    ],
)
async def test_a_wrong_filter(api: Api, target: str, pointer: str):
    answer = await api.get(target)
    assert (answer.status, answer.pointers) == (422, [pointer])


async def test_a_query_where_none_is_taken_is_not_overlooked(api: Api):
    answer = await api.post("/v1/messages?dry_run=1", GOOD)
    assert (answer.status, answer.pointers) == (422, ["dry_run"])
