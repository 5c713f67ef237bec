"""What an operator does to a modem of this host: reset, pause, resume, unlock, and questions by hand.

Each act is a function of the modem's name and of what was said, the same for a caller at this host and for one at
another. What a modem or the network answers goes to the caller and nowhere else: it may hold numbers and texts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, TypeAlias

from drivers.errors import CommandRefusedHere, CommandTimeout, DriverError, ModemNotReady, UssdFailed
from drivers.events import ModemState
from drivers.gsm.conversation import checked
from drivers.gsm.mmi import problem_of_code
from drivers.gsm.pin_rules import Forbidden
from gateway.clock import SECOND_US, Clock
from gateway.errors import Conflict, InvalidRequest, NotFound, Unavailable
from gateway.errors import Forbidden as NotAllowed
from gateway.ports import Modem
from gateway.requests import Principal
from gateway.store import modem_pauses
from gateway.store.database import Store

log = logging.getLogger(__name__)

Act: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]

#: Acts that need nothing but the modem.
VERBS = ("reset", "pause", "resume", "unlock")
AT, USSD = "at", "ussd"
#: How long a modem may take for a line, and the network for a code, in seconds.
AT_S, USSD_S = 30.0, 60.0
#: An act without a question is answered after so long, whatever is still under way: a reset waits for its submit.
_ACT_US = 10 * SECOND_US
# A submit that is under way has the line, and may take so long.
_LINE_S = 130.0
#: What a person cannot confirm, and why not.
_NOT_TO_CONFIRM = frozenset({Forbidden.LAST_TRY, Forbidden.NO_COUNTER})


class ModemActs:
    """The acts, by their names."""

    def __init__(self, store: Store, clock: Clock, modems: Mapping[str, Modem], node: str) -> None:
        self._store = store
        self._clock = clock
        self._modems = modems
        self._node = node
        # Resets that still wait for a part in flight.
        self._under_way: set[asyncio.Task[None]] = set()
        self.all: Mapping[str, Act] = {
            "reset": self._reset,
            "pause": self._pause,
            "resume": self._resume,
            "unlock": self._unlock,
            AT: self._at,
            USSD: self._ussd,
        }

    async def _reset(self, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """Begin anew; returns when that has begun, or waits for a part that is being handed over."""
        task = asyncio.create_task(self._modem(name).reset(), name=f"reset {name}")
        self._under_way.add(task)
        task.add_done_callback(self._reset_ended)
        done = asyncio.Event()
        task.add_done_callback(lambda _: done.set())
        await self._clock.wait(done, self._clock.now_us() + _ACT_US)
        if task.done():
            with _as_refusal():
                task.result()
        return self._told(name)

    def _reset_ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("a reset failed", extra={"action": "reset_failed", "cause": type(error).__name__})

    async def _pause(self, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send nothing more through it, also after a restart."""
        modem = self._modem(name)
        now_us = self._clock.now_us()
        await self._store.write(lambda connection: modem_pauses.add(connection, self._node, name, now_us), hurried=True)
        modem.set_paused(True)
        return self._told(name)

    async def _resume(self, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send through it again."""
        modem = self._modem(name)
        await self._store.write(lambda connection: modem_pauses.lift(connection, self._node, name), hurried=True)
        modem.set_paused(False)
        return self._told(name)

    async def _unlock(self, name: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have the PIN tried once more; the tries that the SIM had left before, None where that is not known."""
        modem = self._modem(name)
        status, refusal = modem.status(), modem.pin_refusal
        if status.state is not ModemState.PARKED or refusal is None:
            because = f": {status.reason}" if status.state is ModemState.PARKED else f"; it is {status.state}"
            raise Conflict("modem_not_locked", f"no PIN of this modem waits for somebody's leave{because}")
        if refusal.why in _NOT_TO_CONFIRM:
            raise Conflict(refusal.why.value, refusal.text(name))
        await modem.confirm_pin()
        modem.unlock()
        return {**self._told(name), "tries_left": refusal.left}

    async def _at(self, name: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """The lines that the modem answers to a command line, the final result last."""
        line, seconds = check_line(said["command"]), float(said["seconds"])
        modem = self._modem(name)
        with _as_refusal():
            async with asyncio.timeout(seconds + _LINE_S):
                return {"lines": list(await modem.converse(line, seconds))}

    async def _ussd(self, name: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """The text that the network answers to a code."""
        code = check_code(said["code"])
        modem = self._modem(name)
        with _as_refusal():
            async with asyncio.timeout(USSD_S + _LINE_S):
                return {"text": await modem.ussd(code, USSD_S)}

    def _told(self, name: str) -> Mapping[str, Any]:
        """How the modem is now, as JSON takes it."""
        return {"status": asdict(self._modem(name).status())}

    def _modem(self, name: str) -> Modem:
        modem = self._modems.get(name)
        if modem is None:
            raise no_such_modem()
        return modem


def check_line(line: str) -> str:
    """A command line that may be given to a modem: asked before it goes anywhere. Raises `InvalidRequest`."""
    try:
        checked(line, AT_S)
    except CommandRefusedHere as error:
        raise InvalidRequest.field(error.code, "/command", error.user_text) from None
    return line


def check_code(code: str) -> str:
    """A USSD code that may be sent: asked before it goes anywhere. Raises `InvalidRequest`."""
    if problem := problem_of_code(code):
        raise InvalidRequest.field("ussd_refused", "/code", problem)
    return code


def patience_us(name: str, said: Mapping[str, Any]) -> int:
    """How long another host may take for an act."""
    seconds = {AT: float(said.get("seconds", 0)) + _LINE_S, USSD: USSD_S + _LINE_S}.get(name, 0.0)
    return 2 * _ACT_US + round(seconds * SECOND_US)


def no_such_modem() -> NotFound:
    """The refusal for a modem that nobody has."""
    return NotFound("modem_not_found", "there is no such modem")


def refuse_real_to_test(principal: Principal, *, simulated: bool) -> None:
    """Raise `Forbidden` where a token that only tests would touch a real modem, whatever its scopes."""
    if principal.test and not simulated:
        raise NotAllowed("real_modem_refused", "this token only tests: it touches no modem that is not simulated")


@contextmanager
def _as_refusal() -> Generator[None]:
    """What the driver raises, as a refusal with a stable code."""
    try:
        yield
    except CommandRefusedHere as error:
        raise InvalidRequest.field(error.code, "/command", error.user_text) from None
    except ModemNotReady as error:
        raise Conflict("modem_not_ready", error.user_text) from None
    except UssdFailed as error:
        if error.cause == "timeout":
            raise Unavailable("ussd_failed", error.user_text) from None
        raise Conflict("ussd_failed", error.user_text) from None
    except CommandTimeout as error:
        raise Unavailable(error.code, "the modem did not answer in time") from None
    except TimeoutError:
        raise Unavailable("modem_busy", "the modem's line was not free in time") from None
    except DriverError as error:
        raise Unavailable("modem_failed", error.user_text) from None
