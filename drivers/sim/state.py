"""What a simulated mobile equipment remembers between commands: its SIM, its settings and its storages.

Nothing here parses or answers; command tables read and change it. Names follow 3GPP TS 27.005 and 27.007.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.sim.memory import JoinedMemory, MessageMemory, SlotMemory
from drivers.sim.settings import SimSettings

PIN_TRIES, PUK_TRIES = 3, 10
REGISTERED = (1, 5)


@dataclass(slots=True)
class Indications:
    """+CNMI of 27.005, 3.4.1: how received messages (mt), broadcasts (bm) and status reports (ds) are told."""

    mode: int = 0
    mt: int = 0
    bm: int = 0
    ds: int = 0
    bfr: int = 0


@dataclass(slots=True)
class CommandSettings:
    """What commands set and `Z` or `&F` put back."""

    cmee: int = 0
    text_mode: bool = False
    character_set: str = "IRA"
    phase: int = 0
    show_parameters: bool = False
    first_octet: int = 17
    validity: int = 167
    protocol: int = 0
    coding: int = 0
    more_messages: int = 0
    registration_reports: dict[str, int] = field(default_factory=lambda: {"+CREG": 0, "+CGREG": 0, "+CEREG": 0})
    indications: Indications = field(default_factory=Indications)
    memories: list[str] = field(default_factory=lambda: ["SM", "SM", "SM"])
    operator_format: int = 0


class MobileEquipment:
    """The state of one modem. `pin_waiting` and `puk_waiting` follow the SIM's own counters."""

    def __init__(self, settings: SimSettings) -> None:
        self.settings = settings
        self.command_settings = CommandSettings()
        self.smsc = settings.smsc
        self.functionality = 1
        self.pin_verified = settings.pin is None
        self.pin_tries, self.puk_tries = PIN_TRIES, PUK_TRIES
        sm = SlotMemory(settings.sm_capacity, settings.first_index)
        me = SlotMemory(settings.me_capacity, settings.first_index)
        sr = SlotMemory(settings.sr_capacity, settings.first_index)
        self.storages: dict[str, MessageMemory] = {"SM": sm, "ME": me, "MT": JoinedMemory(me, sm), "SR": sr}
        #: <stat> of 27.007, 7.2 that the network gives it now.
        self.found_registration = settings.registration
        #: The TP-MR that every message gets, on equipment that does not count.
        self.stuck_reference: int | None = None
        self.reference = -1

    def reset(self) -> None:
        """The factory's settings (V.250, 6.1.2); SIM, storages and the service centre are not touched."""
        self.command_settings = CommandSettings()

    @property
    def memory(self) -> MessageMemory:
        """<mem1>: what is listed, read and deleted."""
        return self.storages[self.command_settings.memories[0]]

    @property
    def sending_memory(self) -> MessageMemory:
        """<mem2>: what is written and sent from storage."""
        return self.storages[self.command_settings.memories[1]]

    @property
    def pin_word(self) -> str:
        """<code> of +CPIN (27.007, 8.3)."""
        if self.pin_tries == 0:
            return "SIM PUK"
        return "READY" if self.pin_verified else "SIM PIN"

    @property
    def registration(self) -> int:
        """<stat> of 27.007, 7.2: none while the radio is off or the SIM is locked."""
        return self.found_registration if self.functionality == 1 and self.pin_word == "READY" else 0

    @property
    def in_service(self) -> bool:
        """Whether messages can be sent and received."""
        return self.registration in REGISTERED

    def next_reference(self) -> int:
        """The SIM's counter of TP-MR: 0 to 255 and again (23.040, 9.2.3.6)."""
        if self.stuck_reference is not None:
            return self.stuck_reference
        self.reference = (self.reference + 1) % 256
        return self.reference

    def verify_pin(self, pin: str) -> bool:
        """Try a PIN against the SIM: three wrong ones block it (51.011, 8.4)."""
        if pin == self.settings.pin and self.pin_tries:
            self.pin_verified, self.pin_tries = True, PIN_TRIES
            return True
        self.pin_tries = max(self.pin_tries - 1, 0)
        return False
