"""Incoming voice calls: they ring until they are rejected or the caller gives up. None is ever answered.

Sources: 3GPP TS 27.007, 6.5 (+CHUP), 6.11 (+CRC), 7.6 (+CLIP); V.250, 6.3.6 (ATH).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from drivers.sim.state import MobileEquipment

WITHHELD, NATIONAL, INTERNATIONAL = 128, 129, 145


class IncomingCall:
    """The one call that a modem can have. `notify` writes one unsolicited result."""

    def __init__(self, equipment: MobileEquipment, notify: Callable[..., None]) -> None:
        self._equipment = equipment
        self._notify = notify
        self._number: str | None = None
        self._rings: asyncio.TimerHandle | None = None
        self._ends: asyncio.TimerHandle | None = None

    @property
    def ringing(self) -> bool:
        """Whether a call has come in and not ended."""
        return self._ends is not None

    def begin(self, number: str | None) -> bool:
        """Let somebody call, None from a withheld number; False where that finds the line busy or no service."""
        if self.ringing or not self._equipment.in_service:
            return False
        self._number = number
        seconds = self._equipment.settings.call_seconds
        self._ends = asyncio.get_running_loop().call_later(seconds, self.lose)
        self._ring()
        return True

    def hang_up(self) -> None:
        """The terminal rejects the call; without one nothing happens."""
        if self.ringing:
            self.forget()
            self._tell(*self._equipment.profile.calls.rejected)

    def lose(self) -> None:
        """The caller gives up."""
        if self.ringing:
            self.forget()
            self._tell(*self._equipment.profile.calls.lost)

    def forget(self) -> None:
        """The call is over and nothing is said about it."""
        for timer in (self._rings, self._ends):
            if timer:
                timer.cancel()
        self._rings = self._ends = None

    def _ring(self) -> None:
        chosen, calls = self._equipment.command_settings, self._equipment.profile.calls
        caller = (calls.caller,) if chosen.caller_shown else ()
        self._rings = asyncio.get_running_loop().call_later(self._equipment.settings.ring_every, self._ring)
        self._tell(*calls.ring, "+CRING: VOICE" if chosen.call_kind_shown else "RING", *caller)

    def _tell(self, *texts: str) -> None:
        number = self._number or ""
        kind = INTERNATIONAL if number.startswith("+") else NATIONAL if number else WITHHELD
        for text in texts:
            self._notify(text.format(number=number, type=kind))
