"""Alerts of Prometheus' Alertmanager and of Grafana, which sends the same shape with more fields.

Shapes: prometheus.io/docs/alerting, "Webhook receiver", version 4; grafana.com/docs, "Webhook notifier". Both try again
after a 5xx and drop the alert after any 4xx. So whatever may become right is a 503, and what was committed before it is
known when the same comes again; a 422 means that nobody looked at it, or that some person can never be told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import web

from api import problems
from api.answers import answer
from api.body import JSON_TYPE, read_object
from api.endpoint import BASIC, BEARER, Intake, Reply
from api.intakes.credentials import principal_by_any
from api.intakes.refusals import retryable
from api.models.alerts import AlertsIn, HookQuery, TakenOut, told_out
from api.query import read_query
from api.validation import validated
from gateway.errors import Conflict, GatewayError, TooMany, Unavailable
from gateway.requests import Told
from gateway.services import Services

_RETRY_S: Final = 5


async def take(request: web.Request, services: Services) -> web.Response:
    """Tell people of alerts.

    Each person in `to` hears of each alert once when it fires and once when it is over; what he knows is not told
    again (`[hooks]` of the configuration). The answer says what became of them, person by person.
    """
    return await _taken("alertmanager", request, services)


async def take_grafana(request: web.Request, services: Services) -> web.Response:
    """Tell people of alerts of Grafana.

    As those of Alertmanager, whose shape it sends with more fields.
    """
    return await _taken("grafana", request, services)


async def _taken(system: str, request: web.Request, services: Services) -> web.Response:
    principal = principal_by_any(request, services.tokens, "send")
    wanted = validated(HookQuery, read_query(request, HookQuery.REPEATABLE), in_query=True)
    body = validated(AlertsIn, await read_object(request))
    told = await services.alerts.take(principal, system, [each.value() for each in body.alerts], wanted.people())
    return _answer(told)


def _answer(told: Sequence[Told]) -> web.Response:
    """Good if everybody was told or knew; else the refusal that is worth most, with what became of each."""
    document = {"items": [told_out(each) for each in told]}
    errors = [each.error for each in told if each.error is not None]
    if not errors:
        return answer(document)
    again = next((each for each in errors if isinstance(each, Unavailable | TooMany | Conflict)), None)
    chosen: GatewayError = again or errors[0]
    detail = f"{len(errors)} of {len(told)} people could not be told: {chosen.message}"
    status, fields = problems.document_of(chosen)["status"], dict[str, str]()
    if again is not None:
        status, fields["Retry-After"] = 503, str(max(1, getattr(again, "retry_after_s", _RETRY_S)))
    return problems.problem(int(str(status)), chosen.code, detail, fields=fields, members=document)


_ANSWERS: Final = (
    Reply(200, "everybody was told, or knew", model=TakenOut),
    Reply(400, "the body is not JSON", problems.PROBLEM),
    Reply(401, "no valid token", problems.PROBLEM),
    Reply(403, "the token may not send, not in this category, or not to segments", problems.PROBLEM),
    Reply(408, "the body did not arrive in time", problems.PROBLEM),
    Reply(413, "the body is too large", problems.PROBLEM),
    Reply(415, "the body is no JSON in UTF-8", problems.PROBLEM),
    Reply(422, "not the shape of alerts, or a number that nobody may be told at", problems.PROBLEM),
    Reply(503, "try again: what was told until now is not told twice", problems.PROBLEM),
    Reply(507, "the disk is full", problems.PROBLEM),
)


def _row(path: str, system: str, handler: Callable[[web.Request, Services], Awaitable[web.Response]]) -> Intake:
    return Intake(
        "POST",
        path,
        handler,
        retryable,
        system,
        credentials=(BEARER, BASIC),
        query=HookQuery,
        body=AlertsIn,
        media=(JSON_TYPE,),
        answers=_ANSWERS,
        codes=("alert_raced", "filter_too_slow", "segments_not_allowed", "to_invalid"),
    )


ROWS: Final = (
    _row("/hooks/alertmanager", "Prometheus Alertmanager", take),
    _row("/hooks/grafana", "Grafana", take_grafana),
)
