"""Hears what other hosts signal, on a connection of its own.

It is a hint that comes early. When the connection is gone, also without anybody noticing, work is found by looking;
when it is there again, whatever may have been missed is looked for at once.
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
# Each hearing has senders, lease, tokens and commands look into the store. Whoever signals without end must not make
# them look as fast as the store can answer: so often on the average, of which a second's worth can be saved.
_BETWEEN_US = SECOND_US // 20
_SAVED_US = SECOND_US


class Listener:
    """Listens until it is cancelled."""

    def __init__(self, engine: StoreEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        #: Called with the topics of other hosts' signals, and with all of them after a connection was made.
        self.heard: Callable[[Collection[Topic]], None] = lambda _: None

    async def run(self) -> None:
        """Connect, listen, and connect again."""
        while True:
            try:
                connection = await asyncio.to_thread(self._engine.listening)
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

    async def _listen(self, connection: Any) -> None:
        """Hear until the connection breaks: at once, unless there was very much to hear lately."""
        descriptor = connection.fileno()
        # Whatever was told while nobody listened.
        self.heard(frozenset(Topic))
        due_us = self._clock.monotonic_us() - _SAVED_US
        while True:
            await _readable(descriptor)
            try:
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

    def _take(self, connection: Any) -> set[Topic]:
        """The topics of what has arrived. Our own signals are no news."""
        connection.pgconn.consume_input()
        topics: set[Topic] = set()
        known = {topic.value: topic for topic in Topic}
        while (notify := connection.pgconn.notifies()) is not None:
            topic = known.get(notify.extra.decode(errors="replace"))
            if topic is not None and notify.be_pid != self._engine.own_process:
                topics.add(topic)
        return topics


async def _readable(descriptor: int) -> None:
    """Wait until something has come in."""
    loop = asyncio.get_running_loop()
    come = asyncio.Event()
    loop.add_reader(descriptor, come.set)
    try:
        await come.wait()
    finally:
        loop.remove_reader(descriptor)
