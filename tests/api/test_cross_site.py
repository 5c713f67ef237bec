"""What a browser sends for a page of another site is refused before anybody looks at a token."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from support.http import Api, raw

from api.app import ENDPOINTS
from gateway.config.settings import ApiSettings, ListenAddress

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROXIED = ApiSettings((ListenAddress("127.0.0.1", 0),), ("sms.example", "localhost:8443"), ())


def _own(url: str) -> str:
    return url.removeprefix("http://")


@pytest.mark.parametrize(
    "fields",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://{own}.evil.example"},
        {"Origin": "ftp://{own}"},
        {"Origin": "{own}"},
        # Another port of this machine may be anybody's.
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "Cross-Site"},
        {"Sec-Fetch-Site": "of-tomorrow"},
        {"Origin": "http://{own}", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_a_page_of_another_site(api: Api, fields: dict[str, str]):
    given = {name: value.replace("{own}", _own(api.url)) for name, value in fields.items()}
    for method, path in (("GET", "/v1/modems"), ("POST", "/v1/messages"), ("OPTIONS", "/v1/messages"), ("GET", "/no")):
        for token in (api.token, None, "tocsin_wrong"):
            answer = await api.with_token(token).ask(method, path, headers=given)
            assert (answer.status, answer.code) == (403, "cross_site")
    assert (await api.get("/healthz", headers=given)).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Origin": "http://{own}"},
        {"Origin": "HTTP://{own}", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_our_own_pages_and_programs(api: Api, fields: dict[str, str]):
    given = {name: value.replace("{own}", _own(api.url)) for name, value in fields.items()}
    assert (await api.get("/v1/modems", headers=given)).status == 200
    assert (await api.with_token(None).get("/v1/modems", headers=given)).status == 401


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("https://sms.example", "sms.example", 401),
        ("https://sms.example", "sms.example:443", 401),
        ("https://sms.example:443", "sms.example", 401),
        # A proxy that does not hand the name on: it stands in allowed_hosts.
        ("https://sms.example", "127.0.0.1", 401),
        ("http://localhost:8443", "127.0.0.1", 401),
        ("http://localhost:8444", "127.0.0.1", 403),
        ("https://sms.example:8443", "127.0.0.1", 403),
        ("https://www.sms.example", "sms.example", 403),
    ],
)
async def test_behind_a_proxy(serve, origin: str, host: str, status: int):
    octets = f"GET /v1/modems HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n\r\n"
    assert (await raw(await serve(PROXIED), octets.encode())).status == status


async def test_a_page_that_lets_its_name_lead_here(api: Api, tell: Callable[[str], None]):
    """A browser on this machine that a page of evil.example uses: every route, as each way of asking looks."""
    port = api.url.rpartition(":")[2]
    rebound = {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}", "Sec-Fetch-Site": "same-origin"}
    plain = {"Host": f"evil.example:{port}"}
    across = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}
    preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    routes = sorted({(each.method, each.path.replace("{", "").replace("}", "")) for each in ENDPOINTS})
    found: dict[tuple[int, str], int] = {}
    for (method, path), fields in product(routes, (rebound, plain, across)):
        answer = await api.ask(method, path, headers=fields, data=b"{}" if method == "POST" else None)
        found[answer.status, answer.code] = found.get((answer.status, answer.code), 0) + 1
    for path in {path for _, path in routes}:
        # What came back was looked at for CORS fields, as every answer of these tests is.
        assert (await api.with_token(None).ask("OPTIONS", path, headers=preflight)).code == "cross_site"
    tell(f"A08: {len(routes)} routes asked by a rebound page and across sites: {found}; no CORS field")
    assert found == {(421, "host_not_allowed"): 2 * len(routes), (403, "cross_site"): len(routes)}


async def test_nothing_is_let_in_because_it_comes_from_this_machine(api: Api, tell: Callable[[str], None]):
    port, asked = api.url.rpartition(":")[2], 0
    for endpoint in ENDPOINTS:
        for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
            path = endpoint.path.replace("{", "").replace("}", "")
            answer = await api.with_token(None).ask(endpoint.method, path, headers={"Host": host})
            assert (answer.status, answer.code) == (401, "unauthorized")
            asked += 1
    tell(f"A07: {asked} requests from this machine without a token: all 401")
