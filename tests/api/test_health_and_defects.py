"""Alive, ready, unavailable, full, broken: what is answered, and what is never said."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from support.clock import ManualClock
from support.http import Answer, Api, checked, raw
from support.settings import settings_in
from support.waiting import eventually

from api.app import create_app
from api.problems import STATUS_OF, of_gateway
from api.server import ApiRunner
from gateway.daemon import offline_services
from gateway.errors import (
    Conflict,
    FieldError,
    Forbidden,
    GatewayError,
    InvalidRequest,
    NotFound,
    StorageFull,
    StoreClosed,
    Unauthorized,
    Unavailable,
)
from gateway.requests import NewToken

pytestmark = pytest.mark.asyncio(loop_scope="session")

NUMBER = "+33639980501"
TEXT = "the text of somebody"


@pytest_asyncio.fixture(loop_scope="session")
async def broken(tmp_path: Path, session: aiohttp.ClientSession) -> AsyncIterator[Api]:
    """A gateway without modems, whose store lost its tables to somebody."""
    settings = settings_in(tmp_path)
    async with offline_services(settings, ManualClock()) as services:
        _, secret = await services.tokens.create(None, NewToken("tester", ("admin",)))
        with closing(sqlite3.connect(settings.store.path)) as raw:
            raw.executescript("PRAGMA foreign_keys = OFF; DROP TABLE message; DROP TABLE recipient; DROP TABLE token;")
        runner = ApiRunner(create_app(services, settings.api), handle_signals=False)
        await runner.setup()
        await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Api(session, "http://{}:{}".format(*runner.addresses[0][:2]), secret)
        await runner.cleanup()


async def _is_ready(nobody: Api) -> bool:
    return (await nobody.get("/readyz")).status == 200


async def test_alive_and_ready(api: Api):
    nobody = api.with_token(None)
    await eventually(lambda: _is_ready(nobody), what="a usable modem")
    alive, ready = await nobody.get("/healthz"), await nobody.get("/readyz?anything=1")
    assert (alive.status, alive.document) == (200, {"status": "ok"})
    assert (ready.status, ready.document) == (200, {"ready": True, "reasons": []})
    assert (await nobody.ask("HEAD", "/healthz")).status == 200


async def test_not_ready_says_what_is_missing(broken: Api):
    nobody = broken.with_token(None)
    answer = await nobody.get("/readyz")
    assert (answer.status, answer.code, answer.document["ready"]) == (503, "not_ready", False)
    assert "no modem is usable" in answer.document["reasons"]
    assert (await nobody.get("/healthz")).status == 200


async def test_what_nobody_expected_is_a_problem_and_a_line_without_anything_of_anybody(
    broken: Api, caplog: pytest.LogCaptureFixture
):
    answers = [
        await broken.post("/v1/messages", {"to": NUMBER, "text": TEXT}),
        await broken.get("/v1/messages", params={"to": NUMBER}),
        await broken.get("/v1/messages/" + "7" * 32),
        await broken.delete("/v1/tokens/name-of-a-token"),
    ]
    assert [answer.status for answer in answers] == [500] * 4
    assert {answer.code for answer in answers} == {"internal_error"}
    assert len(caplog.records) == 4
    record = vars(caplog.records[0])
    assert (record["levelno"], record["route"]) == (logging.ERROR, "POST /v1/messages")
    assert "OperationalError" in record["error"]
    assert "prepared.py:" in record["places"]
    routes = [vars(each)["route"] for each in caplog.records]
    assert routes[1:] == ["GET /v1/messages", "GET /v1/messages/{id}", "DELETE /v1/tokens/{name}"]
    said = str([answer.document for answer in answers]) + str([vars(each) for each in caplog.records])
    for secret in (NUMBER, NUMBER[1:], TEXT, "7" * 32, "name-of-a-token", str(broken.token), "Traceback"):
        assert secret not in said


class _Unsendable(aiohttp.web.Response):
    """An answer that fails on its way out."""

    async def prepare(self, request: aiohttp.web.BaseRequest) -> None:
        raise ValueError(NUMBER)


async def _fail(_: aiohttp.web.Request) -> aiohttp.web.Response:
    raise ValueError(NUMBER)


async def _fail_late(_: aiohttp.web.Request) -> aiohttp.web.Response:
    return _Unsendable()


@pytest_asyncio.fixture(loop_scope="session")
async def failing() -> AsyncIterator[str]:
    """The server alone, under an application that fails without telling it."""
    app = aiohttp.web.Application()
    app.router.add_get("/early", _fail)
    app.router.add_get("/late", _fail_late)
    runner = ApiRunner(app, handle_signals=False)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    yield "http://{}:{}".format(*runner.addresses[0][:2])
    await runner.cleanup()


async def test_the_server_itself_says_as_little(failing: str, caplog: pytest.LogCaptureFixture):
    answer = await raw(failing, b"GET /early HTTP/1.1\r\nHost: a\r\n\r\n", then_closed=True)
    assert (answer.status, answer.code) == (500, "internal_error")
    with pytest.raises(asyncio.IncompleteReadError):
        await raw(failing, b"GET /late HTTP/1.1\r\nHost: a\r\n\r\n")
    assert [vars(record)["error"] for record in caplog.records] == ["ValueError", "ValueError"]
    assert NUMBER not in str([vars(record) for record in caplog.records])


def _answer(error: GatewayError) -> Answer:
    response = of_gateway(error)
    assert isinstance(response.body, bytes)
    return checked(response.status, dict(response.headers), response.body)


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (InvalidRequest("text_empty", "is empty"), 422, None),
        (NotFound("message_not_found", "no"), 404, None),
        (Conflict("not_cancelable", "no"), 409, None),
        (Unauthorized("token_unknown", "no"), 401, None),
        (Forbidden("category_not_allowed", "no"), 403, None),
        (Unavailable("stopping", "no", retry_after_s=7), 503, "7"),
        (Unavailable("stopping", "no", retry_after_s=0), 503, "1"),
        (StoreClosed(), 503, "5"),
        (StorageFull("storage_full", "no", retry_after_s=60), 507, "60"),
    ],
)
async def test_every_refusal_has_its_status(error: GatewayError, status: int, retry_after: str | None):
    answer = _answer(error)
    assert (answer.status, answer.code) == (status, error.code)
    assert answer.headers.get("retry-after") == retry_after


async def test_no_refusal_is_without_a_status():
    # ConfigurationError is told before there is any HTTP.
    assert set(STATUS_OF) == {*GatewayError.__subclasses__(), *Unavailable.__subclasses__()} - {StoreClosed}


@pytest.mark.parametrize(
    ("errors", "detail"),
    [
        ([], "first"),
        ([FieldError("/to", "first")], "to: first"),
        ([FieldError("", "first")], "body: first"),
        ([FieldError("limit", "first")], "limit: first"),
        ([FieldError("/to", "first"), FieldError("/text", "second")], "to: first (and 1 more)"),
        ([FieldError("/to", "another")], "first"),
    ],
)
async def test_the_sentence_names_the_field(errors: list[FieldError], detail: str):
    assert _answer(InvalidRequest("c", "first", errors=errors)).document["detail"] == detail


@pytest.mark.parametrize("host", ["xn--", "xn--zzzz99999999--", "xn--" + "a" * 70])
async def test_a_host_that_idna_does_not_know_is_answered_like_any_other_stranger(
    api: Api, host: str, caplog: pytest.LogCaptureFixture
):
    answer = await raw(api.url, f"GET http://{host}/healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert answer.status in {200, 421}
    assert not caplog.records
