"""Unstructured supplementary services: codes that the network answers with a text, such as the balance of a SIM.

One family writes code and text as the standard says, in the set of +CSCS, others as hexadecimal in one form or another.
Sources: 3GPP TS 27.007, 7.15 (+CUSD); 3GPP TS 23.038, 5 (coding scheme) and 6.1.2.3 (packing).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from drivers.at.codes import CmeError
from drivers.sim import text_mode
from drivers.sim.answers import RefusedError
from drivers.sim.profile import UssdForm
from drivers.sim.state import MobileEquipment
from drivers.tpdu.gsm7 import DEFAULT
from drivers.tpdu.septets import CARRIAGE_RETURN, pack_to_int, unpack

NO_FURTHER_ACTION, TERMINATED = 0, 2
DEFAULT_ALPHABET, UCS2 = 15, 72  # 23.038, 5: the default alphabet without a language, and UCS-2


class Ussd:
    """The dialogues of one modem. `notify` writes one unsolicited result."""

    def __init__(self, equipment: MobileEquipment, notify: Callable[..., None]) -> None:
        self._equipment = equipment
        self._notify = notify
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, typed: str) -> None:
        """Send a code as the terminal wrote it; the answer is told later. RefusedError where it cannot be sent."""
        settings = self._equipment.settings
        if not settings.ussd:
            raise RefusedError(CmeError.OPERATION_NOT_SUPPORTED)
        if not self._equipment.in_service:
            raise RefusedError(CmeError.NO_NETWORK_SERVICE)
        try:
            code = self._read(typed)
        except ValueError:
            raise RefusedError(CmeError.INCORRECT_PARAMETERS) from None
        self.cancel()
        delay = settings.ussd_seconds
        self._timer = asyncio.get_running_loop().call_later(delay, self._answer, settings.ussd.get(code))

    def cancel(self) -> None:
        """The dialogue is over."""
        if self._timer:
            self._timer.cancel()
        self._timer = None

    def _answer(self, text: str | None) -> None:
        if not self._equipment.command_settings.ussd_shown:
            return
        profile = self._equipment.profile
        if text is None:
            self._notify(f"+CUSD: {profile.ussd_unknown}")
            return
        written, scheme = self._written(text)
        self._notify(profile.ussd_answer.format(m=NO_FURTHER_ACTION, text=written, dcs=scheme))

    def _read(self, typed: str) -> str:
        """The code that stands in the terminal's string; ValueError when it is none in this form."""
        match self._equipment.profile.ussd:
            case UssdForm.PACKED:
                octets = bytes.fromhex(typed)
                return DEFAULT.decode(unpack(octets, len(octets) * 8 // 7)).rstrip("@\r")
            case UssdForm.PLAIN | UssdForm.UCS2:
                return text_mode.from_terminal(self._equipment.command_settings, typed)
            case UssdForm.GSM:
                return DEFAULT.decode(typed.encode("ascii"))

    def _written(self, text: str) -> tuple[str, int]:
        """The string for the terminal and <dcs>."""
        form = self._equipment.profile.ussd
        try:
            septets = DEFAULT.encode(text)
        except UnicodeEncodeError:
            return _hexadecimal(text), UCS2
        match form:
            case UssdForm.PACKED:
                return packed(septets).hex().upper(), DEFAULT_ALPHABET
            case UssdForm.UCS2:
                return _hexadecimal(text), UCS2
            case UssdForm.GSM:
                return septets.decode("ascii"), DEFAULT_ALPHABET
            case UssdForm.PLAIN:
                return text_mode.to_terminal(self._equipment.command_settings, text), DEFAULT_ALPHABET


def packed(septets: bytes) -> bytes:
    """Septets closed up; a carriage return fills seven bits that would read as another `@` (23.038, 6.1.2.3.1)."""
    if len(septets) % 8 == 7:
        septets += bytes((CARRIAGE_RETURN,))
    return b"".join(_closed_up(septets[at : at + 8]) for at in range(0, len(septets), 8))


def _closed_up(septets: bytes) -> bytes:
    return pack_to_int(septets).to_bytes((len(septets) * 7 + 7) // 8, "little")


def _hexadecimal(text: str) -> str:
    return text.encode("utf-16-be", "replace").hex().upper()
