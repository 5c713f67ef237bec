"""The tasks of a running gateway: one sender and one receiver per modem, one dispatcher, and what looks after modems.

A task that dies of an error of ours stops the gateway loudly, so that whoever supervises it starts it anew; the store
then says what is left to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping

from drivers.events import ModemState
from gateway.care.caretaker import Caretaker
from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.ids import IdSource
from gateway.inbound.fragments import Fragments
from gateway.inbound.inbox import Inbox
from gateway.inbound.receiver import Receiver
from gateway.inbound.replies import Replies
from gateway.inbound.reports import Reports
from gateway.outbound.answers import Answers
from gateway.outbound.dispatcher import Dispatcher
from gateway.outbound.elsewhere import Elsewhere
from gateway.outbound.gate import Gate
from gateway.outbound.journal import WireJournal
from gateway.outbound.sender import Sender
from gateway.ports import Modem
from gateway.store.database import Store
from gateway.store.queue import ModemFacts

log = logging.getLogger(__name__)

#: A submit may take 120 s until the network answers; stopping waits for it and a little more.
DRAIN_S = 135.0
_RECEIVERS_S = 5.0
# So many are woken by one who found work.
_MORE = 2
_USABLE = frozenset({ModemState.READY, ModemState.BUSY})


class Crew:
    """Everything that works while the gateway runs."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        ids: IdSource,
        *,
        gate: Gate,
        modems: Mapping[str, Modem],
        journals: Mapping[str, WireJournal],
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._settings = settings
        self._elsewhere = elsewhere or Elsewhere()
        self._modems = modems
        self._tasks: dict[str, asyncio.Task[None]] = {}
        #: How many modems could send when one of them last changed.
        self._could_send = 0
        #: Set when a task died.
        self.failed = asyncio.Event()
        self.dispatcher = Dispatcher(store, clock, self._wake_all, self._wake_one)
        inbox = Inbox(ids, Replies(settings, ids, shared=store.engine.shared))
        reports = Reports(store, settings.gateway.country)
        self._fragments = Fragments(store, clock, inbox, settings.gateway.node)
        self._senders = {
            name: Sender(
                modem, store, gate, clock, journal=journals[name], facts=self._facts_of(modem, journals[name].id)
            )
            for name, modem in modems.items()
        }
        self._receivers = {
            name: Receiver(modem, store, inbox, reports, clock, gateway=settings.gateway)
            for name, modem in modems.items()
        }
        self._care = self._caretaker(store, clock, ids)
        #: Called when a modem's state has changed, besides.
        self.on_changed: Callable[[], None] = lambda: None
        self._wire(gate)

    def _caretaker(self, store: Store, clock: Clock, ids: IdSource) -> Caretaker:
        return Caretaker(
            self._settings,
            store,
            clock,
            ids,
            modems=self._modems,
            nudge=self.dispatcher.nudge,
            is_sending=lambda name: self._senders[name].is_sending(),
        )

    def _wire(self, gate: Gate) -> None:
        """Let the tasks wake each other."""
        gate.line.usable = self._usable
        self.dispatcher.usable = lambda: len(self._usable())
        for sender in self._senders.values():
            sender.on_unsettled = self.dispatcher.nudge
            sender.on_found = self._wake_more
        answers = Answers(gate)
        for name, receiver in self._receivers.items():
            receiver.is_sending = self._senders[name].is_sending
            receiver.on_answer = answers.take
            receiver.on_committed = self.dispatcher.hint
            receiver.on_state = self._changed

    def start(self) -> None:
        """Begin to work. The modems are started by their owner."""
        self._spawn("dispatcher", self.dispatcher.run())
        self._spawn("fragments", self._fragments.run())
        for name, sender in self._senders.items():
            self._spawn(f"sender {name}", sender.run())
        for name, receiver in self._receivers.items():
            self._spawn(f"receiver {name}", receiver.run())
        for name, work in self._care.tasks():
            self._spawn(name, work)

    def also(self, name: str, work: Coroutine[object, object, None]) -> None:
        """Let something else run beside, until `stop`."""
        self._spawn(name, work)

    def look_again(self) -> None:
        """The time was moved: what waits for an instant may be due."""
        self._wake_all()
        self.dispatcher.hint()

    async def drain(self) -> None:
        """Begin no further submit, and wait for those in flight to be written down."""
        for sender in self._senders.values():
            sender.stop()
        sending = [task for name, task in self._tasks.items() if name.startswith("sender ")]
        await _finish(sending, DRAIN_S)

    async def stop(self) -> None:
        """End the other tasks, after the modems were stopped: receivers then come to the end of their events."""
        await _finish([task for name, task in self._tasks.items() if name.startswith("receiver ")], _RECEIVERS_S)
        await _finish(list(self._tasks.values()), 0)

    def _changed(self) -> None:
        self.on_changed()
        usable = len(self._usable())
        if usable != self._could_send:
            # Fewer modems have to begin earlier.
            self._could_send = usable
            self.dispatcher.hint()

    def _wake_all(self) -> None:
        for sender in self._senders.values():
            sender.nudge()

    def _wake_one(self) -> bool:
        """An idle sender; where there is none, whoever is done first looks once more. Whether others are idle still."""
        senders = self._senders.values()
        idle = next((sender for sender in senders if sender.idle), None)
        if idle is None:
            self._wake_all()
            return False
        idle.nudge()
        return any(sender.idle for sender in senders)

    def _wake_more(self) -> None:
        """Who was woken found something: there may be more, and soon everybody knows."""
        idle = [sender for sender in self._senders.values() if sender.idle]
        for sender in idle[:_MORE]:
            sender.nudge()

    def _usable(self) -> Collection[str]:
        """The modems that can send, or are sending."""
        written = self._settings.modems
        return [name for name, modem in self._modems.items() if modem.state in _USABLE and not written[name].built_in]

    def _facts_of(self, modem: Modem, journal: str) -> Callable[[], ModemFacts]:
        """What the queue must know of a modem, asked anew for each part: a SIM may be swapped."""
        simulated, built_in = self._settings.modems[modem.name].simulated, self._settings.modems[modem.name].built_in
        only_simulated = all(each.simulated for each in self._settings.modems.values())

        def facts() -> ModemFacts:
            identity = modem.identity
            return ModemFacts(
                name=modem.name,
                node=self._settings.gateway.node,
                simulated=simulated,
                imei=identity.imei,
                iccid=identity.iccid,
                takes_test=simulated,
                takes_live=not built_in and (not simulated or (only_simulated and self._elsewhere.all_simulated)),
                journal=journal,
            )

        return facts

    def _spawn(self, name: str, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks[name] = task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("a task died", extra={"action": "task_died", "task": task.get_name()}, exc_info=error)
            self.failed.set()


async def _finish(tasks: list[asyncio.Task[None]], patience_s: float) -> None:
    """Wait for tasks to end by themselves, then cancel the rest."""
    waiting = [task for task in tasks if not task.done()]
    if not waiting:
        return
    if patience_s:
        await asyncio.wait(waiting, timeout=patience_s)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
