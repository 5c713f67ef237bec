"""What a simulated mobile equipment remembers between commands: its SIM, its settings and its storages.

Nothing here parses or answers; command tables read and change it. Names follow 3GPP TS 27.005 and 27.007.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.sim.card import SimCard
from drivers.sim.memory import JoinedMemory, MessageMemory, SlotMemory
from drivers.sim.settings import SimSettings

REGISTERED = (1, 5)
ABSENT = "ABSENT"


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
    caller_shown: int = 0
    call_kind_shown: int = 0
    ussd_shown: int = 0
    news: set[str] = field(default_factory=set[str])
    """Commands of the family that have switched their news on."""


class MobileEquipment:
    """The state of one modem: what it is set to, and the card that is in it or was last."""

    def __init__(self, settings: SimSettings) -> None:
        self.settings = settings
        self.profile = settings.family
        self.first_index = self.profile.storages.first_index if settings.first_index is None else settings.first_index
        self._own = {
            name: SlotMemory(size, self.first_index) for name, size in settings.capacities.items() if name != "SM"
        }
        self.smsc = settings.smsc
        self.functionality = self.profile.functionality
        self.powered = True
        self.messages_ready = self.profile.unready is None
        self.storages: dict[str, MessageMemory] = {}
        self.reset()
        self.take_card(self.new_card(settings.iccid, settings.imsi, settings.number, settings.pin))
        self.sim_seen = True

    def reset(self) -> None:
        """The factory's settings (V.250, 6.1.2); SIM, storages and the service centre are not touched."""
        routing = Indications(*self.profile.routing.first)
        self.command_settings = CommandSettings(indications=routing, memories=list(self.profile.storages.first))

    def new_card(self, iccid: str, imsi: str, number: str, pin: str | None) -> SimCard:
        """A card with an empty storage of the size that this modem expects."""
        return SimCard(iccid, imsi, number, pin, SlotMemory(self.settings.capacities["SM"], self.first_index))

    def take_card(self, card: SimCard) -> None:
        """`card` is in the modem; it is another thing whether the modem has seen it (`sim_seen`)."""
        self.card = card
        card.memory.first_index = self.first_index
        self.sim_present = True
        self.pin_verified = card.pin is None
        self._join_storages(card.memory)

    def lose_card(self) -> None:
        """The card has been taken out."""
        self.sim_present = self.sim_seen = False
        self._join_storages(SlotMemory(0, self.first_index))

    def _join_storages(self, sm: SlotMemory) -> None:
        self.storages = {"SM": sm, **self._own}
        if "ME" in self._own:
            self.storages["MT"] = JoinedMemory(self._own["ME"], sm)

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
        """<code> of +CPIN (27.007, 8.3), or ABSENT."""
        if not self.sim_seen:
            return ABSENT
        if self.card.pin_tries == 0:
            return "SIM PUK"
        return "READY" if self.pin_verified else "SIM PIN"

    @property
    def registration(self) -> int:
        """<stat> of 27.007, 7.2: none while the radio is off or the SIM is locked."""
        return self.settings.registration if self.functionality == 1 and self.pin_word == "READY" else 0

    @property
    def in_service(self) -> bool:
        """Whether messages can be sent and received."""
        return self.powered and self.registration in REGISTERED

    def next_reference(self) -> int:
        """The SIM's counter of TP-MR."""
        return self.card.next_reference()

    def verify_pin(self, pin: str) -> bool:
        """Try a PIN against the SIM."""
        self.pin_verified = self.card.verify_pin(pin)
        return self.pin_verified
