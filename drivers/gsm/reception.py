"""What the modem receives: told, handed over or found in a memory, each told once, forgotten only when acknowledged.

The unsolicited codes only note what is to be done; one task does it (`work`), so that nothing is read while another
memory is being selected. A slot that has been told is remembered with its PDU until it is free again: a slot number
alone does not say whether the message in it is still the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from drivers.at.commands import CONFIRM, CONFIRM_PDU_MODE
from drivers.at.events import Urc
from drivers.at.parameters import parse_parameters
from drivers.at.urc import body_of
from drivers.errors import CommandFailed
from drivers.events import NO_RECEIPT, Receipt, ReceiptKind
from drivers.gsm.channel import AtChannel
from drivers.gsm.decoding import MessageEvent, message_event
from drivers.gsm.routing import Routing
from drivers.gsm.storage import Storage, StoredPdu

log = logging.getLogger(__name__)

# The memory that shows those of SM and ME together (TS 27.005, 3.1: preferred memory names).
_JOINED = "MT"
_REPORTS = "SR"


@dataclass(slots=True)
class _Slot:
    """A message that was told and is still in the modem."""

    pdu: str
    serial: int
    acknowledged: bool = False


class Reception:
    """The inbound side of one opened modem; `session` marks its receipts."""

    def __init__(
        self,
        channel: AtChannel,
        storage: Storage,
        routing: Routing,
        session: int,
        publish: Callable[[MessageEvent], None],
    ) -> None:
        self._channel = channel
        self._storage = storage
        self._routing = routing
        self._session = session
        self._publish = publish
        self._slots: dict[tuple[str, int], _Slot] = {}
        self._serial = 0
        self._confirmations = 0
        self._deletions: deque[tuple[str, int]] = deque()
        self._indications: deque[tuple[str, int]] = deque()
        self._memories: deque[str] = deque()
        self.wake = asyncio.Event()
        """Set when there is something to do."""
        self.settled = asyncio.Event()
        """Set when everything acknowledged has been confirmed or freed, as far as the modem lets us."""
        self.settled.set()

    # --- noting what is to be done; never waits

    def hear(self, urc: Urc) -> None:
        """Take +CMTI, +CDSI, +CMT or +CDS; others are not about messages."""
        match urc.name:
            case "+CMTI" | "+CDSI":
                self._indicated(urc)
            case "+CMT" | "+CDS":
                self._handed_over(urc)
            case _:
                return

    def _indicated(self, urc: Urc) -> None:
        parameters = parse_parameters(body_of(urc.line))
        memory, index = parameters if len(parameters) == 2 else (None, None)
        if isinstance(memory, str) and memory and isinstance(index, int) and index >= 0:
            self._indications.append((memory, index))
        else:
            self.look_everywhere()  # "stored nowhere", as some families say
        if urc.name == "+CDSI" and memory != _REPORTS and _REPORTS in self._storage.memories:
            self._look_in(_REPORTS)  # others announce the slot of a report under the wrong memory
        self.wake.set()

    def _handed_over(self, urc: Urc) -> None:
        if urc.pdu is None:
            log.warning("%s came without its PDU", urc.name)
            return
        parameters = parse_parameters(body_of(urc.line))
        length = parameters[-1] if parameters else None
        self._serial += 1
        receipt = NO_RECEIPT
        if self._routing.confirmed:
            receipt = Receipt(ReceiptKind.DIRECT, self._session, serial=self._serial)
        self._publish(message_event(urc.pdu, length if isinstance(length, int) else None, receipt))

    def look_everywhere(self) -> None:
        """Read every memory at the next opportunity, and free again what could not be freed before."""
        for key, slot in self._slots.items():
            if slot.acknowledged and key not in self._deletions:
                self._deletions.append(key)
        for memory in self._storage.memories:
            self._look_in(memory)
        self.wake.set()

    def _look_in(self, memory: str) -> None:
        if memory not in self._memories:
            self._memories.append(memory)

    def acknowledge(self, receipt: Receipt) -> None:
        """The event is safe: confirm it, or free its slot. A receipt of an earlier session is let go."""
        if receipt.session != self._session:
            return
        key = receipt.storage, receipt.index
        slot = self._slots.get(key)
        if receipt.kind is ReceiptKind.DIRECT:
            self._confirmations += 1
        elif slot is not None and slot.serial == receipt.serial and not slot.acknowledged:
            slot.acknowledged = True
            self._deletions.append(key)
        else:
            return
        self.settled.clear()
        self.wake.set()

    # --- doing it, in one task

    async def work(self) -> None:
        """Do what is noted, the urgent first: a confirmation is due within the network's time, a full memory blocks."""
        while await self._work_once():
            if not self._confirmations and not self._deletions:
                self.settled.set()
        await self._storage.select(self._storage.receiving)

    async def _work_once(self) -> bool:
        if self._confirmations:
            self._confirmations -= 1
            await self._confirm()
        elif self._deletions:
            await self._free(*self._deletions.popleft())
        elif self._indications:
            await self._fetch(*self._indications.popleft())
        elif self._memories:
            await self._look_through(self._memories.popleft())
        else:
            return False
        return True

    async def _confirm(self) -> None:
        try:
            await self._channel.execute(CONFIRM)
        except CommandFailed:
            # Without a parameter it is text mode's form; most modems take it in PDU mode too (TS 27.005, 4.7).
            if await self._channel.optional(CONFIRM_PDU_MODE) is None:
                log.warning("the modem refused an acknowledgement; its routing is checked")
                await self._routing.check()

    async def _free(self, memory: str, index: int) -> None:
        slot = self._slots.get((memory, index))
        if slot is None or not slot.acknowledged or not await self._storage.select(memory):
            return
        if await self._is_other(memory, index, slot):
            return
        slot.serial = -abs(slot.serial)  # from here on the slot may be empty: only reading it can tell
        if await self._storage.delete(memory, index):
            del self._slots[memory, index]

    async def _is_other(self, memory: str, index: int, slot: _Slot) -> bool:
        """After a deletion that was not confirmed: whether the slot is empty, or holds another message by now."""
        if slot.serial > 0:
            return False
        stored = await self._storage.read(memory, index)
        if stored is not None and stored.pdu == slot.pdu:
            return False
        del self._slots[memory, index]
        if stored is not None:
            self._offer(stored)
        return True

    async def _fetch(self, memory: str, index: int) -> None:
        stored = await self._storage.read(memory if self._storage.receiving else "", index)
        if stored is None:
            self.look_everywhere()
        else:
            self._offer(stored)

    async def _look_through(self, memory: str) -> None:
        for stored in await self._storage.read_all(memory):
            self._offer(stored)

    def _offer(self, stored: StoredPdu) -> None:
        key = stored.memory, stored.index
        known = self._slots.get(key)
        if (known is not None and known.pdu == stored.pdu) or self._is_shown_twice(stored):
            return
        self._serial += 1
        self._slots[key] = _Slot(stored.pdu, self._serial)
        receipt = Receipt(ReceiptKind.STORED, self._session, stored.memory, stored.index, self._serial)
        self._publish(message_event(stored.pdu, stored.length, receipt))

    def _is_shown_twice(self, stored: StoredPdu) -> bool:
        """MT shows the messages of SM and ME once more, under numbers of its own."""
        return any(
            slot.pdu == stored.pdu and memory != stored.memory and _JOINED in {memory, stored.memory}
            for (memory, _), slot in self._slots.items()
        )
