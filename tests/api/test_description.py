"""What /openapi.json and /docs say, and that every row of the route table says what they need."""

from __future__ import annotations

import ast
import base64
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import aiohttp.web
import pytest
import pytest_asyncio
from openapi_spec_validator import validate
from pydantic import BaseModel
from support.http import Api
from support.tree import ROOT

from api.app import ENDPOINTS, INTAKES, OPEN_ENDPOINTS
from api.codes import CODES
from api.description import Tables
from api.description.document import document_of_tables
from api.description.page import page_of_document
from api.description.refusals import codes_of
from api.endpoint import BASIC, Credential, Intake, Reply
from api.models.fields import Incoming, NoFields, Nothing
from api.problems import HttpProblem
from gateway import errors
from gateway.notify.kinds import KINDS
from gateway.requests import SCOPES
from gateway.services import Services

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROWS = (*ENDPOINTS, *OPEN_ENDPOINTS, *INTAKES)
WITH_BODY = [row for row in ENDPOINTS for _, model in (row.bodies or (("", row.takes),)) if model.EXAMPLES]
#: What stands in the way of an example here and not in a gateway with its own categories and network.
EXCUSED = {
    "/v1/consents": "category_without_consent",
    "/v1/modems/{name}/ussd": "ussd_failed",
    # A machine without internet does not know the host.
    "/v1/webhooks": "webhook_invalid",
    # Nobody has made the contacts of the examples.
    "/v1/contacts/merge": "contact_not_found",
    "/v1/contacts/{number}": "contact_not_found",
    "/v1/automations/{name}": "automation_not_found",
    "/v1/automations/{name}/trigger": "automation_not_found",
    "/v1/segments/{name}": "segment_not_found",
    "/v1/segments/{name}/count": "segment_not_found",
    "/v1/templates/{name}": "template_not_found",
    "/v1/templates/{name}/preview": "template_not_found",
}
#: What asks in its query who is to be told.
HOOKS = {"/hooks/alertmanager", "/hooks/grafana"}
#: Fields that a caller may wish to write, and that are ours to say: A06.
OURS = (
    "id",
    "status",
    "owner",
    "token",
    "token_id",
    "created_at",
    "attempts",
    "simulated",
    "node",
    "cost",
    "admin",
    "exempt",
    "disabled_at",
    "secret",
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def described(api: Api) -> dict[str, Any]:
    answer = await api.with_token(None).get("/openapi.json")
    assert answer.status == 200
    return answer.document


async def test_the_description_is_openapi_and_has_every_route(described: dict[str, Any]):
    validate(described)
    assert described["openapi"].startswith("3.1")
    told = {(method.upper(), path) for path, item in described["paths"].items() for method in item}
    assert told == {(row.method, row.path) for row in ROWS}
    named = [operation["operationId"] for item in described["paths"].values() for operation in item.values()]
    assert len(named) == len(set(named))
    # What clients are made of, in whatever language.
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in named)
    assert all(re.fullmatch("[A-Z][A-Za-z0-9]*", name) for name in described["components"]["schemas"])


async def test_every_event_is_described_once(described: dict[str, Any]):
    told = [entry["post"] for entry in described["webhooks"].values()]
    bodies = [each["requestBody"]["content"]["application/json"]["schema"]["properties"] for each in told]
    assert sorted(kind for body in bodies for kind in body["type"]["enum"]) == sorted(KINDS)
    signed = {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert all({field["name"] for field in each["parameters"]} == signed for each in told)


async def test_every_operation_says_who_may_and_what_is_refused(described: dict[str, Any]):
    for row in ENDPOINTS:
        operation = described["paths"][row.path][row.method.lower()]
        assert operation["summary"]
        assert operation["x-scope"] == row.scope in SCOPES
        assert operation["security"] == [{"bearer": [row.scope]}]
        assert {"401", "403", "422", "421", "503", "507"} <= operation["responses"].keys()
        statuses = {str(status) for code in codes_of(row) for status in CODES[code][0]}
        good = {str(row.status), *(str(reply.status) for reply in row.also)}
        assert operation["responses"].keys() == statuses | good


async def test_every_row_says_what_it_answers():
    for row in ENDPOINTS:
        assert row.out is not None or row.media != "application/json", row.path
        assert set(row.codes) <= CODES.keys(), row.path
        assert row.handler.__doc__, row.path
    for row in OPEN_ENDPOINTS:
        assert row.out is not None or row.path in {"/openapi.json", "/docs", "/metrics"}
        assert set(row.codes) <= CODES.keys()
    for row in INTAKES:
        assert row.answers, row.path
        assert bool(row.credentials) != ("/health" in row.path), row.path
        assert row.method == "POST" or not row.media, row.path
        assert (row.body is None) or row.media, row.path
        assert set(row.codes) <= CODES.keys(), row.path


def _codes_in(text: str) -> Iterator[str]:
    """What is given as a code to a refusal, in a file of ours."""
    kinds = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).removesuffix(".field").rpartition(".")[2]
            at = 0 if called in kinds else 1 if called in {"HttpProblem", "_wrong", "_wrong_field"} else None
            if at is not None and len(node.args) > at and isinstance(code := node.args[at], ast.Constant):
                yield str(code.value)


async def test_every_code_of_ours_is_in_the_list():
    texts = [path.read_text(encoding="utf-8") for part in ("api", "gateway") for path in (ROOT / part).rglob("*.py")]
    found = {code for text in texts for code in _codes_in(text) if re.fullmatch("[a-z][a-z_]+", code)}
    # What `api.auth` tells for it; what is told in other systems' words.
    assert found - CODES.keys() <= {"token_unknown", "kannel_refused", "smsgate_refused"}
    assert {"number_invalid", "scope_missing", "message_not_found"} <= found


async def test_every_code_of_the_list_is_of_some_route():
    assert CODES.keys() - {code for row in ROWS for code in codes_of(row)} == {"method_not_allowed"}


def _path(pattern: str) -> str:
    """The path with something in its variable segments."""
    for name, value in (("name", "sim1"), ("pool", "spring"), ("id", "0" * 32), ("number", "+33639980105")):
        pattern = pattern.replace(f"{{{name}}}", value)
    return pattern


@pytest.mark.parametrize("row", WITH_BODY, ids=lambda row: f"{row.method} {row.path}")
async def test_the_examples_work(api: Api, row, described: dict[str, Any]):
    content = described["paths"][row.path][row.method.lower()]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        path = _path(row.path)
        answer = await api.ask(row.method, path, json=example["value"])
        excused = "{id}" in row.path or (answer.status >= 400 and answer.code == EXCUSED.get(row.path))
        assert answer.status < 300 or excused, answer.document
    await api.post("/v1/resume")
    await api.delete("/v1/tokens/booking")
    await api.delete("/v1/modems/sim1/trace")


async def test_the_examples_of_other_systems_work(api: Api, session: aiohttp.ClientSession):
    shown = [row for row in INTAKES if hasattr(row.body, "EXAMPLES") and "{sid}" not in row.path]
    assert {row.system for row in shown} == {row.system for row in INTAKES}
    login = base64.b64encode(f"any:{api.token}".encode()).decode()
    fields = {"Authorization": f"Basic {login}", "X-API-Key": api.token or ""}
    for row in shown:
        asked = {"Kannel": {"password": api.token or ""}}
        query = asked.get(row.system, {"to": "+33639980101"} if row.path in HOOKS else {})
        body = {"json" if row.media[0] == "application/json" else "data": row.body.EXAMPLES[0]}
        url = api.url + row.path.replace("{account}", "AC1")
        async with session.request(row.method, url, params=query, headers=fields, **body) as answer:
            excused = "webhooks" in row.path and answer.status == 400
            assert answer.status < 300 or excused, (row.path, await answer.text())


async def test_head_is_get_without_a_body(api: Api, session: aiohttp.ClientSession):
    fields = {"Authorization": f"Basic {base64.b64encode(f'any:{api.token}'.encode()).decode()}"}
    for row in ROWS:
        if row.method != "GET":
            continue
        url = api.url + row.path.replace("{account}", "AC1").replace("{sid}", "SM" + "0" * 32).replace("{id}", "0" * 32)
        held = {"Authorization": f"Bearer {api.token}"} if row in ENDPOINTS else fields
        async with session.head(url, headers=held) as head:
            status, kinds = head.status, head.headers["Content-Type"]
            assert await head.read() == b""
        if row.path == "/cgi-bin/sendsms":
            # Asking it by GET sends something.
            assert (status, head.headers["Allow"]) == (405, "GET, POST")
            continue
        async with session.get(url, headers=held) as answer:
            assert (answer.status, answer.headers["Content-Type"]) == (status, kinds), row.path


async def test_a06_fields_that_are_ours_are_refused_in_every_body(api: Api, tell: Callable[[str], None]):
    rows = [row for row in ENDPOINTS if row.part.value != "query"]
    for row in rows:
        path = _path(row.path)
        example = row.takes.EXAMPLES[0] if row.takes.EXAMPLES else {}
        ours = [name for name in OURS if name not in _fields(row.takes)]
        answer = await api.ask(row.method, path, json=example | dict.fromkeys(ours, "x"))
        assert (answer.status, answer.code) == (422, "invalid_request"), row.path
        assert sorted(answer.pointers) == sorted(f"/{each}" for each in ours), row.path
    tell(f"A06: {len(OURS)} fields that are not the caller's to say, in {len(rows)} bodies: all refused")


def _fields(model: type[Incoming]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


async def test_a14_open_routes_tell_nothing_of_anybody(
    api: Api, session: aiohttp.ClientSession, tell: Callable[[str], None]
):
    number = "+33639980903"
    sent = await api.post("/v1/messages", {"to": number, "text": "A14 secret text", "reference": "A14-word"})
    assert sent.status == 202
    for row in OPEN_ENDPOINTS:
        async with session.get(api.url + row.path) as answer:
            text = await answer.text()
            assert answer.status == 200
        for secret in (number, number[1:], "A14", sent.document["id"], api.token or ""):
            assert secret not in text, row.path
    tell(f"A14: {len(OPEN_ENDPOINTS)} routes without a token tell no number, text, reference, id or token")


async def test_a13_every_answer_protects_itself(api: Api, session: aiohttp.ClientSession, tell: Callable[[str], None]):
    asked = [(row.method, row.path) for row in ROWS] + [("GET", "/nowhere"), ("PUT", "/v1/messages")]
    for method, path in asked:
        filled = re.sub(r"\{[a-z]+\}", "0" * 32, path)
        async with session.request(method, api.url + filled) as answer:
            fields = answer.headers
        policy = fields["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy), path
        assert not any("unsafe" in each or "script-src" in each for each in policy)
        assert (fields["X-Content-Type-Options"], fields["Referrer-Policy"]) == ("nosniff", "no-referrer")
        assert (fields["Cache-Control"], fields["Server"]) == ("no-store", "tocsin")
        assert "Access-Control-Allow-Origin" not in fields
    tell(f"A13: {len(asked)} routes: no frame, no script, no other type, no copy, no referrer")


class _Page(HTMLParser):
    """What stands in a page: ids, links, and tags that could run or fetch something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert name in {"id", "href", "class", "lang", "charset", "name", "content"}, (tag, name)
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")


async def test_the_page_shows_every_route_and_fetches_nothing(api: Api, session: aiohttp.ClientSession):
    async with session.get(f"{api.url}/docs") as answer:
        text = await answer.text()
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "style-src 'sha256-" in answer.headers["Content-Security-Policy"]
    page = _Page(text)
    assert not page.tags & {"script", "img", "link", "iframe", "form", "object"}
    assert len(page.ids) == len(set(page.ids))
    assert {link for link in page.links if not link.startswith("#")} == {"/openapi.json"}
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    for row in ROWS:
        assert f"<code>{row.method} {row.path}</code>" in text
    assert text.count("<pre>curl") == len(ROWS)


async def test_both_are_for_our_own_names_alone(api: Api):
    for path in ("/openapi.json", "/docs"):
        answer = await api.get(path, headers={"Host": "evil.example"})
        assert (answer.status, answer.code) == (421, "host_not_allowed")


async def test_what_has_no_body_and_no_answer_says_so(described: dict[str, Any]):
    shapes = described["components"]["schemas"]
    assert shapes[Nothing.__name__].get("properties", {}) == {}
    assert shapes[NoFields.__name__]["additionalProperties"] is False
    assert "additionalProperties" not in json.dumps(
        {name: shape for name, shape in shapes.items() if name.endswith("Page")}
    )


class _Sent(BaseModel):
    """What another system sends."""

    to: str
    text: str


class _Taken(BaseModel):
    """What it is answered."""

    ok: bool


async def _take(request: aiohttp.web.Request, services: Services) -> aiohttp.web.Response:
    """Take a message from another system. It knows nothing of ours."""
    raise NotImplementedError


def _intake(*credentials: Credential, **said: Any) -> Intake:
    return Intake("POST", "/other/{sid}", _take, HttpProblem.response, "Other", credentials=credentials, **said)


async def test_ways_in_of_other_systems_are_described_in_their_own_words():
    answers = (
        Reply(200, "taken", model=_Taken),
        Reply(200, "taken, for old ones", "text/plain"),
        Reply(403, "no good token", "text/plain"),
        Reply(413, "too long", "text/plain"),
    )
    media = ("application/json", "application/x-www-form-urlencoded")
    intake = _intake(
        BASIC, Credential("header", "X-API-Key"), Credential("form", "key"), body=_Sent, media=media, answers=answers
    )
    document = document_of_tables(Tables(ENDPOINTS, OPEN_ENDPOINTS, [intake]))
    validate(document)
    operation = document["paths"]["/other/{sid}"]["post"]
    assert operation["tags"] == ["Other"]
    assert operation["summary"] == "Take a message from another system"
    # A field of a form is none of the places that OpenAPI knows: it stands in the shape of the body.
    assert operation["security"] == [{"basic": ["send"]}, {"header-X-API-Key": ["send"]}]
    assert operation["requestBody"]["content"].keys() == set(media)
    told = operation["responses"]
    assert told["200"]["content"].keys() == {"application/json", "text/plain"}
    # The guard refuses in ours, the system in its own.
    assert told["413"]["content"].keys() == {"application/problem+json", "text/plain"}
    assert {"403", "421", "500"} <= told.keys()
    assert "-u &quot;tocsin:$TOCSIN_TOKEN&quot;" in page_of_document(document)
