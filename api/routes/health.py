"""Alive and ready: for supervisors and load balancers, without token and without anything about anybody."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web

from api.answers import answer
from api.problems import problem
from gateway.services import Services

_RETRY_AFTER_S: Final = "5"


async def alive(_services: Services, _request: web.Request) -> web.Response:
    """The process answers."""
    return answer({"status": "ok"})


async def ready(services: Services, _request: web.Request) -> web.Response:
    """Messages can be accepted and a modem is usable; else the 503 problem says what is missing."""
    readiness = await services.health.ready()
    if readiness.ready:
        return answer({"ready": True, "reasons": list(readiness.reasons)})
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "not_ready",
        "; ".join(readiness.reasons),
        fields={"Retry-After": _RETRY_AFTER_S},
        members={"ready": False, "reasons": list(readiness.reasons)},
    )
