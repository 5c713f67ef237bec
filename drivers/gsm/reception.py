"""What the modem receives: told, handed over or found in a memory, each told once, forgotten only when acknowledged.

The unsolicited codes only note what is to be done; one task does it (`work`), so that nothing is read while another
memory is being selected. A slot that has been told is remembered with its PDU until it is free again: a slot number
alone does not say whether the message in it is still the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from drivers.at.commands import CONFIRM, CONFIRM_PDU_MODE
from drivers.at.events import Urc
from drivers.at.parameters import parse_parameters
from drivers.at.urc import body_of
from drivers.errors import CommandFailed, CommandTimeout
from drivers.events import NO_RECEIPT, DeliverReceived, Receipt, ReceiptKind
from drivers.gsm.channel import AtChannel
from drivers.gsm.decoding import MessageEvent, message_event
from drivers.gsm.routing import Routing
from drivers.gsm.storage import Storage, StoredPdu

log = logging.getLogger(__name__)

# The memory that shows those of SM and ME together (TS 27.005, 3.1: preferred memory names).
_JOINED = "MT"
_REPORTS = "SR"
# Specific to the SIM (TS 23.038, 4): such a message is stored there for others to read, and is not ours to delete.
_SIM_SPECIFIC = 2
# What some modems leave of a report in SR: it names no message. [3]
_CUT_REPORT = "000000FF00"
# From so many on one listing takes less of the line's time than reading each; a listing looks through every slot.
_WORTH_LISTING = 4


@dataclass(slots=True)
class _Slot:
    """A message that was told and is still in the modem."""

    pdu: str
    serial: int
    acknowledged: bool = False
    kept: bool = False
    """Whether the message stays where it is."""


class Reception:
    """The inbound side of one opened modem; `session` marks its receipts.

    `kept` are PDUs that stay in their slots and were acknowledged at an earlier opening: they are not told again.
    """

    def __init__(
        self,
        channel: AtChannel,
        storage: Storage,
        routing: Routing,
        session: int,
        publish: Callable[[MessageEvent], None],
        *,
        kept: set[str],
    ) -> None:
        self._kept = kept
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
        # Shown by a listing and not told yet.
        self._listed: dict[tuple[str, int], StoredPdu] = {}
        self._freed_last = False
        self._joined = False
        # How many slots were freed by one line, and the last of them was looked at.
        self._proved = 0
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
        misplaced = urc.name == "+CDSI" and memory != _REPORTS and _REPORTS in self._storage.memories
        if misplaced:
            self._look_in(_REPORTS)  # families announce the slot of a report under the wrong memory
        if isinstance(memory, str) and memory and isinstance(index, int) and index >= 0:
            if not (misplaced and self._storage.profile.reports_in_sr):
                self._indications.append((memory, index))
        else:
            self.look_everywhere()  # "stored nowhere", as some families say
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
            if slot.acknowledged and not slot.kept and key not in self._deletions:
                self._deletions.append(key)
        for memory in self._storage.memories:
            self._look_in(memory)
        self.wake.set()

    def start_over(self) -> None:
        """The memories have other names now: what was told goes by a name that says nothing any more. It is told again,
        and receipts of before free nothing."""
        for noted in (self._slots, self._deletions, self._indications, self._memories, self._listed):
            noted.clear()

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
            if slot.kept:
                self._kept.add(slot.pdu)
                return
            if key not in self._deletions:
                self._deletions.append(key)
        else:
            return
        self.settled.clear()
        self.wake.set()

    # --- doing it, in one task

    async def work(self) -> None:
        """Do what is noted, the urgent first: a confirmation is due within the network's time, a full memory blocks.

        Freeing and reading take turns: what is freed lets the network go on, and a STOP must not wait for fifty slots.
        """
        while await self._work_once():
            if not self._confirmations and not self._deletions:
                self.settled.set()
        await self._storage.select(self._storage.receiving)

    async def _work_once(self) -> bool:
        if self._confirmations:
            self._confirmations -= 1
            await self._confirm()
        elif self._deletions and not (self._freed_last and self._indications):
            self._freed_last = True
            await self._free_next()
        elif self._indications:
            self._freed_last = False
            await self._fetch_next()
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

    async def _free_next(self) -> None:
        """The next slots of one memory, as many as the modem takes at once; one by itself where it has to be read."""
        memory, first = self._deletions.popleft()
        if not self._is_surely_there(memory, first):
            await self._free(memory, first)
            return
        indices = [first]
        while self._deletions:
            following, index = self._deletions[0]
            if following != memory or not self._is_surely_there(memory, index):
                break
            if not self._storage.take_together([*indices, index]):
                break
            self._deletions.popleft()
            indices.append(index)
        await self._delete(memory, indices)

    def _is_surely_there(self, memory: str, index: int) -> bool:
        slot = self._slots.get((memory, index))
        return slot is not None and slot.acknowledged and slot.serial > 0

    async def _free(self, memory: str, index: int) -> None:
        """A slot that may be empty since a deletion that was not confirmed."""
        slot = self._slots.get((memory, index))
        if slot is None or not slot.acknowledged or not await self._storage.select(memory):
            return
        if not await self._is_other(memory, index, slot):
            await self._delete(memory, [index])

    async def _delete(self, memory: str, indices: list[int]) -> None:
        if not await self._storage.select(memory):
            return
        for index in indices:
            slot = self._slots[memory, index]
            slot.serial = -abs(slot.serial)  # from here on the slot may be empty: only reading it can tell
        if len(indices) > 1 and not await self._delete_together(memory, indices):
            # Each by itself, after a look at what is in it.
            self._storage.chain_no_more()
            self._deletions.extendleft((memory, index) for index in reversed(indices))
        elif len(indices) > 1 or await self._storage.delete(memory, indices):
            for index in indices:
                self._slots.pop((memory, index), None)

    async def _delete_together(self, memory: str, indices: list[int]) -> bool:
        """Several deletions in one line; False unless they were done."""
        try:
            if not await self._storage.delete(memory, indices):
                return False
        except CommandTimeout:
            self._storage.chain_no_more()
            raise
        if len(indices) > self._proved:
            # A modem that says OK and obeys the first command of a line alone, or those that it has room for, would
            # run full.
            last = await self._storage.read(memory, indices[-1])
            if last is not None and last.pdu == self._slots[memory, indices[-1]].pdu:
                return False
            self._proved = len(indices)
        return True

    async def _is_other(self, memory: str, index: int, slot: _Slot) -> bool:
        """Whether the slot is empty, or holds another message by now."""
        stored = await self._storage.read(memory, index)
        if stored is not None and stored.pdu == slot.pdu:
            return False
        del self._slots[memory, index]
        if stored is not None:
            self._forget_indications({(memory, index)})
            self._offer(stored)
        return True

    async def _fetch_next(self) -> None:
        """Read what was told next; where much was told of one memory, all of it, in the order of the telling."""
        memory = self._place(self._indications[0][0])
        told = self._told(memory)
        if not await self._list_unread(memory, told):
            await self._fetch(memory, told[0])
            return
        # Asked again: what was stored before the listing has been told by now. What was shown and not told yet waits
        # for that, so that everything keeps its order.
        for index in self._told(memory):
            await self._fetch(memory, index)

    async def _list_unread(self, memory: str, told: Collection[int]) -> bool:
        """Read by one listing what is worth it; False if nothing was read."""
        unknown = [index for index in told if (memory, index) not in self._slots.keys() | self._listed.keys()]
        if len(unknown) < _WORTH_LISTING or not self._storage.lists_unread:
            return False
        shown = await self._storage.read_unread(memory, unknown)
        fresh = {(memory, stored.index): stored for stored in shown}
        self._listed.update({key: stored for key, stored in fresh.items() if key not in self._slots})
        return bool(shown)

    def _place(self, memory: str) -> str:
        return memory if self._storage.receiving else ""

    def _told(self, memory: str) -> list[int]:
        """The slots of this memory that were told and not read since, each once, in the order of the telling."""
        return list(dict.fromkeys(index for told, index in self._indications if self._place(told) == memory))

    def _forget_indications(self, read: Collection[tuple[str, int]]) -> None:
        """These slots have been read: what was told of them before says nothing more."""
        left = (each for each in self._indications if (self._place(each[0]), each[1]) not in read)
        self._indications = deque(left)

    async def _fetch(self, memory: str, index: int) -> None:
        stored = self._listed.get((memory, index)) or await self._storage.read(memory, index)
        self._forget_indications({(memory, index)})
        if stored is None:
            self.look_everywhere()
        else:
            self._offer(stored)

    async def _look_through(self, memory: str) -> None:
        found = await self._storage.read_all(memory)
        self._forget_indications({(stored.memory, stored.index) for stored in found})
        for stored in found:
            self._offer(stored)
        kept = sum(slot.kept for (place, _), slot in self._slots.items() if place == memory)
        if memory == self._storage.receiving and self._storage.is_full_of(kept):
            await self._storage.receive_elsewhere()

    def _offer(self, stored: StoredPdu) -> None:
        key = stored.memory, stored.index
        self._listed.pop(key, None)
        known = self._slots.get(key)
        if (known is not None and known.pdu == stored.pdu) or self._is_shown_twice(stored):
            return
        self._serial += 1
        receipt = Receipt(ReceiptKind.STORED, self._session, stored.memory, stored.index, self._serial)
        event = message_event(stored.pdu, stored.length, receipt)
        kept = isinstance(event, DeliverReceived) and event.deliver.data_coding.message_class == _SIM_SPECIFIC
        self._slots[key] = slot = _Slot(stored.pdu, self._serial, kept=kept)
        if self._storage.profile.cuts_reports and stored.pdu.startswith(_CUT_REPORT):
            log.warning("a report in %s was cut by the modem: it names no message", stored.memory or "its storage")
            self.acknowledge(receipt)
        elif kept and stored.pdu in self._kept:
            slot.acknowledged = True
        else:
            self._publish(event)

    def _is_shown_twice(self, stored: StoredPdu) -> bool:
        """MT shows the messages of SM and ME once more, under numbers of its own."""
        self._joined = self._joined or stored.memory == _JOINED
        return self._joined and any(
            slot.pdu == stored.pdu and memory != stored.memory and _JOINED in {memory, stored.memory}
            for (memory, _), slot in self._slots.items()
        )
