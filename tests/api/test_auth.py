"""Every route × every token that is not good enough. A new route is in this table by being in the application's."""

from __future__ import annotations

import pytest
from support.http import Api

from api.app import ENDPOINTS, OPEN_ENDPOINTS
from gateway.requests import SCOPES

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUTES = [(endpoint.method, endpoint.path, endpoint.scope) for endpoint in ENDPOINTS]
NAMES = [f"{method} {path}" for method, path, _ in ROUTES]
UNKNOWN = "tocsin_" + "A" * 43

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


def _path(pattern: str) -> str:
    return pattern.replace("{id}", "0" * 32).replace("{name}", "sim1")


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES, ids=NAMES)
async def test_a_token_that_is_not_known_is_refused_in_one_way(api: Api, method: str, path: str, scope: str):
    nobody = api.with_token(None)
    answers = {
        name: await nobody.ask(method, _path(path), headers={} if field is None else {"Authorization": field})
        for name, field in BAD.items()
    }
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(BAD, 401)
    assert len({str(answer.document) for answer in answers.values()}) == 1
    assert {answer.headers["www-authenticate"] for answer in answers.values()} == {'Bearer realm="tocsin"'}
    assert answers["none"].code == "unauthorized"


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES, ids=NAMES)
async def test_a_token_without_the_scope_is_refused(api: Api, holder, method: str, path: str, scope: str):
    enough = {scope, "admin"} | ({"read:all"} if scope == "read" else set())
    under = await holder(*(each for each in SCOPES if each not in enough))
    answer = await under.ask(method, _path(path))
    assert (answer.status, answer.code) == (403, "scope_missing")
    assert f'scope="{scope}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES, ids=NAMES)
async def test_each_scope_that_is_enough_is_let_in(holder, method: str, path: str, scope: str):
    for enough in {scope, "admin"} | ({"read:all"} if scope == "read" else set()):
        # A query name that nobody knows shows that the token was let in, and changes nothing.
        answer = await (await holder(enough)).ask(method, _path(path) + "?nonsense=1")
        assert (answer.status, answer.pointers[-1:]) == (422, ["nonsense"])


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES, ids=NAMES)
async def test_a_revoked_token_is_refused_like_an_unknown_one(api: Api, method: str, path: str, scope: str):
    name = f"revoked-{method}-{path.strip('/').replace('/', '.').replace('{', '').replace('}', '')}"
    made = await api.post("/v1/tokens", {"name": name, "scopes": ["admin"]})
    former = api.with_token(made.document["token"])
    assert (await former.get("/v1/tokens")).status == 200
    assert (await api.delete(f"/v1/tokens/{name}")).status == 200
    assert (await former.ask(method, _path(path))).document == (await api.with_token(UNKNOWN).get("/v1/inbox")).document


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
    assert {endpoint.path for endpoint in OPEN_ENDPOINTS} == {"/healthz", "/readyz"}
