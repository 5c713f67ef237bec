"""HTTP itself: unknown routes, wrong methods, octets that are no HTTP, and clients that dawdle."""

from __future__ import annotations

import asyncio
import logging

import pytest
from support.http import Api, checked, raw, read_answer

import api.body
import api.server
from api.answers import COMMON_FIELDS
from gateway.config.settings import ApiSettings, ListenAddress
from gateway.daemon import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

SETTINGS = ApiSettings((ListenAddress("127.0.0.1", 0),), (), ())


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v1/message", "/v1/messages/", "//v1/messages", "/v1/messages/a/b", "/%2e%2e/", "/é"]
)
async def test_unknown_routes(api: Api, path: str):
    answer = await api.get(path)
    assert (answer.status, answer.code) in {(404, "route_not_found"), (404, "message_not_found")}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/messages", "DELETE,GET,HEAD,POST"),
        ("OPTIONS", "/v1/messages", "DELETE,GET,HEAD,POST"),
        ("DELETE", "/v1/pause", "GET,HEAD,POST"),
        ("PATCH", "/v1/tokens/x", "DELETE"),
        ("POST", "/healthz", "GET,HEAD"),
        ("TRACE", "/v1/inbox", "GET,HEAD"),
    ],
)
async def test_wrong_methods(api: Api, method: str, path: str, allowed: str):
    answer = await api.ask(method, path)
    assert (answer.status, answer.code, answer.headers["allow"]) == (405, "method_not_allowed", allowed)


NUMBER = "33639980401"


@pytest.mark.parametrize(
    "octets",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32) + b"\r\n\r\n",
        b"nonsense " + NUMBER.encode() + b"\r\n\r\n",
        b"GET /v1/messages?to=" + NUMBER.encode() + b" HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : " + NUMBER.encode() + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 2000 + b"\r\n",
    ],
    ids=range(9),
)
async def test_what_is_no_http(bare: str, caplog: pytest.LogCaptureFixture, octets: bytes):
    with caplog.at_level(logging.DEBUG):
        answer = await raw(bare, octets, then_closed=True)
    assert (answer.status, answer.code) == (400, "bad_request")
    assert NUMBER not in str(answer.document) + caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "octets",
    [
        b"GET /" + NUMBER.encode() * 2000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + NUMBER.encode() * 2000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX" + NUMBER.encode() * 2000 + b": x\r\n\r\n",
    ],
    ids=["target", "value", "name"],
)
async def test_a_line_that_is_too_long(bare: str, caplog: pytest.LogCaptureFixture, octets: bytes):
    with caplog.at_level(logging.DEBUG):
        answer = await raw(bare, octets, then_closed=True)
    assert (answer.status, answer.code) == (431, "header_too_large")
    assert NUMBER not in str(answer.document) + caplog.text
    assert "Traceback" not in caplog.text


async def test_a_target_that_is_no_path(bare: str):
    port = bare.rpartition(":")[2]
    answer = await raw(bare, f"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    assert answer.status in {404, 405}


async def test_expectations(gateway: Gateway, bare: str):
    fields = f"Host: 127.0.0.1\r\nAuthorization: Bearer {gateway.admin_token}\r\nContent-Type: application/json\r\n"
    refused = await raw(bare, f"POST /v1/messages HTTP/1.1\r\n{fields}Expect: coffee\r\n\r\n".encode())
    assert (refused.status, refused.code) == (417, "expectation_failed")
    host, port = bare.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /v1/messages HTTP/1.1\r\n{fields}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    writer.write(head.encode())
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"{}")
    answer = await read_answer(reader)
    assert (answer.status, answer.pointers) == (422, ["/to", "/text"])
    writer.close()
    await writer.wait_closed()


async def test_requests_in_one_go_are_answered_in_their_order(gateway: Gateway, bare: str):
    host, port = bare.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    fields = f"Host: 127.0.0.1\r\nAuthorization: Bearer {gateway.admin_token}\r\n\r\n"
    writer.write("".join(f"GET {path} HTTP/1.1\r\n{fields}" for path in ("/healthz", "/v1/inbox", "/no")).encode())
    assert [(await read_answer(reader)).status for _ in range(3)] == [200, 200, 404]
    writer.close()
    await writer.wait_closed()


async def test_slow_header_fields_end_with_the_connection(serve, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(api.server.SERVER_LIMITS, "keepalive_timeout", 0.05)
    host, port = (await serve(SETTINGS)).removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_a_slow_body_ends_with_408(bare: str, gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(api.body, "_BODY_TIMEOUT_S", 0.05)
    head = (
        f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {gateway.admin_token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    )
    answer = await raw(bare, head.encode())
    assert (answer.status, answer.code, answer.headers["connection"]) == (408, "request_timeout", "close")


async def test_a_body_that_is_badly_framed(bare: str, gateway: Gateway):
    head = (
        f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {gateway.admin_token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    )
    assert (await raw(bare, head.encode())).status == 400


async def test_a_client_that_leaves_in_the_middle_leaves_no_trace(bare: str, gateway: Gateway, caplog):
    host, port = bare.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {gateway.admin_token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{".encode()
    )
    await writer.drain()
    writer.transport.abort()
    assert (await raw(bare, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")).status == 200
    assert caplog.records == []


async def test_the_check_of_answers_sees_what_it_looks_for():
    good = dict(COMMON_FIELDS)
    with pytest.raises(AssertionError):
        checked(200, good | {"Content-Type": "text/html"}, b"{}")
    with pytest.raises(AssertionError):
        checked(200, good | {"Content-Type": "application/json", "Referrer-Policy": "origin"}, b"{}")
    with pytest.raises(AssertionError):
        checked(200, good | {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}, b"{}")
    with pytest.raises(KeyError):
        checked(404, good | {"Content-Type": "application/problem+json"}, b"{}")
