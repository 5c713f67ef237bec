"""Hears what other hosts signal, on a connection of its own.

It is a hint that comes early. When the connection is gone, work is found by looking; when it is there again, whatever
may have been missed is looked for at once. A connection over which nothing comes may be gone without anybody noticing:
now and then the server is asked an empty question, and has to answer before the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Any

from gateway.clock import SECOND_US, Clock
from gateway.store.engine import StoreEngine
from gateway.store.signals import Topic

log = logging.getLogger(__name__)

_PAUSE_US = 2 * SECOND_US
_ASK_US = 10 * SECOND_US
# Each hearing has senders, lease, tokens and commands look into the store. Whoever signals without end must not make
# them look as fast as the store can answer: so often on the average, of which a second's worth can be saved.
_BETWEEN_US = SECOND_US // 20
_SAVED_US = SECOND_US


class Listener:
    """Listens until it is cancelled."""

    def __init__(self, engine: StoreEngine, clock: Clock, ask_us: int = _ASK_US) -> None:
        self._engine = engine
        self._clock = clock
        self._ask_us = ask_us
        # Whether the last question was answered.
        self._answered = True
        #: Called with the topics of other hosts' signals, and with all of them after a connection was made.
        self.heard: Callable[[Collection[Topic]], None] = lambda _: None

    async def run(self) -> None:
        """Connect, listen, and connect again."""
        while True:
            try:
                connection = await self._connect()
            except Exception as error:  # noqa: BLE001 - whatever it is, the look every few seconds goes on
                log.warning(
                    "signals are not heard", extra={"action": "listening_failed", "cause": type(error).__name__}
                )
            else:
                if connection is None:
                    return
                try:
                    await self._listen(connection)
                finally:
                    connection.close()
            await self._clock.wait(asyncio.Event(), self._clock.now_us() + _PAUSE_US)

    async def _connect(self) -> Any:
        connecting = asyncio.ensure_future(asyncio.to_thread(self._engine.listening))
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            # The thread goes on, and nobody would close what it brings.
            connecting.add_done_callback(_close)
            raise

    async def _listen(self, connection: Any) -> None:
        """Hear until the connection breaks: at once, unless there was very much to hear lately."""
        descriptor = connection.fileno()
        # Whatever was told while nobody listened.
        self.heard(frozenset(Topic))
        self._answered = True
        due_us = self._clock.monotonic_us() - _SAVED_US
        while True:
            try:
                if not await self._readable(descriptor):
                    self._ask(connection)
                    continue
                topics = self._take(connection)
            except Exception as error:  # noqa: BLE001 - a connection that cannot be read is gone
                log.warning("signals are lost", extra={"action": "listening_lost", "cause": type(error).__name__})
                return
            if topics:
                self.heard(topics)
            now_us = self._clock.monotonic_us()
            due_us = max(due_us, now_us - _SAVED_US) + _BETWEEN_US
            if due_us > now_us:
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + due_us - now_us)

    async def _readable(self, descriptor: int) -> bool:
        """Wait until something has come in; False when nothing has for so long that the server is to be asked."""
        loop = asyncio.get_running_loop()
        come = asyncio.Event()
        loop.add_reader(descriptor, come.set)
        try:
            return await self._clock.wait(come, self._clock.now_us() + self._ask_us)
        finally:
            loop.remove_reader(descriptor)

    def _ask(self, connection: Any) -> None:
        if not self._answered:
            raise ConnectionAbortedError
        self._answered = False
        try:
            connection.pgconn.send_query(b"")
            connection.pgconn.flush()
        except Exception as error:
            raise ConnectionResetError from error

    def _take(self, connection: Any) -> set[Topic]:
        """The topics of what has arrived. Our own signals are no news."""
        connection.pgconn.consume_input()
        while not connection.pgconn.is_busy() and connection.pgconn.get_result() is not None:
            self._answered = True
        topics: set[Topic] = set()
        known = {topic.value: topic for topic in Topic}
        while (notify := connection.pgconn.notifies()) is not None:
            topic = known.get(notify.extra.decode(errors="replace"))
            if topic is not None and notify.be_pid != self._engine.own_process:
                topics.add(topic)
        return topics


def _close(connecting: asyncio.Future[Any]) -> None:
    if not connecting.cancelled() and connecting.exception() is None and connecting.result() is not None:
        connecting.result().close()
