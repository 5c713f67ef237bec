"""Likely typos, asked of a process beside the gateway (`gateway.services.typos`), so that sending never feels them.

It is started by the first question and ends by itself when nobody asks for some minutes. A question waits a moment for
its answer and then does without: the first one, on a slow machine, while the dictionary is loaded. No text stands on a
command line or in a log: what the process says of errors goes nowhere.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Collection
from contextlib import suppress
from importlib.util import find_spec

from gateway.services import typos

log = logging.getLogger(__name__)

#: So long a preview waits for typos.
PATIENCE_S = 1.5
#: So long the process stays without a question.
IDLE_S = 300.0
#: Whoever takes longer over one text is stuck.
_LONGEST_S = 20.0
# More questions at once are more than it can answer in time.
_MOST_WAITING = 16
# All that Python needs of the environment: neither tokens nor the sockets of the service manager.
_ENVIRONMENT = ("LD_LIBRARY_PATH",)


class Speller:
    """Finds likely typos. Without the extra, or for a language that it does not know, there are none."""

    def __init__(self, *, patience_s: float = PATIENCE_S, idle_s: float = IDLE_S) -> None:
        self._patience_s = patience_s
        self._idle_s = idle_s
        self._turn = asyncio.Lock()
        self._asked: set[asyncio.Task[list[tuple[str, str]]]] = set()
        self._process: Process | None = None
        self._closed = False

    @property
    def process_id(self) -> int | None:
        """Of the process that runs now."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def typos(self, text: str, language: str, names: Collection[str] = ()) -> list[tuple[str, str]]:
        """Words with what was probably meant, each once; the words of `names` are right. None in time is none."""
        if language not in typos.LANGUAGES or self._closed or len(self._asked) >= _MOST_WAITING or not _is_installed():
            return []
        question = json.dumps([text, language, list(names)]).encode() + b"\n"
        task = asyncio.ensure_future(self._ask(question))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        # It goes on when nobody waits any more: the next question finds the dictionary loaded.
        done, _ = await asyncio.wait([task], timeout=self._patience_s)
        return task.result() if done and not task.cancelled() else []

    async def close(self) -> None:
        """End the process; nothing is found any more."""
        self._closed = True
        for task in self._asked:
            task.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)
        await self._end()

    async def _ask(self, question: bytes) -> list[tuple[str, str]]:
        async with self._turn:
            was_there = self.process_id is not None
            answer = await self._answer(question)
            if not answer and was_there:
                # It ended for want of questions at this very moment, or died: one more try, with a new one.
                answer = await self._answer(question)
        return [(word, better) for word, better in json.loads(answer)] if answer else []

    async def _answer(self, question: bytes) -> bytes:
        """A line, or nothing when there is no process or it ends over the question."""
        try:
            process = await self._running()
            assert process.stdin is not None, "both ends are pipes"
            assert process.stdout is not None, "both ends are pipes"
            async with asyncio.timeout(_LONGEST_S):
                process.stdin.write(question)
                await process.stdin.drain()
                answer = await process.stdout.readline()
        except (OSError, ValueError) as error:
            log.warning("no typos are looked for", extra={"action": "speller_failed", "code": type(error).__name__})
            answer = b""
        if not answer.endswith(b"\n"):
            await self._end()
            return b""
        return answer

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            await self._end()
            self._process = await asyncio.create_subprocess_exec(
                # Isolated: nothing of the working directory or of anybody's own folders is imported.
                sys.executable, "-I", typos.__file__, str(self._idle_s),
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            )  # fmt: skip
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        # Reads what it said last and waits for its end, so that nothing stays of it.
        await process.communicate()


def _is_installed() -> bool:
    return find_spec("spellchecker") is not None
