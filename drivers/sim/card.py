"""A SIM: what goes with the card when it is taken out of one modem and put into another.

Its PIN and the tries that are left (51.011, 8.4), its messages, its counter of TP-MR, what the network holds for it.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from drivers.sim.incoming import Incoming, Kind
from drivers.sim.memory import SlotMemory

PIN_TRIES, PUK_TRIES = 3, 10


class Holder(Protocol):
    """The station whose modem the card is in."""

    def pump(self) -> None:
        """Take what the network holds for the card."""


class SimCard:
    """One subscriber. `memory` is the storage SM; `holder` is None while the card is in no modem."""

    def __init__(self, iccid: str, imsi: str, number: str, pin: str | None, memory: SlotMemory) -> None:
        self.iccid, self.imsi, self.number, self.pin = iccid, imsi, number, pin
        self.memory = memory
        self.pin_tries, self.puk_tries = PIN_TRIES, PUK_TRIES
        self.waiting = {kind: deque[Incoming]() for kind in Kind}
        self.holder: Holder | None = None
        self._reference = -1

    def next_reference(self) -> int:
        """The counter of TP-MR: 0 to 255 and again (23.040, 9.2.3.6)."""
        self._reference = (self._reference + 1) % 256
        return self._reference

    def verify_pin(self, pin: str) -> bool:
        """Try a PIN: three wrong ones block it (51.011, 8.4)."""
        if pin == self.pin and self.pin_tries:
            self.pin_tries = PIN_TRIES
            return True
        self.pin_tries = max(self.pin_tries - 1, 0)
        return False

    def offer(self, incoming: Incoming) -> None:
        """The network has something for this card; its modem takes it now or as soon as there is room."""
        self.waiting[incoming.kind].append(incoming)
        if self.holder:
            self.holder.pump()


def swapped(iccid: str) -> str:
    """The ten octets of EF-ICCID (51.011, 10.1.1) in hexadecimal: two digits an octet, the second one first."""
    digits = iccid.ljust(20, "F")
    return "".join(digits[at + 1] + digits[at] for at in range(0, len(digits), 2))
