"""One mobile station: the equipment with its SIM, what it receives, and the network it is on.

This is what command tables act upon. It must not know how a link is written or read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from drivers.at.codes import CmsError
from drivers.sim.answers import RefusedError
from drivers.sim.incoming import Incoming
from drivers.sim.ledger import Ledger
from drivers.sim.network import SimulatedNetwork
from drivers.sim.reception import Reception
from drivers.sim.settings import SimSettings
from drivers.sim.state import MobileEquipment
from drivers.tpdu import SmsSubmit, TpduError

LOCATION_AREA, CELL, UTRAN = "00A1", "0000B2C3", 2


class MobileStation:
    """A subscriber of `network`. `notify` writes one unsolicited result of one or more lines to the terminal."""

    def __init__(self, settings: SimSettings, network: SimulatedNetwork, notify: Callable[..., None]) -> None:
        self.settings = settings
        self.network = network
        self.equipment = MobileEquipment(settings)
        self.reception = Reception(self.equipment, notify)
        self.ledger = Ledger(settings.ledger_size)
        #: What arrives instead of what the network hands over, while something is wrong with that.
        self.arriving: Callable[[Incoming], Iterable[Incoming]] | None = None
        self._notify = notify
        network.join(self)

    def receive(self, incoming: Incoming) -> None:
        """The network hands over a message or report."""
        if self.arriving is None:
            self.reception.offer(incoming)
        else:
            for one in self.arriving(incoming):
                self.reception.offer(one)

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
        if destination in self.settings.refused:
            raise RefusedError(self.settings.refused[destination])
        reference = self.equipment.next_reference()
        self.network.accept(self, decoded, tpdu[:1] + bytes((reference,)) + tpdu[2:], reference)
        return None if destination in self.settings.silent else reference

    def restart(self) -> None:
        """+CFUN=<fun>,1: settings return to the factory's and a locked SIM wants its PIN again."""
        self.equipment.reset()
        self.equipment.pin_verified = self.settings.pin is None

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
