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

#: How long somebody waits for it to be begun, and for an answer to what takes no time.
PATIENCE_US = 5 * SECOND_US
# Without a signal: the answer is looked for, and what others left is.
_ANSWER_LOOK_US = SECOND_US // 2
_WORK_LOOK_US = 2 * SECOND_US
_KINDS: Mapping[str, type[GatewayError]] = {
    kind.__name__: kind for kind in (InvalidRequest, Conflict, NotFound, Unavailable)
}

#: Takes the modem's name and what was said; what it returns goes back, as JSON.
Handler = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class Commands:
    """Asks other hosts, and does what they ask."""

    def __init__(self, store: Store, clock: Clock, node: str) -> None:
        self._store = store
        self._clock = clock
        self._node = node
        self._left = asyncio.Event()
        self._answered = asyncio.Event()
        self._doing: set[asyncio.Task[None]] = set()
        #: What this host does, by the name of the command; called with the modem's name and what was said.
        self.handlers: dict[str, Handler] = {}

    def nudge(self) -> None:
        """Something was left or answered."""
        self._left.set()
        # Whoever waits now is woken; who waits from now on has an event of his own.
        self._answered.set()
        self._answered = asyncio.Event()

    async def ask(
        self, node: str, modem: str, name: str, body: Mapping[str, object], *, patience_us: int = PATIENCE_US
    ) -> Mapping[str, Any]:
        """Have it done by the host `node`, which may take so long once it has begun; what it answers.

        Raises what that host refuses it with; `Unavailable` with `host_silent` when it was not done, and with
        `command_in_doubt` when it was begun and nobody knows what came of it. Nothing of it is left in the store.
        """
        document = json.dumps(body)
        command_id = await self._store.write(
            lambda connection: commands.leave(connection, node, modem, name, document, patience_us=PATIENCE_US),
            hurried=True,
        )
        try:
            await self._answer_to(command_id, patience_us)
        finally:
            taken, result = await self._store.write(
                lambda connection: commands.remove(connection, command_id), hurried=True
            )
        if result is not None:
            return _answer_of(json.loads(result))
        if taken:
            raise Unavailable("command_in_doubt", f"host {node} has begun it and does not answer; it may be done")
        raise Unavailable("host_silent", f"host {node} does not answer; nothing was done")

    async def _answer_to(self, command_id: int, patience_us: int) -> None:
        """Wait until it is answered, or was not begun, or not answered, in time."""
        asked_us = self._clock.now_us()
        begin_us, until_us = asked_us + PATIENCE_US, asked_us + max(patience_us, PATIENCE_US)
        while (now_us := self._clock.now_us()) < until_us:
            answered = self._answered
            begun, done = await self._store.read(lambda connection: commands.standing(connection, command_id))
            if done or (not begun and now_us >= begin_us):
                return
            await self._clock.wait(answered, min(now_us + _ANSWER_LOOK_US, until_us))

    async def run(self) -> None:
        """Do what other hosts ask, until cancelled. What takes long does not keep the rest waiting."""
        try:
            while True:
                self._left.clear()
                try:
                    await self._work()
                except Unavailable as error:
                    log.error("the store refused", extra={"action": "commands_refused", "code": error.code})
                except Exception:
                    log.exception("commands failed", extra={"action": "commands_failed"})
                await self._clock.wait(self._left, self._clock.now_us() + _WORK_LOOK_US)
        finally:
            doing = list(self._doing)
            for task in doing:
                task.cancel()
            await asyncio.gather(*doing, return_exceptions=True)

    async def _work(self) -> None:
        if not await self._store.read(lambda connection: commands.are_left(connection, self._node)):
            return
        for row in await self._store.write(lambda connection: commands.take(connection, self._node)):
            task = asyncio.create_task(self._carry_out(row), name=f"command {row.name}")
            self._doing.add(task)
            task.add_done_callback(self._doing.discard)

    async def _carry_out(self, row: AnyRow) -> None:
        document = json.dumps(await self._do(row))
        try:
            await self._store.write(partial(commands.answer, command_id=row.id, document=document))
        except Exception:
            log.exception("an answer was not written", extra={"action": "commands_failed", "command": row.name})

    async def _do(self, row: AnyRow) -> dict[str, object]:
        handler = self.handlers.get(row.name)
        try:
            if handler is None:
                raise Unavailable("command_unknown", f"host {self._node} does not know this command")
            answer = await handler(row.modem, json.loads(row.body))
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
        return {"answer": answer}


def _answer_of(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the other host answers; its refusal is raised."""
    if "kind" not in result:
        return result.get("answer") or {}
    kind = _KINDS[result["kind"]]
    error = kind(result["code"], result["message"])
    error.errors = tuple(FieldError(pointer, message) for pointer, message in result["errors"])
    raise error
