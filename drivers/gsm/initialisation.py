"""From an open port to a modem that can be used: each step in its order, the optional ones allowed to fail.

What must succeed: the modem answers, its SIM is unlocked, it is in PDU mode. Everything else makes it better or tells
more of it. Nothing is sent in text mode, ever: a modem that will not confirm PDU mode is not ready.
"""

from __future__ import annotations

from dataclasses import replace

from drivers.at.commands import (
    ECHO_OFF,
    FULL_FUNCTIONALITY,
    FUNCTIONALITY,
    NUMERIC_ERRORS,
    OPERATOR_AS_NAME,
    PDU_MODE,
    PROBE,
    REGISTRATION_NEWS,
)
from drivers.at.parameters import parse_parameters
from drivers.at.urc import body_of, name_of
from drivers.errors import CommandFailed, PduModeRefused
from drivers.events import ModemIdentity
from drivers.gsm.channel import AtChannel
from drivers.gsm.identity import read_equipment, read_iccid
from drivers.gsm.pin_rules import Card
from drivers.gsm.sim_pin import SimPin, unlock

# Some families refuse +CMGF until their message service has started, some seconds after the SIM is ready.
_PDU_MODE_ATTEMPTS = 12
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


async def open_sim(channel: AtChannel, sim_pin: SimPin, identity: ModemIdentity) -> ModemIdentity:
    """Unlock the SIM and set PDU mode; the identity with the SIM's number."""
    await unlock(channel, sim_pin, Card(sim_pin.name, identity.imei))
    iccid = await read_iccid(channel)
    sim_pin.require_known(iccid)
    await _set_pdu_mode(channel)
    await channel.optional(REGISTRATION_NEWS)
    await channel.optional(OPERATOR_AS_NAME)
    return replace(identity, iccid=iccid)


async def _set_pdu_mode(channel: AtChannel) -> None:
    for attempt in range(_PDU_MODE_ATTEMPTS):
        if attempt:
            await channel.pause()
        try:
            await channel.execute(PDU_MODE)
        except CommandFailed:
            if await is_in_pdu_mode(channel):
                return
        else:
            return
    raise PduModeRefused("the modem does not go into PDU mode")


async def is_in_pdu_mode(channel: AtChannel) -> bool | None:
    """What +CMGF? says; None when it does not say."""
    for line in await channel.optional(PROBE) or ():
        parameters = parse_parameters(body_of(line))
        if name_of(line) == PROBE.name and parameters:
            return parameters[0] == 0
    return None
