"""From an open port to a modem that can be used: each step in its order, the optional ones allowed to fail.

What must succeed: the modem answers, its SIM is unlocked, it is in PDU mode. Everything else makes it better or tells
more of it. Nothing is sent in text mode, ever: a modem that will not confirm PDU mode is not ready.
"""

from __future__ import annotations

from collections.abc import Sequence

from drivers.at.commands import (
    ECHO_OFF,
    FULL_FUNCTIONALITY,
    FUNCTIONALITY,
    MEMORIES_IN_USE,
    NUMERIC_ERRORS,
    OPERATOR_AS_NAME,
    REGISTRATION_NEWS,
    AtCommand,
)
from drivers.at.parameters import parse_parameters
from drivers.at.urc import body_of, name_of
from drivers.events import ModemIdentity
from drivers.gsm.channel import AtChannel
from drivers.gsm.identity import read_equipment
from drivers.gsm.pdu_mode import ATTEMPTS_A_SECOND, PduMode
from drivers.gsm.pin_rules import Card
from drivers.gsm.profiles import Profile
from drivers.gsm.sim_pin import SimPin, unlock

# <fun>: minimum, and transmit and receive circuits disabled (TS 27.007, 8.2).
_RADIO_OFF = frozenset({0, 4})


async def greet(channel: AtChannel) -> ModemIdentity:
    """Reach the modem, set its manner of speaking, learn what it is; works without a SIM."""
    await channel.synchronise()
    await channel.optional(ECHO_OFF)
    await channel.optional(NUMERIC_ERRORS)
    identity = await read_equipment(channel)
    await _switch_radio_on(channel)
    return identity


async def _switch_radio_on(channel: AtChannel) -> None:
    for line in await channel.optional(FUNCTIONALITY) or ():
        parameters = parse_parameters(body_of(line))
        if name_of(line) == FUNCTIONALITY.name and parameters and parameters[0] in _RADIO_OFF:
            await channel.optional(FULL_FUNCTIONALITY)


async def first_taken(channel: AtChannel, commands: Sequence[str]) -> bool:
    """Give the commands in their order until one is taken; False if none was."""
    for command in commands:
        if await channel.optional(AtCommand(command)) is not None:
            return True
    return False


async def start_up(channel: AtChannel, profile: Profile, port: str) -> None:
    """What the family wants to be told first: none of it has to succeed."""
    for step in (*profile.start_up, profile.news_steps(port)):
        await first_taken(channel, step)


async def open_sim(channel: AtChannel, sim_pin: SimPin, profile: Profile, pdu_mode: PduMode, imei: str | None) -> None:
    """Unlock the SIM and set PDU mode; raises `ModemNotReady` and `ModemParked`."""
    await unlock(channel, sim_pin, Card(sim_pin.name, imei), profile.iccid)
    await pdu_mode.set_up(profile.ready_seconds)
    await channel.optional(REGISTRATION_NEWS)
    await channel.optional(OPERATOR_AS_NAME)


async def await_messages(channel: AtChannel, profile: Profile) -> None:
    """A family that tells when its messages can be read may take PDU mode before, when its memories are missing."""
    if not profile.ready:
        return
    for _ in range(round(profile.ready_seconds * ATTEMPTS_A_SECOND)):
        if await channel.optional(MEMORIES_IN_USE) is not None:
            return
        await channel.pause()
