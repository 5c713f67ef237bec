"""Every route is documented, every documented route exists."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import cast

from support.markdown import page

from api.app import create_app
from api.problems import STATUS_OF
from gateway.config.settings import ApiSettings
from gateway.requests import SCOPES
from gateway.services import Services

PAGE = page("docs/reference/http.md")
METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH")


def _routes() -> set[str]:
    """`METHOD /path` of what the application serves. Building it asks the services for nothing."""
    services = cast(
        "Services", SimpleNamespace(messages=None, inbox=None, optouts=None, modems=None, tokens=None, health=None)
    )
    app = create_app(services, ApiSettings(listen=(), allowed_hosts=(), allowed_countries=()))
    return {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource is not None and route.method in METHODS
    }


def _documented() -> set[str]:
    """The same, from code in the page; a query behind the path is left out."""
    pattern = re.compile(rf"\b({'|'.join(METHODS)}) (/[^\s`?]*)")
    return {f"{method} {path}" for method, path in pattern.findall("\n".join(PAGE.code))}


def test_the_page_lists_the_routes_and_no_others():
    assert _documented() == _routes()


def test_every_status_of_a_refusal_is_explained():
    told = set(re.findall(r"\b[45]\d\d\b", PAGE.section("Errors")))
    assert {str(int(status)) for status in STATUS_OF.values()} <= told


def test_scopes_are_those_of_the_code():
    told = set(re.findall(r"^\| `([a-z:]+)` \|", PAGE.section("Tokens and scopes"), re.MULTILINE))
    assert told == set(SCOPES)
