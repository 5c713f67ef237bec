"""Commands for modems of other hosts: left in the store, carried out there, answered within seconds.

The host that is asked checks and decides; its refusals come back as they are.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from gateway.clock import SECOND_US, Clock
from gateway.errors import Conflict, FieldError, GatewayError, InvalidRequest, NotFound, Unavailable
from gateway.store import commands
from gateway.store.database import Store
from gateway.store.schema import AnyRow

log = logging.getLogger(__name__)

#: How long somebody waits for an answer.
PATIENCE_US = 5 * SECOND_US
# Without a signal: the answer is looked for, and what others left is.
_ANSWER_LOOK_US = SECOND_US // 2
_WORK_LOOK_US = 2 * SECOND_US
_KINDS: Mapping[str, type[GatewayError]] = {
    kind.__name__: kind for kind in (InvalidRequest, Conflict, NotFound, Unavailable)
}

Handler = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class Commands:
    """Asks other hosts, and does what they ask."""

    def __init__(self, store: Store, clock: Clock, node: str) -> None:
        self._store = store
        self._clock = clock
        self._node = node
        self._left = asyncio.Event()
        self._answered = asyncio.Event()
        #: What this host does, by the name of the command; called with the modem's name and what was said.
        self.handlers: dict[str, Handler] = {}

    def nudge(self) -> None:
        """Something was left or answered."""
        self._left.set()
        # Whoever waits now is woken; who waits from now on has an event of his own.
        self._answered.set()
        self._answered = asyncio.Event()

    async def ask(self, node: str, modem: str, name: str, body: Mapping[str, object]) -> None:
        """Have it done by the host `node`.

        Raises what that host refuses it with; `Unavailable` with `host_silent` when it was not done, and with
        `command_in_doubt` when it was begun and nobody knows what came of it.
        """
        document = json.dumps(body)
        command_id = await self._store.write(
            lambda connection: commands.leave(connection, node, modem, name, document, patience_us=PATIENCE_US),
            hurried=True,
        )
        until_us = self._clock.now_us() + PATIENCE_US
        try:
            while self._clock.now_us() < until_us:
                answered = self._answered
                if await self._store.read(lambda connection: commands.result(connection, command_id)) is not None:
                    break
                await self._clock.wait(answered, min(self._clock.now_us() + _ANSWER_LOOK_US, until_us))
        finally:
            taken, result = await self._store.write(
                lambda connection: commands.remove(connection, command_id), hurried=True
            )
        if result is not None:
            _raise_refusal(json.loads(result))
        elif taken:
            raise Unavailable("command_in_doubt", f"host {node} has begun it and does not answer; it may be done")
        else:
            raise Unavailable("host_silent", f"host {node} does not answer; nothing was done")

    async def run(self) -> None:
        """Do what other hosts ask, until cancelled."""
        while True:
            self._left.clear()
            try:
                await self._work()
            except Unavailable as error:
                log.error("the store refused", extra={"action": "commands_refused", "code": error.code})
            except Exception:
                log.exception("commands failed", extra={"action": "commands_failed"})
            await self._clock.wait(self._left, self._clock.now_us() + _WORK_LOOK_US)

    async def _work(self) -> None:
        if not await self._store.read(lambda connection: commands.are_left(connection, self._node)):
            return
        for row in await self._store.write(lambda connection: commands.take(connection, self._node)):
            document = json.dumps(await self._do(row))
            await self._store.write(partial(commands.answer, command_id=row.id, document=document))

    async def _do(self, row: AnyRow) -> dict[str, object]:
        handler = self.handlers.get(row.name)
        try:
            if handler is None:
                raise Unavailable("command_unknown", f"host {self._node} does not know this command")
            await handler(row.modem, json.loads(row.body))
        except GatewayError as error:
            return {
                "kind": next((name for name, kind in _KINDS.items() if isinstance(error, kind)), Unavailable.__name__),
                "code": error.code,
                "message": error.message,
                "errors": [[each.pointer, each.message] for each in error.errors],
            }
        except Exception:
            log.exception("a command failed", extra={"action": "command_failed", "command": row.name})
            return {"kind": "Unavailable", "code": "command_failed", "message": "it failed there", "errors": []}
        return {}


def _raise_refusal(result: Mapping[str, Any]) -> None:
    """The other host's refusal, if it was one."""
    if not result:
        return
    kind = _KINDS[result["kind"]]
    error = kind(result["code"], result["message"])
    error.errors = tuple(FieldError(pointer, message) for pointer, message in result["errors"])
    raise error
