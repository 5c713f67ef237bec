"""Who is asking: the bearer token of RFC 6750 and the scope that a route wants.

Only the header field counts: no cookie, no query name, so a page in a browser has nothing to misuse.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, Protocol

from aiohttp import web

from api.connections import vouch
from api.problems import CHALLENGE, HttpProblem
from api.throttle import wrong_token
from gateway.errors import Unauthorized
from gateway.requests import Principal

# One sentence for every reason, so that an answer does not tell a guesser how near he is.
_UNAUTHORIZED: Final = "a valid token is needed, as Authorization: Bearer TOKEN"


class Authenticator(Protocol):
    """The part of the token service that is needed here."""

    def authenticate(self, secret: str) -> Principal:
        """The token's principal, or `Unauthorized`."""
        ...


def principal_of(request: web.Request, tokens: Authenticator, scope: str) -> Principal:
    """The principal behind the request. Raises the 401 problem, or the 403 problem where the scope is missing."""
    return principal_with(request, tokens, _bearer_token(request), scope)


def principal_with(request: web.Request, tokens: Authenticator, secret: str, scope: str) -> Principal:
    """The same for a secret that stands elsewhere in the request, as other systems' credentials do.

    Who guesses gets the 429 problem. A right token is let in whatever its address has guessed.
    """
    try:
        principal = tokens.authenticate(secret)
    except Unauthorized:
        wait_s = wrong_token(request.transport, tokens)
        raise (_unauthorized() if wait_s is None else _too_many_guesses(wait_s)) from None
    vouch(request)
    if not principal.may(scope):
        raise _scope_missing(scope)
    return principal


def _bearer_token(request: web.Request) -> str:
    """The token of the only Authorization field (RFC 6750, 2.1; the scheme's case does not matter)."""
    credentials = request.headers.getall("Authorization", ())
    scheme, _, token = credentials[0].partition(" ") if len(credentials) == 1 else ("", "", "")
    token = token.strip(" ")
    # isprintable: what header octets outside ASCII become cannot even be hashed.
    if scheme.lower() != "bearer" or not token.isascii() or not token.isprintable() or not token or " " in token:
        raise _unauthorized()
    return token


def _unauthorized() -> HttpProblem:
    return HttpProblem(HTTPStatus.UNAUTHORIZED, "unauthorized", _UNAUTHORIZED, fields={"WWW-Authenticate": CHALLENGE})


def _too_many_guesses(wait_s: int) -> HttpProblem:
    return HttpProblem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too_many_guesses",
        "too many wrong tokens came from this address; a valid one is taken at once",
        fields={"Retry-After": str(wait_s)},
    )


def _scope_missing(scope: str) -> HttpProblem:
    challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'
    return HttpProblem(
        HTTPStatus.FORBIDDEN,
        "scope_missing",
        f"this token does not have the scope {scope}",
        fields={"WWW-Authenticate": challenge},
    )
