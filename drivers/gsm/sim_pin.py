"""The SIM and its PIN, as a dialogue: what the SIM asks for, whether it may be given its PIN, what it says to that.

When a PIN may be given is in `pin_rules`, where it is written down in `pin_ledger`. Sources: TS 27.007, 8.3 (+CPIN) and
9.2.1 (its errors).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import NoReturn

from drivers.at.codes import CmeError, CmsError
from drivers.at.commands import PIN_STATE, AtCommand, enter_pin
from drivers.at.urc import body_of
from drivers.errors import CommandFailed, CommandTimeout, ModemParked, SimMissing, SimNotReady
from drivers.gsm.channel import AtChannel
from drivers.gsm.identity import read_iccid
from drivers.gsm.pin_counter import Tries, read_tries
from drivers.gsm.pin_ledger import PinLedger, PinMemory, PinOutcome
from drivers.gsm.pin_rules import Card, Forbidden, PinRecord, PinRefusal, gone_by, is_last, is_same_iccid, refusal_of
from drivers.gsm.settings import ModemSettings

__all__ = ["PinLedger", "PinRefusal", "SimPin", "require_unlocked", "unlock"]

# A SIM needs some seconds after power-up, and again after its PIN.
_ATTEMPTS = 20
# Longer than +CPIN may take.
_END_SECONDS = 25.0

_READY = "READY"
_PIN = "SIM PIN"
_PUK = "SIM PUK"

# What +CPIN? may answer instead of a state: the same things as errors.
_STATE_BY_ERROR: dict[int, str] = {
    CmeError.SIM_PIN_REQUIRED: _PIN,
    CmeError.SIM_PUK_REQUIRED: _PUK,
    CmeError.PH_SIM_PIN_REQUIRED: "PH-SIM PIN",
}
# The same state as the codes of TS 27.007 and of TS 27.005, 3.2.5.
_BUSY = frozenset({CmeError.SIM_BUSY, CmeError.SIM_FAILURE}), frozenset({CmsError.SIM_BUSY, CmsError.SIM_FAILURE})
_ABSENT = frozenset({CmeError.SIM_NOT_INSERTED}), frozenset({CmsError.SIM_NOT_INSERTED})


class SimPin:
    """The configured PIN of one modem, and what stands in its way. It outlives reopenings of the port."""

    def __init__(self, settings: ModemSettings, ledger: PinLedger | None = None) -> None:
        self._settings = settings
        self._ledger: PinLedger = ledger or PinMemory()
        #: The SIM that was given the PIN last, and whether it has still to say if it took it.
        self._asked: Card | None = None
        self._open = False
        #: Tries that may be gone by our own attempts, the present one included.
        self._gone = 0
        #: The SIM that is not given the PIN, and why.
        self._refused: tuple[Card, PinRefusal] | None = None

    @property
    def name(self) -> str:
        """What the modem is called."""
        return self._settings.name

    @property
    def refusal(self) -> PinRefusal | None:
        """Why the PIN was not given, or not taken, when the modem was opened last; None when it is not that."""
        return None if self._refused is None else self._refused[1]

    async def confirm(self) -> None:
        """A person allows one more try on the SIM that it was refused to."""
        if self._refused is not None:
            card, _ = self._refused
            await self._ledger.confirm(card, self._pin())
            self._refused = None

    def require_meant(self, iccid: str | None) -> None:
        """Raise `ModemParked` for a SIM that is certainly not the configured one."""
        meant = self._settings.iccid
        if meant and iccid and not is_same_iccid(meant, iccid):
            raise ModemParked(
                "the SIM is not the one that iccid names in the configuration: put the right one in, or change iccid, "
                f"then `tocsin modems reset {self._settings.name}`"
            )

    def require_known(self, iccid: str | None) -> None:
        """As `require_meant`; `ModemNotReady` where a SIM is meant and it is not known whether this is it."""
        if self._settings.iccid and not iccid:
            raise SimNotReady("the SIM does not tell its number, so nobody knows whether it is the one of iccid")
        self.require_meant(iccid)

    def begin_anew(self) -> None:
        """The SIM is looked at again: what stood in the way before may not stand there now."""
        self._refused = None

    async def seen_unlocked(self, read: Callable[[], Awaitable[str | None]]) -> None:
        """The SIM, whose ICCID `read` reads, is ready. If it had not said what it made of its PIN, and is the same one
        still, that was right."""
        if self._asked is None or not self._open:
            return
        iccid = await read() if self._asked.iccid else None
        if iccid is None or is_same_iccid(iccid, self._asked.iccid or ""):
            await self.settle(PinOutcome.PROVEN)

    async def begin(self, card: Card, tries: Tries | None) -> str:
        """The PIN, after it was written down that this SIM is given it; raises `ModemParked` when it may not be."""
        pin = self._pin()
        without_counter = self._settings.pin_without_counter

        def judge(records: Sequence[PinRecord], others_gone: int) -> PinRefusal | None:
            self._gone = gone_by(records) + others_gone + 1
            return refusal_of(records, tries, without_counter=without_counter, others_gone=others_gone)

        refusal = await self._ledger.begin(card, pin, judge)
        if refusal is not None:
            self._park(card, refusal)
        self._asked, self._open, self._refused = card, True, None
        return pin

    async def settle(self, outcome: PinOutcome) -> None:
        """What came of the PIN that the SIM was given last, if that is still open."""
        if self._asked is not None and self._open:
            self._open = False
            await self._ledger.settle(self._asked, self._pin(), outcome)

    def unclear(self, left: int | None) -> NoReturn:
        """The SIM was given its PIN and does not say whether it took it."""
        assert self._asked is not None, "it was begun"
        self._park_after(self._asked, Forbidden.INTERRUPTED, left)

    async def refuse(self, left: int | None, *, blocked: bool = False) -> NoReturn:
        """The SIM did not take it, whatever it said before; `blocked`: it asks for its PUK since."""
        assert self._asked is not None, "it was begun"
        self._open = True
        await self.settle(PinOutcome.REFUSED)
        if blocked:
            raise ModemParked(_wanted(_PUK, self._settings.name))
        self._park_after(self._asked, Forbidden.REFUSED, left)

    def _park_after(self, card: Card, why: Forbidden, left: int | None) -> NoReturn:
        self._park(card, PinRefusal(Forbidden.LAST_TRY if is_last(self._gone, left) else why, left))

    def _park(self, card: Card, refusal: PinRefusal) -> NoReturn:
        self._refused = card, refusal
        raise ModemParked(refusal.text(self._settings.name))

    def _pin(self) -> str:
        if not self._settings.pin:
            raise ModemParked(
                "the SIM asks for a PIN and none is configured: set pin_file, or switch the SIM's PIN off in a phone"
            )
        return self._settings.pin


async def unlock(channel: AtChannel, sim_pin: SimPin, card: Card, iccid: Sequence[str]) -> None:
    """Bring the SIM to READY; raises `ModemParked` for what only a person can mend, `ModemNotReady` for no SIM.

    `card` is the SIM as far as it is known without asking it, `iccid` the commands that ask it for its number.
    """

    async def read_number() -> str | None:
        number, _ = await read_iccid(channel, [AtCommand(text) for text in iccid])
        return number

    sim_pin.begin_anew()
    entered, state = False, None
    for _ in range(_ATTEMPTS):
        state = await _state(channel)
        if state is None or state == _READY:
            if state == _READY:
                await sim_pin.seen_unlocked(read_number)
            return
        if state == _PIN and not entered:
            await _enter(channel, sim_pin, replace(card, iccid=await read_number()))
            entered = True
        elif state not in {_PIN, "NOT READY", "BUSY"}:
            raise ModemParked(_wanted(state, card.name))
        await channel.pause()
    if state == _PIN:
        # It said OK, and asks again all the same.
        await sim_pin.refuse(None)
    raise SimNotReady("the SIM does not become ready")


def _wanted(state: str, name: str) -> str:
    if state == _PUK:
        return (
            "the SIM asks for its PUK (SIM PUK), being blocked by wrong PINs: unblock it in a phone, then "
            f"`tocsin modems reset {name}`"
        )
    return f"the SIM asks for {state}: only a person can give it; then `tocsin modems reset {name}`"


async def require_unlocked(channel: AtChannel) -> None:
    """Raise `ModemNotReady` when the SIM is gone, or locked again: its modem has to be initialised anew."""
    state = await _state(channel)
    if state is not None and state not in {_READY, "BUSY"}:
        raise SimNotReady(f"the SIM asks for {state}")


async def _state(channel: AtChannel) -> str | None:
    """The state that +CPIN? tells; None when the modem has no such command, as one without a SIM lock."""
    try:
        lines = await channel.execute(PIN_STATE)
    except CommandFailed as error:
        return _state_of_error(error)
    except CommandTimeout as error:
        if not error.lines:
            raise
        lines = error.lines  # some families answer +CPIN? without the OK
    states = [body_of(line).strip('"').upper() for line in lines if line.upper().startswith("+CPIN")]
    return states[-1] if states else None


async def _is_blocked(channel: AtChannel, refusal: CommandFailed) -> bool:
    """Whether the SIM asks for its PUK now: then no leave of a person helps."""
    if refusal.cme is not None and _STATE_BY_ERROR.get(refusal.cme) == _PUK:
        return True
    try:
        return await _state(channel) == _PUK
    except (CommandTimeout, SimMissing):
        return False


def _state_of_error(error: CommandFailed) -> str | None:
    if _is(error, _BUSY):
        return "BUSY"
    if _is(error, _ABSENT):
        raise SimMissing("no SIM is inserted") from error
    return None if error.cme is None else _STATE_BY_ERROR.get(error.cme)


def _is(error: CommandFailed, codes: tuple[frozenset[CmeError], frozenset[CmsError]]) -> bool:
    return error.cme in codes[0] or error.cms in codes[1]


async def _enter(channel: AtChannel, sim_pin: SimPin, card: Card) -> None:
    """Give the SIM its PIN, if that may be, once."""
    sim_pin.require_meant(card.iccid)
    tries = await read_tries(channel)
    await _to_its_end(_give(channel, sim_pin, card, tries))


async def _to_its_end(work: Coroutine[object, object, None]) -> None:
    """Also when the caller is stopped meanwhile: broken off, nobody would know what the SIM said, nor ask again."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_END_SECONDS)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


async def _give(channel: AtChannel, sim_pin: SimPin, card: Card, tries: Tries | None) -> None:
    pin = await sim_pin.begin(card, tries)
    try:
        await channel.execute(enter_pin(pin))
    except CommandFailed as error:
        left = await read_tries(channel)
        if _is(error, _BUSY):
            if tries is None or left != tries:
                sim_pin.unclear(None if left is None else left.left)
            await sim_pin.settle(PinOutcome.UNTOUCHED)
            raise SimNotReady("the SIM is busy") from error
        await sim_pin.refuse(None if left is None else left.left, blocked=await _is_blocked(channel, error))
    await sim_pin.settle(PinOutcome.PROVEN)
