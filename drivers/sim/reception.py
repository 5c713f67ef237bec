"""Mobile-terminated messages: from the network's waiting list into a storage or straight to the terminal.

Decides by +CNMI, +CSMS and +CPMS; what cannot be taken stays with the network. It must not know how a link is
written: it is handed a function for unsolicited results.
Sources: 3GPP TS 27.005, 3.4.1 (+CNMI), 3.4.4 (+CNMA); 3GPP TS 23.038, 4 (message classes).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from drivers.at.codes import CmsError
from drivers.sim import text_mode
from drivers.sim.answers import RefusedError
from drivers.sim.incoming import Incoming, Kind
from drivers.sim.memory import MemoryFullError, MessageMemory, Status, StoredMessage
from drivers.sim.state import MobileEquipment

HELD_INDICATIONS = 256
SIM_SPECIFIC = 2  # 23.038, 4: the message class of what is stored in the SIM
DATA_DOWNLOAD, REPLACE_TYPES = 0x7F, range(0x41, 0x48)  # TP-PID, 23.040, 9.2.3.9
LEFT_OF_REPORT = 3


class Reception:
    """The receiving half of one modem. `notify` writes an unsolicited result of one or more lines."""

    def __init__(self, equipment: MobileEquipment, notify: Callable[..., None]) -> None:
        self._equipment = equipment
        self._notify = notify
        self._unacknowledged: Incoming | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._held: deque[tuple[str, ...]] = deque(maxlen=HELD_INDICATIONS)
        self._told_full = False

    @property
    def _waiting(self) -> dict[Kind, deque[Incoming]]:
        return self._equipment.card.waiting

    @property
    def waiting(self) -> int:
        """How many messages and reports the network still holds for this modem."""
        return sum(len(queue) for queue in self._waiting.values()) + (self._unacknowledged is not None)

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
            return self._take_report(self._as_told(incoming))
        for_sim = incoming.message_class == SIM_SPECIFIC
        if for_sim and incoming.protocol == DATA_DOWNLOAD and self._equipment.settings.sim_toolkit:
            return _taken(incoming)
        direct = indications.mt == 2 or (indications.mt == 3 and incoming.message_class == 3)
        if direct and not for_sim:
            return self._route(incoming)
        storage = "SM" if for_sim else self._equipment.command_settings.memories[2]
        return self._store(incoming, storage, "+CMTI" if indications.mt else None)

    def _take_report(self, report: Incoming) -> bool:
        indications, storages = self._equipment.command_settings.indications, self._equipment.profile.storages
        if indications.ds == 1:
            return self._route(report)
        if storages.reports is None or (storages.reports == "" and indications.ds == 0):
            return _taken(report)
        storage = storages.reports or self._equipment.command_settings.memories[2]
        return self._store(report, storage, "+CDSI" if indications.ds == 2 else None)

    def _as_told(self, report: Incoming) -> Incoming:
        centre = self._equipment.profile.report_centre
        return report if centre is None else replace(report, pdu=centre + report.pdu[1 + report.pdu[0] :])

    def _store(self, incoming: Incoming, storage: str, indication: str | None) -> bool:
        try:
            index = self._put(incoming, self._equipment.storages[storage])
        except MemoryFullError:
            # A report that nobody asked to see is not worth waiting for a slot.
            if incoming.kind is Kind.DELIVER or indication:
                self._tell_full(storage)
                return False
        else:
            self._told_full = False
            if indication:
                told = self._equipment.profile.storages.told_report if indication == "+CDSI" else None
                named, at = told or (storage, index)
                self._indicate(f'{indication}: "{named}",{at}')
        return _taken(incoming)

    def _put(self, incoming: Incoming, memory: MessageMemory) -> int:
        """Into a free slot; or in place of the earlier message that this one replaces (23.040, 9.2.3.9)."""
        pdu, cut = incoming.pdu, self._equipment.profile.report_cut
        if incoming.kind is Kind.STATUS_REPORT and cut is not None:
            pdu = cut + pdu[1 + pdu[0] :][:LEFT_OF_REPORT]
        message = StoredMessage(Status.REC_UNREAD, pdu)
        if incoming.protocol in REPLACE_TYPES:
            for index, stored in memory.items():
                if _origin(stored.pdu) == _origin(pdu):
                    memory.put(index, message)
                    return index
        return memory.store(message)

    def _tell_full(self, storage: str) -> None:
        if not self._told_full:
            self._told_full = True
            for line in self._equipment.profile.storages.full:
                self._indicate(line.format(memory=storage))

    def _route(self, incoming: Incoming) -> bool:
        """+CMT or +CDS; in phase 2+ one at a time, each to be acknowledged (27.005, 3.4.1 and 3.4.4)."""
        if self._equipment.command_settings.indications.mode == 0 or self._unacknowledged:
            return False
        name = "+CDS" if incoming.kind is Kind.STATUS_REPORT else "+CMT"
        if self._equipment.command_settings.phase == 1:
            self._unacknowledged = incoming
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self._equipment.settings.acknowledge_within, self._expire)
        else:
            _taken(incoming)
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


def _taken(incoming: Incoming) -> bool:
    """It need not wait any more."""
    if incoming.taken:
        incoming.taken()
    return True


def _origin(pdu: bytes) -> bytes:
    """Service centre, originator and TP-PID: what a message shares with the one that it replaces."""
    at = 1 + pdu[0]
    digits = pdu[at + 1] if at + 1 < len(pdu) else 0
    return pdu[:at] + pdu[at + 1 : at + 4 + (digits + 1) // 2]
