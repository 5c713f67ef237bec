"""A01: every route × every token that is not good enough. A new route is here by being in the application's table."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import AsyncIterator, Callable, Mapping

import aiohttp
import pytest
import pytest_asyncio
from support.clock import START_US
from support.http import Api

from api.app import ENDPOINTS, INTAKES, OPEN_ENDPOINTS
from api.endpoint import Credential, Intake
from gateway.daemon import Gateway
from gateway.requests import SCOPES, NewToken
from gateway.store import tokens

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUTES = [(endpoint.method, endpoint.path, endpoint.scope) for endpoint in ENDPOINTS]
NAMES = [f"{method} {path}" for method, path, _ in ROUTES]
FOREIGN = [(intake, credential) for intake in INTAKES for credential in intake.credentials]
UNKNOWN = "tocsin_" + "A" * 43
ADDRESSES = itertools.count(1)

#: What stands in the Authorization field, and is no valid token.
BAD = {
    "none": None,
    "empty": "",
    "scheme alone": "Bearer",
    "scheme and blank": "Bearer ",
    "no scheme": UNKNOWN,
    "another scheme": f"Basic {UNKNOWN}",
    "two words": f"Bearer {UNKNOWN} {UNKNOWN}",
    "a comma list": f"Bearer {UNKNOWN}, Bearer {UNKNOWN}",
    "not ASCII": "Bearer é\u2028",
    "unknown": f"Bearer {UNKNOWN}",
    "long": "Bearer " + "x" * 4000,
}


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(api: Api) -> AsyncIterator[Api]:
    """Somebody without a token, from an address of his own: who offers many wrong ones from one is told to wait."""
    connector = aiohttp.TCPConnector(local_addr=(f"127.0.1.{next(ADDRESSES)}", 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        yield Api(session, api.url, None)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def former(api: Api) -> str:
    """A token that was revoked."""
    made = await api.post("/v1/tokens", {"name": "former", "scopes": ["admin"]})
    assert (await api.with_token(made.document["token"]).get("/v1/tokens")).status == 200
    assert (await api.delete("/v1/tokens/former")).status == 200
    return made.document["token"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def over(gateway: Gateway, former: str) -> dict[str, str]:
    """Tokens that were good: one was revoked, one was made a day ago for an hour."""
    secret, day_us = UNKNOWN.replace("A", "E"), 24 * 3600 * 1_000_000
    new = NewToken("expired", ("admin",), expires_us=START_US - day_us + 3600 * 1_000_000)
    held = hashlib.sha256(secret.encode()).digest()
    await gateway.services.tokens._store.write(lambda opened: tokens.add(opened, new, held, START_US - day_us))
    await gateway.services.tokens.load()
    return {"revoked": former, "expired": secret}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def with_scopes(holder) -> Callable:
    """The interface as somebody with just these scopes sees it; each is made once."""
    made: dict[frozenset[str], Api] = {}

    async def find(*scopes: str) -> Api:
        key = frozenset(scopes)
        if key not in made:
            made[key] = await holder(*sorted(key))
        return made[key]

    return find


def _enough(scope: str) -> set[str]:
    return {scope, "admin"} | ({"read:all"} if scope == "read" else set())


def _path(pattern: str) -> str:
    pattern = pattern.replace("{account}", "AC1").replace("{sid}", "SM" + "0" * 32)
    pattern = pattern.replace("{id}", "0" * 32).replace("{name}", "sim1")
    return pattern.replace("{number}", "+33639980105").replace("{pool}", "spring")


def _given(credential: Credential, secret: str) -> Mapping[str, object]:
    """The secret where another system puts it."""
    if credential.scheme == "bearer":
        return {"headers": {"Authorization": f"Bearer {secret}"}}
    if credential.scheme == "basic":
        pair = base64.b64encode(f"somebody:{secret}".encode()).decode()
        return {"headers": {"Authorization": f"Basic {pair}"}}
    place = {"header": "headers", "query": "params", "form": "data"}[credential.scheme]
    return {place: {credential.name: secret}}


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES, ids=NAMES)
async def test_a_token_that_is_not_known_is_refused_in_one_way(
    stranger: Api, over: dict[str, str], method: str, path: str, scope: str
):
    fields = BAD | {name: f"Bearer {secret}" for name, secret in over.items()}
    answers = {
        name: await stranger.ask(method, _path(path), headers={} if field is None else {"Authorization": field})
        for name, field in fields.items()
    }
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(fields, 401)
    assert len({str(answer.document) for answer in answers.values()}) == 1
    assert {answer.headers["www-authenticate"] for answer in answers.values()} == {'Bearer realm="tocsin"'}
    assert answers["none"].code == "unauthorized"


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES, ids=NAMES)
async def test_a_token_without_the_scope_is_refused(with_scopes, method: str, path: str, scope: str):
    under = await with_scopes(*(each for each in SCOPES if each not in _enough(scope)))
    answer = await under.ask(method, _path(path))
    assert (answer.status, answer.code) == (403, "scope_missing")
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES, ids=NAMES)
async def test_each_scope_that_is_enough_is_let_in(with_scopes, method: str, path: str, scope: str):
    for enough in _enough(scope):
        # A query name that nobody knows shows that the token was let in, and changes nothing.
        answer = await (await with_scopes(enough)).ask(method, _path(path) + "?nonsense=1")
        assert (answer.status, answer.pointers[-1:]) == (422, ["nonsense"])


@pytest.mark.parametrize(
    ("intake", "credential"), FOREIGN, ids=[f"{one.method} {one.path} {by.scheme}" for one, by in FOREIGN]
)
async def test_other_systems_are_refused_in_one_way_too(
    stranger: Api, over: dict[str, str], with_scopes, intake: Intake, credential: Credential
):
    async def ask(**given) -> tuple[int, bytes]:
        async with stranger.session.request(intake.method, stranger.url + _path(intake.path), **given) as answer:
            return answer.status, await answer.read()

    told = {reply.status for reply in intake.answers}
    none = await ask()
    assert none[0] in {401, 403} & told
    for secret in (UNKNOWN, "", "x" * 4000, *over.values()):
        assert await ask(**_given(credential, secret)) == none
    under = await with_scopes(*(each for each in SCOPES if each not in _enough(intake.scope)))
    assert under.token is not None
    assert (await ask(**_given(credential, under.token)))[0] in {401, 403} & told


async def test_the_table_of_refusals_has_every_route(tell: Callable[[str], None]):
    ways = len(BAD) + 3
    tell(f"A01: {len(ROUTES)} routes × {ways} tokens, {len(FOREIGN)} ways in of other systems × 7: all refused alike")
    assert len(set(NAMES)) == len(ENDPOINTS)
    without = {intake.path for intake in INTAKES} - {intake.path for intake, _ in FOREIGN}
    assert all(path.startswith("/3rdparty/v1/health") for path in without)


async def test_two_authorization_fields_are_refused(api: Api, session):
    fields = [("Authorization", f"Bearer {api.token}")] * 2
    async with session.get(api.url + "/v1/modems", headers=fields) as response:
        assert response.status in {400, 401}


async def test_the_scheme_is_read_whatever_its_case(api: Api):
    nobody = api.with_token(None)
    for field in (f"bearer {api.token}", f"BEARER  {api.token} "):
        assert (await nobody.get("/v1/modems", headers={"Authorization": field})).status == 200


async def test_a_token_elsewhere_than_in_the_field_does_not_count(api: Api):
    nobody = api.with_token(None)
    assert (await nobody.get("/v1/modems", headers={"Cookie": f"token={api.token}"})).status == 401
    assert (await nobody.get(f"/v1/modems?access_token={api.token}")).status == 401


async def test_the_body_is_not_looked_at_before_the_token(api: Api):
    nobody = api.with_token(None)
    assert (await nobody.ask("POST", "/v1/messages", data=b"{")).status == 401


async def test_no_other_route_goes_without_a_token():
    assert {endpoint.path for endpoint in OPEN_ENDPOINTS} <= {
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs",
    }
