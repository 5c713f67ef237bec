"""Work that may take long, done in a process of its own: filters and templates that somebody wrote.

What runs there cannot hold up a modem or a request, and is bounded in time and memory: a job that overruns its time
ends with its process, and the next one has a new process. A job is a function of a module, its arguments and its result
go through a pipe (pickled, by this gateway to itself alone). The process starts with the first job and ends after a
minute without any.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, ParamSpec, TypeVar

from gateway.errors import InvalidRequest

P = ParamSpec("P")
R = TypeVar("R")

_IDLE_S: Final = 60.0
_LENGTH: Final = 8


class TookTooLong(Exception):
    """The job did not end in its time, or ran out of memory; nothing of it is left."""


class Aside:
    """One process beside the gateway, which does one job after the other. Long work is cut into jobs of some tenths of
    a second, so that others come in between."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None

    async def run(self, within_s: float, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `function`, a function of a module, returns. Raises `TookTooLong`, the `InvalidRequest` that it raises,
        or `RuntimeError` for any other error."""
        job = pickle.dumps((function, args, kwargs))
        async with self._turn:
            self._stay()
            try:
                async with asyncio.timeout(within_s):
                    succeeded, outcome = await self._exchange(await self._running(), job)
            except (TimeoutError, EOFError, ConnectionError):
                await self._end()
                raise TookTooLong from None
            except BaseException:
                # Whoever asked is gone: the answer that is under way would be taken for that to the next job.
                await self._end()
                raise
            self._leave()
        if succeeded:
            return outcome
        raise _raised(outcome)

    async def close(self) -> None:
        """End the process."""
        async with self._turn:
            self._stay()
            await self._end()

    def _stay(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _leave(self) -> None:
        self._idle = asyncio.get_running_loop().call_later(_IDLE_S, self._kill)

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "gateway.people.aside_process",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # Keys pressed at a terminal are meant for the gateway, which ends this one itself.
                start_new_session=True,
            )
        return self._process

    async def _exchange(self, process: asyncio.subprocess.Process, job: bytes) -> tuple[bool, Any]:
        assert process.stdin is not None, "it is a pipe"
        assert process.stdout is not None, "so is this"
        process.stdin.write(len(job).to_bytes(_LENGTH) + job)
        await process.stdin.drain()
        length = int.from_bytes(await process.stdout.readexactly(_LENGTH))
        return pickle.loads(await process.stdout.readexactly(length))  # noqa: S301 - the other end is this program

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
            await process.wait()


def told(error: Exception) -> Any:
    """An error as it goes through the pipe: a refusal of ours as it is, any other by its class alone, for its words may
    tell what is in a contact."""
    if isinstance(error, InvalidRequest):
        return error.code, error.message, error.errors
    return type(error).__name__


def _raised(outcome: Any) -> Exception:
    if isinstance(outcome, str):
        return RuntimeError(f"the job failed: {outcome}")
    code, message, errors = outcome
    return InvalidRequest(code, message, errors=errors)
