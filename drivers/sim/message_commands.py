"""Commands that send, write, list, read and delete messages: 3GPP TS 27.005, 3.4, 3.5 and 4.

`AT^SIMSMS="SENDER","TEXT"` is the one command that no real modem has: the message arrives from the network. The text
is UTF-8; a quotation mark in it is written `\\22` (V.250, 5.4.2.2).
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.at.codes import CmsError
from drivers.at.equipment_grammar import Command, Form
from drivers.sim import text_mode
from drivers.sim.answers import OK, Answer, Information, Later, Lines, Prompt, RefusedError, Silence, integer, lines
from drivers.sim.handlers import CommandTable, accept, fixed
from drivers.sim.memory import MemoryFullError, MessageMemory, Status, StoredMessage
from drivers.sim.state import CommandSettings
from drivers.sim.station import MobileStation
from drivers.tpdu import TpduError

MAX_TPDU = 164  # 23.040, 9.2.2: the longest TPDU with its user data
INVALID_PDU, INVALID_TEXT = CmsError.INVALID_PDU_MODE_PARAMETER, CmsError.INVALID_TEXT_MODE_PARAMETER
ALL = 4
_STATUS_WORDS = {"REC UNREAD": 0, "REC READ": 1, "STO UNSENT": 2, "STO SENT": 3, "ALL": ALL}
# 27.005, 3.5.4: what each <delflag> of +CMGD leaves alone.
_KEPT = {1: (0, 2, 3), 2: (0, 2), 3: (0,), 4: ()}


# --- sending and writing


def _send(station: MobileStation, command: Command) -> Answer:
    """+CMGS: the answer comes `latency` seconds after Ctrl-Z."""
    read = _payload_reader(station, command)
    return Prompt(lambda typed: _submitted(station, "+CMGS", read(typed)))


def _submitted(station: MobileStation, name: str, pdu: bytes, sent: Callable[[], None] | None = None) -> Answer:
    def answer() -> Answer:
        reference = station.submit(pdu)
        if sent:
            sent()
        return Silence() if reference is None else lines(f"{name}: {reference}")

    delay = station.settings.latency
    return Later(delay, answer) if delay > 0 else answer()


def _write(station: MobileStation, command: Command) -> Answer:
    """+CMGW: the second parameter of PDU mode, the third of text mode, is <stat> of the new message."""
    read = _payload_reader(station, command)
    if station.equipment.command_settings.text_mode:
        words = command.parameters[2:3] or (None,)
        status = _STATUS_WORDS.get(words[0] or "STO UNSENT", ALL)
        if status == ALL:
            raise RefusedError(INVALID_TEXT)
    else:
        status = integer(command, 1, range(4), Status.STO_UNSENT, refusal=INVALID_PDU)

    def store(typed: bytes) -> Answer:
        try:
            index = station.equipment.sending_memory.store(StoredMessage(Status(status), read(typed)))
        except MemoryFullError:
            raise RefusedError(CmsError.MEMORY_FULL) from None
        return lines(f"+CMGW: {index}")

    return Prompt(store)


def _send_stored(station: MobileStation, command: Command) -> Answer:
    memory = station.equipment.sending_memory
    index = _index(command)
    message = _occupied(memory, index)
    if len(command.parameters) > 1:
        raise RefusedError(CmsError.OPERATION_NOT_SUPPORTED)
    return _submitted(station, "+CMSS", message.pdu, lambda: memory.mark(index, Status.STO_SENT))


def _payload_reader(station: MobileStation, command: Command) -> Callable[[bytes], bytes]:
    """What makes a PDU of the typed payload: hexadecimal octets in PDU mode, a text in text mode."""
    chosen = station.equipment.command_settings
    if not chosen.text_mode:
        length = integer(command, 0, range(1, MAX_TPDU + 1), refusal=INVALID_PDU)
        return lambda typed: _pdu(typed, length)
    destination = text_mode.from_terminal(chosen, (command.parameters or ("",))[0] or "")
    if not destination:
        raise RefusedError(INVALID_TEXT)
    return lambda typed: text_mode.submit(chosen, destination, typed)


def _pdu(typed: bytes, length: int) -> bytes:
    """The typed octets; <length> counts the TPDU without the service centre field (27.005, 4.3)."""
    try:
        pdu = bytes.fromhex(typed.decode("ascii"))
    except ValueError:
        raise RefusedError(INVALID_PDU) from None
    if not pdu or len(pdu) != 1 + pdu[0] + length:
        raise RefusedError(INVALID_PDU)
    return pdu


# --- reading and deleting


def _read(station: MobileStation, command: Command) -> Answer:
    memory, index = station.equipment.memory, _index(command)
    if station.profile.empty_slot_is_ok and _slot(memory, index) is None:
        return OK
    message = _occupied(memory, index)
    shown = text_mode.stored(station.equipment.command_settings, "+CMGR: ", message)
    memory.mark(index, _after_reading(message.status))
    return Information((shown,))


def _list(station: MobileStation, command: Command) -> Answer:
    chosen, memory = station.equipment.command_settings, station.equipment.memory
    wanted = _wanted(chosen, command)
    blocks = list[Lines]()
    for index, message in tuple(memory.items()):
        if wanted in (ALL, message.status):
            blocks.append(text_mode.stored(chosen, f"+CMGL: {index},", message, listed=True))
            memory.mark(index, _after_reading(message.status))
    return Information(tuple(blocks))


def _listable(station: MobileStation, _command: Command) -> Answer:
    words = ",".join(f'"{word}"' for word in _STATUS_WORDS)
    return lines(f"+CMGL: ({words if station.equipment.command_settings.text_mode else '0-4'})")


def _wanted(chosen: CommandSettings, command: Command) -> int:
    """<stat>: a number in PDU mode, a word in text mode; left out, what was received and not read."""
    if not chosen.text_mode:
        return integer(command, 0, range(5), Status.REC_UNREAD, refusal=INVALID_PDU)
    word = (command.parameters or ("REC UNREAD",))[0]
    if word not in _STATUS_WORDS:
        raise RefusedError(INVALID_TEXT)
    return _STATUS_WORDS[word]


def _delete(station: MobileStation, command: Command) -> Answer:
    memory = station.equipment.memory
    flags = range(5) if station.profile.deletes_by_flag else range(0)
    flag = integer(command, 1, flags, 0, refusal=CmsError.INVALID_MEMORY_INDEX)
    if flag == 0:
        index = _index(command)
        _slot(memory, index)
        memory.delete(index)
    else:
        for index, message in tuple(memory.items()):
            if message.status not in _KEPT[flag]:
                memory.delete(index)
    station.reception.pump()
    return OK


def _deletable(station: MobileStation, _command: Command) -> Answer:
    indices = ",".join(str(index) for index, _message in station.equipment.memory.items())
    return lines(f"+CMGD: ({indices})" + (",(0-4)" if station.profile.deletes_by_flag else ""))


def _index(command: Command) -> int:
    return integer(command, 0, range(65536), refusal=CmsError.INVALID_MEMORY_INDEX)


def _slot(memory: MessageMemory, index: int) -> StoredMessage | None:
    try:
        return memory.get(index)
    except IndexError:
        raise RefusedError(CmsError.INVALID_MEMORY_INDEX) from None


def _occupied(memory: MessageMemory, index: int) -> StoredMessage:
    message = _slot(memory, index)
    if message is None:
        raise RefusedError(CmsError.INVALID_MEMORY_INDEX)
    return message


def _after_reading(status: Status) -> Status:
    return Status.REC_READ if status is Status.REC_UNREAD else status


# --- acknowledging and injecting


def _acknowledge(station: MobileStation, command: Command) -> Answer:
    """+CNMA, and +CNMA=<n>[,<length>] of PDU mode: 2 refuses, a length announces an acknowledgement TPDU (4.7)."""
    number = integer(command, 0, range(3), 0, refusal=INVALID_PDU)
    length = integer(command, 1, range(MAX_TPDU + 1), 0, refusal=INVALID_PDU)

    def settle(_typed: bytes = b"") -> Answer:
        station.reception.acknowledge(accepted=number != 2)
        return OK

    return Prompt(settle) if length else settle()


def _inject(station: MobileStation, command: Command) -> Answer:
    if len(command.parameters) != 2:
        raise RefusedError
    sender, text = (parameter or "" for parameter in command.parameters)
    try:
        station.network.inject(station, sender, text)
    except (TpduError, ValueError):
        raise RefusedError from None
    return OK


COMMANDS: CommandTable = {
    ("+CMGS", Form.SET): _send,
    ("+CMGS", Form.TEST): accept,
    ("+CMGW", Form.SET): _write,
    ("+CMGW", Form.TEST): accept,
    ("+CMSS", Form.SET): _send_stored,
    ("+CMSS", Form.TEST): accept,
    ("+CMGR", Form.SET): _read,
    ("+CMGR", Form.TEST): accept,
    ("+CMGL", Form.SET): _list,
    ("+CMGL", Form.EXECUTE): _list,
    ("+CMGL", Form.TEST): _listable,
    ("+CMGD", Form.SET): _delete,
    ("+CMGD", Form.TEST): _deletable,
    ("+CNMA", Form.EXECUTE): _acknowledge,
    ("+CNMA", Form.SET): _acknowledge,
    ("+CNMA", Form.TEST): fixed("+CNMA: (0-2)"),
    ("^SIMSMS", Form.SET): _inject,
}
SIM_COMMANDS = frozenset(name for name, _form in COMMANDS)
