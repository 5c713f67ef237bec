"""Many messages in one request: a JSON batch of all or none, or a stream of lines, each for itself."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from http import HTTPStatus
from typing import Final, TypeAlias

from aiohttp import web

from api.answers import answer, to_json
from api.auth import principal_of
from api.body import JSON_TYPE, check_type, object_of, read_object
from api.endpoint import Call
from api.idempotency import idempotency_key, refuse_key
from api.models.batch import BatchIn, KeyedMessageIn, accepted_out, bounded_batch
from api.models.fields import NoQuery
from api.ndjson import NDJSON, groups, line_too_long
from api.problems import HttpProblem, document_of
from api.spool import Spool
from api.validation import validated
from gateway.errors import GatewayError
from gateway.requests import Accepted, Submission

#: Lines that share a commit: a flush is cheap for each of them, and nobody waits long behind them.
_GROUP: Final = 200

# What is wrong with each line of a group already; None for one that was handed on.
_Layout: TypeAlias = Sequence[HttpProblem | None]


async def create(call: Call, _: NoQuery) -> web.StreamResponse:
    """Accept many messages; what the body is says how."""
    if check_type(call.request, JSON_TYPE, NDJSON) == NDJSON:
        return await _create_each(call)
    return await _create_all(call)


async def _create_all(call: Call) -> web.Response:
    """All or none, in one commit."""
    key = idempotency_key(call.request)
    wanted = validated(BatchIn, bounded_batch(await read_object(call.request)))
    submissions = [message.submission() for message in wanted.messages]
    accepted = await call.services.messages.create_all(call.principal, submissions, key)
    return answer({"items": [accepted_out(each) for each in accepted]}, HTTPStatus.ACCEPTED)


async def _create_each(call: Call) -> web.StreamResponse:
    """Each line for itself: the body is read to its end, then there is an answer line for each line, in their order."""
    refuse_key(call.request)
    layouts: deque[_Layout] = deque()
    with Spool() as spool:
        async with (
            aclosing(_submissions(call, layouts)) as submissions,
            aclosing(call.services.messages.create_each(call.principal, submissions)) as results,
        ):
            async for result in results:
                for line in _lines(layouts.popleft(), result):
                    spool.write(to_json(line) + b"\n")
        return await spool.answer(call.request, NDJSON)


async def _submissions(call: Call, layouts: deque[_Layout]) -> AsyncGenerator[list[Submission]]:
    """The messages of each group of lines; what is none of a message is put into the group's layout."""
    async for lines in groups(call.request, _GROUP):
        # A body may be hours under way, and its token revoked meanwhile.
        refusal = _refusal(call)
        read = [refusal or _submission(line) for line in lines]
        layouts.append([each if isinstance(each, HttpProblem) else None for each in read])
        yield [each for each in read if isinstance(each, Submission)]


def _refusal(call: Call) -> HttpProblem | None:
    try:
        principal_of(call.request, call.services.tokens, "send")
    except HttpProblem as problem:
        return problem
    return None


def _submission(line: bytes | None) -> Submission | HttpProblem:
    if line is None:
        return line_too_long()
    try:
        return validated(KeyedMessageIn, object_of(line)).submission()
    except HttpProblem as problem:
        return problem


def _lines(layout: _Layout, results: Sequence[Accepted | GatewayError]) -> Iterator[dict[str, object]]:
    """The answer lines of a group."""
    following = iter(results)
    for wrong in layout:
        outcome = wrong or next(following)
        yield accepted_out(outcome) if isinstance(outcome, Accepted) else {"error": document_of(outcome)}
