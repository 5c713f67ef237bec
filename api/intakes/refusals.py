"""Refusals in other systems' forms: the body is theirs, status and header fields are those of the problem."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from api import problems
from api.answers import JSON, to_json
from api.problems import HttpProblem
from gateway.errors import GatewayError


def problem_of(error: GatewayError | HttpProblem) -> web.Response:
    """The problem, for systems that show a person whatever came."""
    return error.response() if isinstance(error, HttpProblem) else problems.of_gateway(error)


def reworded(error: GatewayError | HttpProblem, document: object) -> web.Response:
    """A document of theirs instead of the problem."""
    response = problem_of(error)
    response.body = to_json(document)
    response.headers["Content-Type"] = JSON
    return response


def sentence_of(error: GatewayError | HttpProblem) -> str:
    """What a person is told: which field, and what is wrong with it."""
    return str(problems.document_of(error)["detail"])


def retryable(error: GatewayError | HttpProblem) -> web.Response:
    """The problem for systems that drop what was answered with any 4xx: what may be tried again is a 503."""
    response = problem_of(error)
    if response.status != HTTPStatus.TOO_MANY_REQUESTS:
        return response
    document = problems.document_of(error) | {"status": 503, "title": HTTPStatus.SERVICE_UNAVAILABLE.phrase}
    response.set_status(HTTPStatus.SERVICE_UNAVAILABLE)
    response.body = to_json(document)
    return response
