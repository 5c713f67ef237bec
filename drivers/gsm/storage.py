"""The modem's memories for messages: which there are, and reading and freeing their slots (TS 27.005, 3.2.2 and 4).

+CPMS has one selection for reading (mem1), and every reading needs the right one. So one task alone uses a storage;
submits do not care which memory is selected and go on in between.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from drivers.at.commands import (
    ALL_MESSAGES,
    MEMORIES_IN_USE,
    MEMORIES_KNOWN,
    UNREAD_MESSAGES,
    delete_messages,
    read_message,
    select_memories,
)
from drivers.at.parameters import Parameter, parse_alternatives, parse_parameters
from drivers.at.urc import body_of, is_hexadecimal, name_of
from drivers.errors import CommandFailed, CommandTimeout
from drivers.gsm.channel import AtChannel
from drivers.gsm.profiles import GENERIC, Profile
from drivers.gsm.torn import READINGS

log = logging.getLogger(__name__)

# The memories that hold messages for us: SIM, equipment, both joined, status reports. BM (cell broadcast) does not.
_OURS = ("SM", "ME", "MT", "SR")
# Where news is best kept when the modem's own choice is none of these.
_RECEIVING = ("ME", "SM", "MT")
# <stat> of what came in, unread and read.
_RECEIVED = frozenset({0, 1})
# <stat> of what is to be sent, where the modem writes words.
_SENDING = 2
_MAX_SLOTS = 512
# Slots to look into where the modem does not say how many it has: those of a small SIM.
_UNKNOWN_SLOTS = 20
#: So long a command line, without AT, is taken by every modem: a phone book entry is longer (TS 27.007, 8.14). One that
#: was cut short by a modem would free another slot than was meant: 1 instead of 12.
LONGEST_LINE = 64


@dataclass(frozen=True, slots=True)
class StoredPdu:
    """One occupied slot: its memory and index, the hexadecimal PDU and the TPDU length that stood beside it.

    `status` is <stat> of TS 27.005, 3.1: 0 and 1 are received; None where the modem gave no number.
    """

    memory: str
    index: int
    pdu: str
    length: int | None
    status: int | None = None


class Storage:
    """The memories of one modem. A memory named ``""`` stands for the one that is selected and cannot be chosen."""

    def __init__(self, channel: AtChannel) -> None:
        self._channel = channel
        self._selected = ""
        self._listing = True
        self._lists_unread = True
        self._chains = True
        self._wants_all = False
        self._told_full = False
        self._receivable: tuple[str, ...] = ()
        self.profile: Profile = GENERIC
        self.memories: tuple[str, ...] = ("",)
        self.receiving = ""
        #: Slots in use and slots altogether of each memory, as last told.
        self.occupancy: dict[str, tuple[int, int]] = {}
        #: Messages of each memory that were not received: drafts, and what somebody else has sent.
        self.foreign: dict[str, int] = {}

    async def set_up(self) -> None:
        """Learn the memories and choose one to receive into; a modem may know less of this than all, or nothing."""
        self._listing = self._listing and self.profile.lists
        in_use = await self._in_use()
        known = await self._known()
        self._receivable = known[2] if len(known) > 2 else ()
        self.receiving = _preferred(in_use, known)
        self._selected = in_use[0] if in_use else ""
        for count in self.profile.memories:
            if self.receiving and await self._choose(*[self.receiving] * count):
                break
        else:
            self.receiving = self._selected
        ours = tuple(name for name in _OURS if name in known[0]) if known else ()
        others = tuple(name for name in ours if name != self.receiving)
        self.memories = (self.receiving, *others)

    async def _in_use(self) -> tuple[str, ...]:
        for line in await self._channel.optional(MEMORIES_IN_USE) or ():
            if name_of(line) == MEMORIES_IN_USE.name:
                values = parse_parameters(body_of(line))
                for at in range(0, len(values) - 2, 3):  # <mem>,<used>,<total> of each
                    self._learn(str(values[at]), *values[at + 1 : at + 3])
                return tuple(str(value) for value in values if isinstance(value, str))
        return ()

    async def count(self) -> None:
        """Learn how full the memories are; a modem need not tell."""
        await self._in_use()

    def is_full_of(self, kept: int) -> bool:
        """Whether the memory that is received into has no room, and `kept` of its messages and drafts are all of it."""
        used, total = self.occupancy.get(self.receiving, (0, 0))
        return 0 < total <= used and self.foreign.get(self.receiving, 0) + kept >= total

    async def receive_elsewhere(self) -> bool:
        """Receive into another memory that has room: mem3 of +CPMS; False if there is none, or the modem refuses."""
        for name in _RECEIVING:
            used, total = self.occupancy.get(name, (0, 1))
            if name == self.receiving or name not in self._receivable or name not in self.memories or used >= total:
                continue
            if await self._choose(name, name, name):
                log.warning(
                    "%s is full of messages that are not to be deleted: receiving into %s", self.receiving, name
                )
                self.receiving = name
                return True
        if not self._told_full:
            log.warning("%s is full of what is not to be deleted, and there is no other memory", self.receiving)
        self._told_full = True
        return False

    async def _known(self) -> tuple[tuple[str, ...], ...]:
        for line in await self._channel.optional(MEMORIES_KNOWN) or ():
            if name_of(line) == MEMORIES_KNOWN.name:
                return parse_alternatives(body_of(line))
        return ()

    async def _choose(self, *memories: str) -> bool:
        lines = await self._channel.optional(select_memories(*memories))
        if lines is None:
            return False
        self._selected = memories[0]
        for line in lines:  # +CPMS: <used1>,<total1>[,…] of mem1 first
            if name_of(line) == MEMORIES_IN_USE.name:
                self._learn(memories[0], *parse_parameters(body_of(line))[:2])
        return True

    def _learn(self, memory: str, used: Parameter = None, total: Parameter = None) -> None:
        if isinstance(used, int) and isinstance(total, int):
            self.occupancy[memory] = used, total

    async def select(self, memory: str) -> bool:
        """Make `memory` the one that is read; False if the modem will not."""
        if memory in {"", self._selected}:
            return True
        if not self._wants_all and await self._choose(memory):
            return True
        # A family that wants all three is told again where to receive.
        self._wants_all = await self._choose(memory, memory, self.receiving or memory)
        return self._wants_all

    async def read(self, memory: str, index: int) -> StoredPdu | None:
        """The message in one slot; None if it is empty, not for us, or cannot be read."""
        if not await self.select(memory):
            return None
        stored: StoredPdu | None = None
        for _ in range(READINGS):
            lines = await self._channel.optional(read_message(index))
            found = _received(_stored(lines or (), memory, "+CMGR"))
            stored = replace(found[0], index=index) if found else stored
            if not found or _fits(found[0]):
                break
        return stored

    async def _sure(self, memory: str, found: Sequence[StoredPdu]) -> list[StoredPdu]:
        """What a listing shows; what lost octets on the line is still whole in its slot, and read there."""
        return [each if _fits(each) else await self.read(memory, each.index) or each for each in found]

    async def read_all(self, memory: str) -> list[StoredPdu]:
        """Every message for us in `memory`."""
        if not await self.select(memory):
            return []
        if self._listing:
            try:
                stored = _stored(await self._channel.execute(ALL_MESSAGES), memory, "+CMGL")
                found = _received(stored)
                self.foreign[memory] = len(stored) - len(found)
                return await self._sure(memory, found)
            except CommandFailed:
                self._listing = False
            except CommandTimeout as error:
                self._listing = False  # a family exists that hangs in +CMGL and answers +CMGR
                return _received(_stored(error.lines, memory, "+CMGL"))
        return await self._read_each(memory)

    @property
    def lists_unread(self) -> bool:
        """Whether a listing of what is new is worth trying."""
        return self._listing and self._lists_unread

    async def read_unread(self, memory: str, told: Collection[int]) -> list[StoredPdu]:
        """What is new in `memory`, by one listing; `told` are slots that the modem has told of."""
        if not await self.select(memory):
            return []
        try:
            found = _received(_stored(await self._channel.execute(UNREAD_MESSAGES), memory, "+CMGL"))
        except CommandFailed:
            found = []
        except CommandTimeout as error:
            self._listing = False
            found = _received(_stored(error.lines, memory, "+CMGL"))
        # Where none of them is shown the modem cannot list so, or calls read what it has just stored.
        self._lists_unread = any(stored.index in told for stored in found)
        return await self._sure(memory, found)

    async def _read_each(self, memory: str) -> list[StoredPdu]:
        """Slot by slot, from 0 for the modems that count so to the total for those that begin with 1."""
        used, total = await self._occupancy()
        found: list[StoredPdu] = []
        for index in range(min(total, _MAX_SLOTS) + 1):
            if used is not None and len(found) >= used:
                break
            stored = await self.read(memory, index)
            if stored is not None:
                found.append(stored)
        return found

    async def _occupancy(self) -> tuple[int | None, int]:
        """How many slots of the selected memory are used, and how many there are."""
        for line in await self._channel.optional(MEMORIES_IN_USE) or ():
            values = parse_parameters(body_of(line))
            if name_of(line) == MEMORIES_IN_USE.name and len(values) > 2:
                used, total = values[1], values[2]
                if isinstance(used, int) and isinstance(total, int):
                    return used, total
        return None, _UNKNOWN_SLOTS

    def take_together(self, indices: Sequence[int]) -> bool:
        """Whether `delete` takes so many slots by one command line."""
        return len(indices) == 1 or (self._chains and len(delete_messages(*indices).text) - len("AT") <= LONGEST_LINE)

    def chain_no_more(self) -> None:
        """From now on one deletion a line."""
        self._chains = False

    async def delete(self, memory: str, indices: Sequence[int]) -> bool:
        """Free these slots; False if the modem refused: of several, some may be free then."""
        if not await self.select(memory):
            return False
        try:
            await self._channel.execute(delete_messages(*indices))
        except CommandFailed:
            if len(indices) == 1:
                log.warning("a message could not be deleted from %s", memory or "the modem's storage")
            return False
        return True


def _preferred(in_use: tuple[str, ...], known: tuple[tuple[str, ...], ...]) -> str:
    """Where received messages are to go: where the modem puts them now, if that can be read too."""
    now = in_use[2] if len(in_use) > 2 else next(iter(in_use), "")
    readable = known[0] if known else ()
    if now in _RECEIVING and (not readable or now in readable):
        return now
    receivable = known[2] if len(known) > 2 else readable
    return next((name for name in _RECEIVING if name in readable and name in receivable), now)


def _stored(lines: tuple[str, ...], memory: str, name: str) -> list[StoredPdu]:
    """The messages of an answer: each a header line and, under it, a line of hexadecimal octets."""
    found: list[StoredPdu] = []
    header: tuple[Parameter, ...] = ()
    for line in lines:
        if name_of(line) == name:
            header = parse_parameters(body_of(line))
        elif header and is_hexadecimal(line):  # an unknown word of the modem's may stand in between
            stored = _entry(header, line, memory, name)
            header = ()
            if stored is not None:
                found.append(stored)
    return found


def _entry(header: tuple[Parameter, ...], line: str, memory: str, name: str) -> StoredPdu | None:
    """``+CMGL: <index>,<stat>,[<alpha>],<length>`` and ``+CMGR: <stat>,[<alpha>],<length>``."""
    index, rest = (header[0], header[1:]) if name == "+CMGL" else (0, header)
    status = rest[0] if rest else None
    if not isinstance(index, int):
        return None
    length = rest[-1] if len(rest) > 1 else None
    return StoredPdu(
        memory,
        index,
        line.upper(),
        _number(length),
        _SENDING if isinstance(status, str) and status.upper().startswith("STO") else _number(status),
    )


def _fits(stored: StoredPdu) -> bool:
    """Whether there are as many octets as the header counts (27.005, 3.1: <length>), with or without <sca>."""
    octets = len(stored.pdu) // 2
    return stored.length in {None, octets, octets - 1 - int(stored.pdu[:2], 16)}


def _number(value: Parameter) -> int | None:
    return value if isinstance(value, int) else None


def _received(stored: Sequence[StoredPdu]) -> list[StoredPdu]:
    """Those that came in; what we or somebody else put there to be sent is left alone."""
    return [each for each in stored if each.status is None or each.status in _RECEIVED]
