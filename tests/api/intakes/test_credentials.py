"""What stands in the Authorization field of other systems, and what is no login at all."""

from __future__ import annotations

import base64

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from api.intakes.credentials import BASIC_CHALLENGE, Login, login_of, principal_by_any, principal_by_basic
from api.problems import HttpProblem
from gateway.errors import Unauthorized
from gateway.requests import Principal

SECRET = "tocsin_" + "A" * 43


def _asked(*fields: str):
    return make_mocked_request("GET", "/", CIMultiDict([("Authorization", field) for field in fields]))


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


class _Tokens:
    """One token, that may send."""

    def authenticate(self, secret: str) -> Principal:
        if secret != SECRET:
            raise Unauthorized("token_unknown", "not known")
        return Principal(1, "one", frozenset({"send"}))


@pytest.mark.parametrize(
    ("field", "login"),
    [
        (_basic(f"AC1:{SECRET}"), Login("AC1", SECRET)),
        (_basic("AC1:with:colons"), Login("AC1", "with:colons")),
        (_basic(":alone"), Login("", "alone")),
        (_basic("é:ü"), Login("é", "ü")),
        (_basic("a:b").replace("Basic", "bAsIc"), Login("a", "b")),
    ],
)
def test_a_login_is_read(field: str, login: Login):
    assert login_of(_asked(field)) == login
    assert login.secret not in repr(login)


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["Basic"],
        ["Basic "],
        ["Basic !!!"],
        ["Basic YQ"],
        [_basic("no colon")],
        [_basic("no secret:")],
        [_basic("a:b\n")],
        ["Basic " + base64.b64encode(b"a:\xff").decode()],
        [f"Bearer {SECRET}"],
        [_basic("a:b"), _basic("a:b")],
    ],
)
def test_what_is_no_login_is_refused_with_a_challenge(fields: list[str]):
    with pytest.raises(HttpProblem) as refused:
        login_of(_asked(*fields))
    assert (refused.value.status, refused.value.fields) == (401, {"WWW-Authenticate": BASIC_CHALLENGE})


def test_the_password_is_the_token():
    principal, login = principal_by_basic(_asked(_basic(f"any:{SECRET}")), _Tokens(), "send")
    assert (principal.name, login.user) == ("one", "any")
    assert principal_by_any(_asked(_basic(f"any:{SECRET}")), _Tokens(), "send") == principal
    assert principal_by_any(_asked(f"Bearer {SECRET}"), _Tokens(), "send") == principal


@pytest.mark.parametrize(("secret", "scope", "status"), [("wrong", "send", 401), (SECRET, "admin", 403)])
@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_not_enough_is_refused_and_asked_for_as_a_password(secret: str, scope: str, status: int):
    with pytest.raises(HttpProblem) as refused:
        principal_by_basic(_asked(_basic(f"any:{secret}")), _Tokens(), scope)
    assert (refused.value.status, refused.value.fields["WWW-Authenticate"]) == (status, BASIC_CHALLENGE)
