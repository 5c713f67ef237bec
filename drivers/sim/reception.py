"""Mobile-terminated messages: from the network's waiting list into a storage or straight to the terminal.

Decides by +CNMI, +CSMS and +CPMS; what cannot be taken stays with the network. It must not know how a link is
written: it is handed a function for unsolicited results.
Sources: 3GPP TS 27.005, 3.4.1 (+CNMI), 3.4.4 (+CNMA); 3GPP TS 23.038, 4 (message classes).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from drivers.at.codes import CmsError
from drivers.sim import text_mode
from drivers.sim.answers import RefusedError
from drivers.sim.incoming import Incoming, Kind
from drivers.sim.memory import MemoryFullError, Status, StoredMessage
from drivers.sim.state import MobileEquipment

REPORT_MEMORY = "SR"
HELD_INDICATIONS = 256


class Reception:
    """The receiving half of one modem. `notify` writes an unsolicited result of one or more lines."""

    def __init__(self, equipment: MobileEquipment, notify: Callable[..., None]) -> None:
        self._equipment = equipment
        self._notify = notify
        self._waiting = {kind: deque[Incoming]() for kind in Kind}
        self._unacknowledged: Incoming | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._held: deque[tuple[str, ...]] = deque(maxlen=HELD_INDICATIONS)

    @property
    def waiting(self) -> int:
        """How many messages and reports the network still holds for this modem."""
        return sum(len(queue) for queue in self._waiting.values()) + (self._unacknowledged is not None)

    def offer(self, incoming: Incoming) -> None:
        """The network has something for this modem; it is taken now or as soon as there is room."""
        self._waiting[incoming.kind].append(incoming)
        self.pump()

    def pump(self) -> None:
        """Take what can be taken: called whenever room, settings or service may have changed."""
        if not self._equipment.in_service:
            return
        for kind, queue in self._waiting.items():
            self._pump(kind, queue)

    def set_indications(self) -> None:
        """+CNMI has been set: what was held while <mode> was 0 is told or forgotten, as <bfr> says."""
        indications = self._equipment.command_settings.indications
        if indications.mode:
            held, self._held = list(self._held), deque(maxlen=HELD_INDICATIONS)
            for lines in held if indications.bfr == 0 else ():
                self._notify(*lines)
        self.pump()

    def acknowledge(self, *, accepted: bool = True) -> None:
        """+CNMA for the one message that was routed directly; RefusedError when none waits for it."""
        incoming = self._settle()
        if incoming is None:
            raise RefusedError(CmsError.NO_CNMA_EXPECTED)
        if accepted and incoming.taken:
            incoming.taken()
        self.pump()
        if not accepted:
            # After RP-ERROR the service centre tries again later: at the next occasion, not at once.
            self._waiting[incoming.kind].append(incoming)

    def close(self) -> None:
        """Stop the timer; what was not acknowledged waits again."""
        if incoming := self._settle():
            self._waiting[incoming.kind].appendleft(incoming)

    # --- ways of taking

    def _pump(self, kind: Kind, queue: deque[Incoming]) -> None:
        while queue:
            # Out of the queue first: the terminal may answer, and so come back here, before it has been taken.
            incoming = queue.popleft()
            if not self._take(kind, incoming):
                queue.appendleft(incoming)
                return

    def _take(self, kind: Kind, incoming: Incoming) -> bool:
        indications = self._equipment.command_settings.indications
        if kind is Kind.STATUS_REPORT:
            if indications.ds == 1:
                return self._route(incoming)
            return self._store(incoming, REPORT_MEMORY, "+CDSI" if indications.ds == 2 else None)
        storage = self._equipment.command_settings.memories[2]
        direct = indications.mt == 2 or (indications.mt == 3 and incoming.message_class == 3)
        if direct and incoming.message_class != 2:
            return self._route(incoming)
        return self._store(incoming, storage, "+CMTI" if indications.mt else None)

    def _store(self, incoming: Incoming, storage: str, indication: str | None) -> bool:
        try:
            index = self._equipment.storages[storage].store(StoredMessage(Status.REC_UNREAD, incoming.pdu))
        except MemoryFullError:
            # A report that nobody asked to see is not worth waiting for a slot.
            if incoming.kind is Kind.DELIVER or indication:
                return False
        else:
            if indication:
                self._indicate(f'{indication}: "{storage}",{index}')
        if incoming.taken:
            incoming.taken()
        return True

    def _route(self, incoming: Incoming) -> bool:
        """+CMT or +CDS; in phase 2+ one at a time, each to be acknowledged (27.005, 3.4.1 and 3.4.4)."""
        if self._equipment.command_settings.indications.mode == 0 or self._unacknowledged:
            return False
        name = "+CDS" if incoming.kind is Kind.STATUS_REPORT else "+CMT"
        if self._equipment.command_settings.phase == 1:
            self._unacknowledged = incoming
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self._equipment.settings.acknowledge_within, self._expire)
        elif incoming.taken:
            incoming.taken()
        self._notify(*text_mode.routed(self._equipment.command_settings, name, incoming.pdu))
        return True

    def _indicate(self, *lines: str) -> None:
        if self._equipment.command_settings.indications.mode == 0:
            self._held.append(lines)
        else:
            self._notify(*lines)

    def _settle(self) -> Incoming | None:
        if self._deadline:
            self._deadline.cancel()
        incoming, self._unacknowledged, self._deadline = self._unacknowledged, None, None
        return incoming

    def _expire(self) -> None:
        """No acknowledgement in time: routing ends and the network tries again (27.005, 3.4.1)."""
        self.close()
        indications = self._equipment.command_settings.indications
        indications.mt = indications.ds = 0
        self.pump()
