"""Troubles of what the equipment is: registration, SIM, storage, settings and its counter of messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from drivers.at.codes import CmsError
from drivers.at.equipment_grammar import Command, Form
from drivers.sim.answers import OK, Answer, RefusedError
from drivers.sim.memory import MemoryFullError, MessageMemory, Status, StoredMessage
from drivers.sim.state import Indications
from drivers.sim.troubles.base import Lasting, Momentary, Patient, Produce
from drivers.sim.troubles.options import FLAG, count, either, one_of, option
from drivers.tpdu import Address, SmsDeliver, SmsSubmit, TimeStamp, UserData

# <stat> of 27.007, 7.2
STATES = {"none": 0, "home": 1, "searching": 2, "denied": 3, "unknown": 4, "roaming": 5}


def find_registration(modem: Patient, stat: int) -> None:
    """Let the network give it this <stat>, and tell it where that is asked for."""
    modem.station.equipment.found_registration = stat
    modem.station.registration_changed()


@dataclass(kw_only=True, eq=False)
class Unregistered(Lasting):
    """the network is lost, refuses the SIM, or is another one"""

    name = "unregister"

    stat: str = option(
        one_of(*STATES), "searching", "what +CREG says", draw=either("none", "searching", "denied", "roaming")
    )

    def begin(self) -> None:
        find_registration(self.modem, STATES[self.stat])

    def finish(self) -> None:
        find_registration(self.modem, self.modem.settings.registration)


@dataclass(kw_only=True, eq=False)
class SimLost(Lasting):
    """the SIM is not found in its holder"""

    name = "sim-lost"

    def begin(self) -> None:
        if self.modem.station.equipment.sim_present:
            self.modem.station.remove_sim()

    def finish(self) -> None:
        if not self.modem.station.equipment.sim_present:
            self.modem.station.insert_sim(None, None, None)


@dataclass(kw_only=True, eq=False)
class PinAgain(Momentary):
    """the SIM wants its PIN once more"""

    name = "pin-again"

    def check(self, modem: Patient) -> None:
        if modem.station.card.pin is None:
            raise ValueError("pin-again: this SIM has no PIN")

    def happen(self) -> None:
        self.modem.station.equipment.pin_verified = False
        self.modem.station.registration_changed()


@dataclass(kw_only=True, eq=False)
class RoutingReset(Momentary):
    """+CNMI is 0 all at once: nothing that arrives is told"""

    name = "cnmi-reset"

    def happen(self) -> None:
        self.modem.station.equipment.command_settings.indications = Indications()


@dataclass(kw_only=True, eq=False)
class TextMode(Lasting):
    """text mode is on; PDU mode is refused, or said to be taken and forgotten"""

    name = "text-mode"
    weight = 0.5

    forgets: bool = option(FLAG, False, "whether +CMGF=0 is answered with OK all the same", draw=either(True, False))

    def begin(self) -> None:
        self._wanted = self.modem.station.equipment.command_settings.text_mode
        self._force()

    def heard(self, octet: int) -> bool:  # noqa: ARG002 - before any octet, as a reset puts PDU mode back
        self._force()
        return True

    def command(self, command: Command, produce: Produce) -> Answer:
        if (command.name, command.form, command.value or "0") == ("+CMGF", Form.SET, "0"):
            if self.forgets:
                self._wanted = False
                return OK
            raise RefusedError(CmsError.OPERATION_NOT_ALLOWED)
        return produce()

    def finish(self) -> None:
        self.modem.station.equipment.command_settings.text_mode = self._wanted

    def _force(self) -> None:
        self.modem.station.equipment.command_settings.text_mode = True


@dataclass(kw_only=True, eq=False)
class SameReference(Lasting):
    """every message gets the reference of the last one"""

    name = "same-reference"

    def begin(self) -> None:
        equipment = self.modem.station.equipment
        equipment.stuck_reference = equipment.reference

    def finish(self) -> None:
        self.modem.station.equipment.stuck_reference = None


@dataclass(kw_only=True, eq=False)
class ZeroReference(SameReference):
    """every message gets the reference 0"""

    name = "zero-reference"

    def begin(self) -> None:
        self.modem.station.equipment.stuck_reference = 0


MOMENT = datetime(2020, 1, 1, tzinfo=UTC)
JUNK_SENDER = "+33639980999"  # of the block that French numbering keeps for fiction


@dataclass(kw_only=True, eq=False)
class FullMemory(Lasting):
    """a storage is full of old drafts or messages; what arrives waits in the network"""

    name = "full-memory"

    junk: str = option(one_of("drafts", "messages"), "drafts", "of what it is full", draw=either("drafts"))
    storage: str = option(one_of("SM", "ME"), "SM", "which one; SM where the family has no ME", draw=either("SM", "ME"))
    free: int = option(count(range(1000)), 0, "slots that stay free", draw=either(0, 0, 1))
    urc: bool = option(FLAG, False, "whether ^SMMEMFULL tells it", draw=either(True, False))
    refuse: bool = option(FLAG, False, "whether submissions end with +CMS ERROR: 322", draw=either(True, False, False))
    _junk: list[StoredMessage] = field(default_factory=list[StoredMessage], init=False, repr=False)

    def begin(self) -> None:
        memory = self._memory()
        while memory.capacity - memory.used > self.free:
            self._junk.append(self._made(len(self._junk)))
            try:
                memory.store(self._junk[-1])
            except MemoryFullError:
                break
        if self.urc:
            self.modem.notify(f'^SMMEMFULL: "{self.storage}"')

    def submission(self, command: Command, produce: Produce) -> Answer:  # noqa: ARG002 - any submission
        if self.refuse and self._memory().used == self._memory().capacity:
            raise RefusedError(CmsError.MEMORY_FULL)
        return produce()

    def finish(self) -> None:
        """Whoever owns the junk deletes what is left of it."""
        memory = self._memory()
        pdus = {message.pdu for message in self._junk}
        for index in [index for index, message in memory.items() if message.pdu in pdus]:
            memory.delete(index)
        self.modem.station.reception.pump()

    def _memory(self) -> MessageMemory:
        storages = self.modem.station.equipment.storages
        return storages.get(self.storage) or storages["SM"]

    def _made(self, number: int) -> StoredMessage:
        address, user_data = Address.from_text(JUNK_SENDER), UserData(text=f"junk {number}")
        if self.junk == "drafts":
            draft = SmsSubmit(tp_da=address, tp_ud=user_data).to_bytes()
            return StoredMessage(Status.STO_UNSENT, b"\x00" + draft)
        stamp = TimeStamp.from_datetime(MOMENT)
        message = SmsDeliver(tp_oa=address, tp_scts=stamp, tp_ud=user_data).to_bytes()
        return StoredMessage(Status.REC_READ, b"\x00" + message)
