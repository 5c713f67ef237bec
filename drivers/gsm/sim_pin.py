"""The SIM and its PIN: a wrong one is tried once, never twice, because the third wrong one blocks the SIM.

Sources: TS 27.007, 8.3 (+CPIN) and 9.2.1 (its errors).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from drivers.at.codes import CmeError, CmsError
from drivers.at.commands import PIN_STATE, enter_pin
from drivers.at.urc import body_of
from drivers.errors import CommandFailed, CommandTimeout, ModemParked, SimMissing, SimNotReady
from drivers.gsm.channel import AtChannel

# A SIM needs some seconds after power-up, and again after its PIN.
_ATTEMPTS = 20

_READY = "READY"
_PIN = "SIM PIN"

# What +CPIN? may answer instead of a state: the same things as errors.
_STATE_BY_ERROR: dict[int, str] = {
    CmeError.SIM_PIN_REQUIRED: _PIN,
    CmeError.SIM_PUK_REQUIRED: "SIM PUK",
    CmeError.PH_SIM_PIN_REQUIRED: "PH-SIM PIN",
}
# The same state as the codes of TS 27.007 and of TS 27.005, 3.2.5.
_BUSY = frozenset({CmeError.SIM_BUSY, CmeError.SIM_FAILURE}), frozenset({CmsError.SIM_BUSY, CmsError.SIM_FAILURE})
_ABSENT = frozenset({CmeError.SIM_NOT_INSERTED}), frozenset({CmsError.SIM_NOT_INSERTED})


class Trial(Enum):
    """What became of the configured PIN."""

    UNTRIED = auto()
    TRIED = auto()
    """Entered, and the answer never came: it counts as wrong until the SIM is seen to be unlocked."""
    PROVEN = auto()
    REFUSED = auto()


@dataclass(slots=True)
class SimPin:
    """The configured PIN and what became of it. It outlives reopenings of the port, so that one try stays one try."""

    pin: str | None = field(default=None, repr=False)
    trial: Trial = Trial.UNTRIED

    def take(self) -> str:
        """The PIN to enter; raises `ModemParked` when there is none that may be tried."""
        if not self.pin:
            raise ModemParked("the SIM asks for a PIN and none is configured")
        if self.trial in {Trial.TRIED, Trial.REFUSED}:
            raise ModemParked("the SIM did not take the configured PIN; it is not tried again")
        return self.pin


async def unlock(channel: AtChannel, sim_pin: SimPin) -> None:
    """Bring the SIM to READY; raises `ModemParked` for what only a person can mend, `ModemNotReady` for no SIM."""
    entered = False
    for _ in range(_ATTEMPTS):
        state = await _state(channel)
        if state is None or state == _READY:
            sim_pin.trial = Trial.PROVEN if sim_pin.trial is Trial.TRIED else sim_pin.trial
            return
        if state == _PIN and not entered:
            await _enter(channel, sim_pin)
            entered = True
        elif state not in {_PIN, "NOT READY", "BUSY"}:
            raise ModemParked(f"the SIM asks for {state}")
        await channel.pause()
    raise SimNotReady("the SIM does not become ready")


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


def _state_of_error(error: CommandFailed) -> str | None:
    if _is(error, _BUSY):
        return "BUSY"
    if _is(error, _ABSENT):
        raise SimMissing("no SIM is inserted") from error
    return None if error.cme is None else _STATE_BY_ERROR.get(error.cme)


def _is(error: CommandFailed, codes: tuple[frozenset[CmeError], frozenset[CmsError]]) -> bool:
    return error.cme in codes[0] or error.cms in codes[1]


async def _enter(channel: AtChannel, sim_pin: SimPin) -> None:
    pin, before = sim_pin.take(), sim_pin.trial
    sim_pin.trial = Trial.TRIED
    try:
        await channel.execute(enter_pin(pin))
    except CommandFailed as error:
        if _is(error, _BUSY):
            sim_pin.trial = before
            raise SimNotReady("the SIM is busy") from error
        sim_pin.trial = Trial.REFUSED
        raise ModemParked("the SIM refused the configured PIN") from error
    sim_pin.trial = Trial.PROVEN
