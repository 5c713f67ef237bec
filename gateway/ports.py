"""What the gateway needs from outside, in its own words.

Drivers fit by shape; pyright checks it where they are wired.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from drivers.events import ModemEvent, ModemIdentity, ModemState, ModemStatus, Receipt, SubmitResult, WireWitness
from drivers.gsm.pin_rules import PinRefusal


class Modem(Protocol):
    """A modem that is looked after by somebody else: opened, repaired, reopened."""

    @property
    def name(self) -> str:
        """The name of the configuration."""
        ...

    def status(self) -> ModemStatus:
        """What is known of it now; never blocks."""
        ...

    @property
    def state(self) -> ModemState:
        """That of `status` alone, which costs a tenth: it is asked of every modem for every part."""
        ...

    @property
    def identity(self) -> ModemIdentity:
        """Equipment and SIM alone."""
        ...

    async def start(self) -> None:
        """Begin to open it; returns at once."""
        ...

    async def stop(self) -> None:
        """Let a submit in flight finish, then close."""
        ...

    async def wait_ready(self) -> None:
        """Return when it can take a submit."""
        ...

    async def submit(
        self, tpdu: bytes, witness: WireWitness | None = None, *, iccid: str | None = None
    ) -> SubmitResult:
        """Hand one SMS-SUBMIT (octets without service centre) to the network, under the eyes of `witness`; with
        `iccid`, through this SIM alone.

        Raises `ModemNotReady` (it did not leave), `SubmitRefused` (it was not accepted) or `SubmitUncertain`.
        """
        ...

    def set_paused(self, paused: bool) -> None:
        """Refuse submits, or take them again; receiving goes on."""
        ...

    async def reset(self) -> None:
        """Once no submit is in flight, reset it and begin anew; ends its being parked, too."""
        ...

    @property
    def pin_refusal(self) -> PinRefusal | None:
        """Why its SIM was not given the PIN, or did not take it, if that is what parks it."""
        ...

    async def confirm_pin(self) -> None:
        """A person allows one more try of the PIN."""
        ...

    def unlock(self) -> None:
        """It is not parked any more: begin anew."""
        ...

    async def converse(self, command: str, seconds: float = 30.0) -> Sequence[str]:
        """Give it a command line by hand; the lines of its answer, the final result last."""
        ...

    def events(self) -> AsyncIterator[ModemEvent]:
        """What the modem tells, in its order, until it is stopped."""
        ...

    async def acknowledge(self, receipt: Receipt) -> None:
        """The event is committed: the modem may forget it."""
        ...

    async def ussd(self, code: str, seconds: float = 60.0) -> str:
        """Ask the network by a code such as `#123#`; its answer, waited for so long.

        Raises a `DriverError`: the modem is not there, the network refuses, or no answer comes.
        """
        ...


class Simulator(Protocol):
    """The simulated network behind a simulated modem."""

    def inject_sms(self, sender: str, text: str) -> object:
        """Let a text arrive as an inbound SMS."""
        ...
