"""One mobile station: the equipment with its SIM, what it receives, and the network it is on.

This is what command tables act upon. It must not know how a link is written or read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from drivers.at.codes import CmsError
from drivers.sim.answers import RefusedError
from drivers.sim.calls import IncomingCall
from drivers.sim.card import SimCard, swapped
from drivers.sim.incoming import Incoming
from drivers.sim.ledger import Ledger
from drivers.sim.network import SimulatedNetwork
from drivers.sim.reception import Reception
from drivers.sim.recipient import USUAL
from drivers.sim.settings import SimSettings
from drivers.sim.start_up import StartUp
from drivers.sim.state import ABSENT, MobileEquipment
from drivers.sim.ussd import Ussd
from drivers.tpdu import SmsSubmit, TpduError

LOCATION_AREA, CELL, UTRAN = "00A1", "0000B2C3", 2


class MobileStation:
    """A subscriber of `network`. `notify` writes one unsolicited result of one or more lines to the terminal."""

    def __init__(self, settings: SimSettings, network: SimulatedNetwork, notify: Callable[..., None]) -> None:
        self.settings = settings
        self.network = network
        self.equipment = MobileEquipment(settings)
        self.profile = self.equipment.profile
        self.reception = Reception(self.equipment, notify)
        self.call = IncomingCall(self.equipment, notify)
        self.ussd = Ussd(self.equipment, notify)
        self.start_up = StartUp(self.equipment, notify)
        self.ledger = Ledger(settings.ledger_size)
        #: What arrives instead of what the network hands over, while something is wrong with that.
        self.arriving: Callable[[Incoming], Iterable[Incoming]] | None = None
        self._notify = notify
        network.join(self.card)
        self.card.holder = self

    @property
    def card(self) -> SimCard:
        """The SIM that is in the modem, or was last."""
        return self.equipment.card

    def pump(self) -> None:
        """The network has something for the card."""
        self.reception.pump()

    def submit(self, pdu: bytes) -> int | None:
        """Send an SMS-SUBMIT and return the reference it went out with (23.040, 9.2.3.6); or RefusedError.

        None when it went out and the network's answer is never heard.

        `pdu` is the service centre field and the TPDU; an empty field stands for the centre of +CSCA.
        """
        if not self.equipment.in_service:
            raise RefusedError(CmsError.NO_NETWORK_SERVICE)
        if pdu[0] == 0 and not self.equipment.smsc:
            raise RefusedError(CmsError.SMSC_ADDRESS_UNKNOWN)
        tpdu = pdu[1 + pdu[0] :]
        try:
            decoded = SmsSubmit.from_bytes(tpdu)
        except TpduError:
            raise RefusedError(CmsError.INVALID_PDU_MODE_PARAMETER) from None
        destination = decoded.tp_da.text
        refusal = self.settings.refused.get(destination) or self.settings.recipients.get(destination, USUAL).refusal
        if refusal is not None:
            raise RefusedError(refusal)
        reference = self.equipment.next_reference()
        self.network.accept(self, decoded, tpdu[:1] + bytes((reference,)) + tpdu[2:], reference)
        return None if destination in self.settings.silent else reference

    # --- power

    def restart(self) -> None:
        """+CFUN=<fun>,1: settings return to the factory's and a locked SIM wants its PIN again."""
        self.equipment.reset()
        self.equipment.pin_verified = self.card.pin is None

    def power_off(self) -> None:
        """Everything stops; what was not acknowledged waits with the network."""
        self.equipment.powered = False
        self._end_dialogues()
        self.start_up.stop()

    def power_on(self) -> None:
        """Start as from the factory, with whatever card is in."""
        self.restart()
        self.equipment.powered, self.equipment.functionality = True, self.profile.functionality
        self.equipment.sim_seen = self.equipment.sim_present
        self.start_up.begin()
        self.reception.pump()

    def set_functionality(self, value: int) -> None:
        """+CFUN (27.007, 8.2): 0 minimum, 1 full, 4 radio off."""
        came_on = value == 1 != self.equipment.functionality
        self.equipment.functionality = value
        if value != 1:
            self.call.forget()
        if came_on and self.equipment.sim_present and not self.equipment.sim_seen:
            self._see_card()

    def unlocked(self) -> None:
        """The PIN has been taken."""
        self.start_up.await_ready()
        self.registration_changed()

    # --- the SIM

    def remove_sim(self) -> None:
        """Take the card out; ValueError when there is none in the modem."""
        if not self.equipment.sim_present:
            raise ValueError("there is no SIM in the modem")
        self._end_dialogues()
        self.card.holder = None
        self.equipment.lose_card()
        self.start_up.sim_out()
        self.registration_changed()

    def insert_sim(self, iccid: str | None, number: str | None, pin: str | None) -> None:
        """Put a card in, as `SimulatedModem.insert_sim` says."""
        if self.equipment.sim_present:
            raise ValueError("there is a SIM in the modem already")
        card = self._card(iccid, number, pin)
        card.holder = self
        self.equipment.take_card(card)
        if not self.profile.sim_needs_radio:
            self._see_card()

    def _card(self, iccid: str | None, number: str | None, pin: str | None) -> SimCard:
        known = self.card if iccid is None else self.network.card_with(iccid)
        if known:
            if known.holder:
                raise ValueError("this SIM is in another modem")
            if number not in (None, known.number) or pin not in (None, known.pin):
                raise ValueError("this SIM is known with another number or PIN")
            return known
        new = str(iccid)
        if not (new.isascii() and new.isdigit() and 18 <= len(new) <= 20):
            raise ValueError("an ICCID has 18 to 20 digits")
        card = self.equipment.new_card(new, f"20899{new[-11:-1]}", number or self.network.free_number(), pin)
        self.network.join(card)
        return card

    def _see_card(self) -> None:
        self.equipment.sim_seen = True
        self.start_up.sim_in()
        self.registration_changed()

    def _end_dialogues(self) -> None:
        self.reception.close()
        self.call.forget()
        self.ussd.cancel()

    # --- what is shown

    def fields(self) -> dict[str, object]:
        """What lines of a profile may show; those of the SIM are of the card that is in."""
        equipment, card = self.equipment, self.card
        word = equipment.pin_word
        return {
            "imei": self.settings.imei,
            "imsi": card.imsi,
            "iccid": card.iccid,
            "swapped": swapped(card.iccid),
            "pin": card.pin_tries,
            "puk": card.puk_tries,
            "tries": card.puk_tries if word == "SIM PUK" else card.pin_tries,
            "word": word,
            "sim": int(word != ABSENT),
        }

    def registration_text(self, name: str) -> str:
        """<stat>, and where the cell is when the setting of `name` is 2 (27.007, 7.2)."""
        status = self.equipment.registration
        if self.equipment.command_settings.registration_reports[name] < 2 or not self.equipment.in_service:
            return str(status)
        return f'{status},"{LOCATION_AREA}","{CELL}",{UTRAN}'

    def registration_changed(self) -> None:
        """Tell it where that is asked for, and take what the network kept meanwhile."""
        for name, reports in self.equipment.command_settings.registration_reports.items():
            if reports:
                self._notify(f"{name}: {self.registration_text(name)}")
        self.reception.pump()
