"""The Host field: our own names and addresses, and nobody else's."""

from __future__ import annotations

from itertools import product

import pytest
from support.http import Api, raw

from gateway.config.settings import ApiSettings, ListenAddress

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _settings(*listen: tuple[str, int], allowed: tuple[str, ...] = ()) -> ApiSettings:
    return ApiSettings(tuple(ListenAddress(host, port) for host, port in listen), allowed, ())


async def _status(url: str, host: str | None, target: str = "/v1/modems") -> tuple[int, str]:
    """Status and code of a request that names `host`; {port} stands for the port it is sent to."""
    port = url.rpartition(":")[2]
    field = "" if host is None else f"Host: {host}\r\n".replace("{port}", port)
    answer = await raw(url, f"GET {target.replace('{port}', port)} HTTP/1.1\r\n{field}\r\n".encode())
    return answer.status, answer.document.get("code", "")


LET_IN = (401, "unauthorized")
REFUSED = (421, "host_not_allowed")

LOOPBACK = _settings(("127.0.0.1", 7672), ("::1", 7673), allowed=("SMS.example", "proxy.example:8443", "[fd00::1]"))
NAMED = _settings(("localhost", 7672), ("gateway.example", 7673))
OPEN = _settings(("0.0.0.0", 0))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", LET_IN),
        ("127.0.0.1:7672", LET_IN),
        ("localhost", LET_IN),
        ("LocalHost:7672", LET_IN),
        ("localhost:7673", LET_IN),
        ("[::1]", LET_IN),
        ("[::1]:7673", LET_IN),
        ("sms.example", LET_IN),
        ("sms.EXAMPLE:443", LET_IN),
        ("proxy.example:8443", LET_IN),
        ("[fd00::1]", LET_IN),
        ("[fd00::1]:80", LET_IN),
        # RFC 9112, 3.2: a request without Host is not well-formed.
        (None, (400, "bad_request")),
        ("", REFUSED),
        ("evil.example", REFUSED),
        ("evil.example:7672", REFUSED),
        ("127.0.0.1.evil.example", REFUSED),
        ("localhost.evil.example", REFUSED),
        ("localhost.", REFUSED),
        ("127.0.0.1:80", REFUSED),
        ("127.0.0.1:{port}", REFUSED),
        ("[::1]:7672", REFUSED),
        ("127.1", REFUSED),
        ("0x7f.0.0.1", REFUSED),
        ("2130706433", REFUSED),
        ("proxy.example", REFUSED),
        ("proxy.example:443", REFUSED),
        ("sms.example:", REFUSED),
        ("sms.example:80a", REFUSED),
        ("127.0.0.1, evil.example", REFUSED),
        ("fd00::1", REFUSED),
    ],
)
async def test_names_of_a_gateway_on_loopback(serve, host: str | None, expected: tuple[int, str]):
    assert await _status(await serve(LOOPBACK), host) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:{port}", LET_IN),
        ("127.0.0.1", LET_IN),
        ("localhost:{port}", LET_IN),
        ("0.0.0.0:{port}", REFUSED),
        ("127.0.0.1:1", REFUSED),
        ("127.0.0.2:{port}", REFUSED),
        ("192.0.2.1:{port}", REFUSED),
        ("evil.example", REFUSED),
    ],
)
async def test_a_gateway_on_every_address_answers_to_the_one_it_was_reached_at(serve, host, expected):
    assert await _status(await serve(OPEN), host) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost:7672", LET_IN),
        ("gateway.example", LET_IN),
        ("Gateway.example:7673", LET_IN),
        ("gateway.example:7672", REFUSED),
        ("localhost:7673", REFUSED),
    ],
)
async def test_a_gateway_that_listens_on_names(serve, host: str, expected):
    assert await _status(await serve(NAMED), host) == expected


@pytest.mark.parametrize(
    ("authority", "host", "expected"),
    [
        ("127.0.0.1:7672", "127.0.0.1:7672", LET_IN),
        ("evil.example", "127.0.0.1:7672", REFUSED),
        ("127.0.0.1:7672", "evil.example", REFUSED),
    ],
)
async def test_a_target_in_absolute_form_is_held_to_the_same(serve, authority: str, host: str, expected):
    assert await _status(await serve(LOOPBACK), host, f"http://{authority}/v1/modems") == expected


async def test_health_answers_to_any_host(serve):
    url = await serve(LOOPBACK)
    for target, host in product(("/healthz", "/readyz"), ("evil.example", "")):
        assert (await _status(url, host, target))[0] in {200, 503}


async def test_an_old_client_without_host_is_refused(serve):
    answer = await raw(await serve(LOOPBACK), b"GET /v1/modems HTTP/1.0\r\n\r\n")
    assert (answer.status, answer.code) == REFUSED


async def test_a_strange_host_learns_nothing_of_routes(serve):
    url = await serve(LOOPBACK)
    for target in ("/", "/v1/nothing", "/healthz/x", "//healthz"):
        assert await _status(url, "evil.example", target) == REFUSED


async def test_the_host_comes_before_the_token(api: Api):
    answer = await api.get("/v1/modems", headers={"Host": "evil.example"})
    assert (answer.status, answer.code) == REFUSED
