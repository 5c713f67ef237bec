"""Credentials as other systems send them: HTTP Basic (RFC 7617), with the token as the password.

The user name is what that system asks for, an account or a login. It says nothing here: a token is a secret that nobody
else has. Whoever adds a way in reads its secret with strictness and hands it to `api.auth.principal_with`.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from aiohttp import web

from api.auth import Authenticator, principal_of, principal_with
from api.problems import CHALLENGE, HttpProblem
from gateway.requests import Principal

#: RFC 7617, 2.1: what a client may send that has letters outside ASCII.
BASIC_CHALLENGE: Final = 'Basic realm="tocsin", charset="UTF-8"'
_AS_BASIC: Final = "the password of HTTP Basic credentials"


@dataclass(frozen=True, slots=True)
class Login:
    """What stood in the header field. The secret is in no representation of it, so in no log."""

    user: str
    secret: str = field(repr=False)


def login_of(request: web.Request) -> Login:
    """User and password of the only Authorization field. Raises the 401 problem for anything else."""
    fields = request.headers.getall("Authorization", ())
    scheme, _, encoded = fields[0].partition(" ") if len(fields) == 1 else ("", "", "")
    if scheme.lower() != "basic":
        raise _unauthorized()
    try:
        text = base64.b64decode(encoded.strip(" ").encode("ascii"), validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise _unauthorized() from None
    user, colon, secret = text.partition(":")
    # Control characters may stand in neither (RFC 7617, 2).
    if not colon or not secret or not text.isprintable():
        raise _unauthorized()
    return Login(user, secret)


def principal_by_basic(request: web.Request, tokens: Authenticator, scope: str) -> tuple[Principal, Login]:
    """The principal whose token is the password, and what was sent. Raises the 401 problem with a Basic challenge, or
    the 403 problem where the scope is missing."""
    login = login_of(request)
    try:
        return principal_with(request, tokens, login.secret, scope), login
    except HttpProblem as problem:
        raise challenged(problem) from None


def principal_by_any(request: web.Request, tokens: Authenticator, scope: str) -> Principal:
    """The same for systems that send the token as a bearer token as well."""
    fields = request.headers.getall("Authorization", ())
    try:
        if len(fields) == 1 and fields[0].partition(" ")[0].lower() == "bearer":
            return principal_of(request, tokens, scope)
        return principal_with(request, tokens, login_of(request).secret, scope)
    except HttpProblem as problem:
        how = f"Authorization: Bearer TOKEN, or {_AS_BASIC}"
        raise challenged(problem, how, f"{CHALLENGE}, {BASIC_CHALLENGE}") from None


def principal_by_header(request: web.Request, tokens: Authenticator, name: str, scope: str) -> Principal:
    """The principal whose token is the only value of this header field. Raises the 401 or 403 problem."""
    secrets = request.headers.getall(name, ())
    try:
        return principal_with(request, tokens, secrets[0] if len(secrets) == 1 else "", scope)
    except HttpProblem as problem:
        # No registered scheme fits, and a 401 has to name one (RFC 9110, 15.5.2).
        raise challenged(problem, f"{name}: TOKEN", f'{name} realm="tocsin"') from None


def challenged(problem: HttpProblem, how: str = _AS_BASIC, challenge: str = BASIC_CHALLENGE) -> HttpProblem:
    """A refusal that asks for a bearer token, so that it asks for what is sent here."""
    if problem.status == HTTPStatus.UNAUTHORIZED:
        # The same for every reason.
        return _unauthorized(how, challenge)
    if "WWW-Authenticate" not in problem.fields:
        return problem
    fields = {**problem.fields, "WWW-Authenticate": challenge}
    return HttpProblem(problem.status, problem.code, problem.detail, errors=problem.errors, fields=fields)


def _unauthorized(how: str = _AS_BASIC, challenge: str = BASIC_CHALLENGE) -> HttpProblem:
    detail = f"a valid token is needed, as {how}"
    fields = {"WWW-Authenticate": challenge}
    return HttpProblem(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, fields=fields)
