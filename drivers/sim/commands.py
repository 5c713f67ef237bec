"""All commands of a modem: those that every family has, and those of the family that is played."""

from __future__ import annotations

from functools import cache, partial

from drivers.at.equipment_grammar import Command, Form
from drivers.sim import (
    call_commands,
    identification_commands,
    message_commands,
    message_settings,
    network_commands,
    setting_commands,
)
from drivers.sim.answers import OK, Answer, lines
from drivers.sim.handlers import CommandTable
from drivers.sim.profile import Asked
from drivers.sim.station import MobileStation
from drivers.sim.variants import profile_named

#: What needs an unlocked SIM and fails with +CMS ERROR without one.
MESSAGE_COMMANDS = message_settings.SIM_COMMANDS | message_commands.SIM_COMMANDS
#: What is refused as long as the message service has not started.
SERVED_WHEN_READY = MESSAGE_COMMANDS | {"+CMGF", "+CSMS", "+CSMP"}

_COMMON: CommandTable = {
    **identification_commands.COMMANDS,
    **network_commands.COMMANDS,
    **setting_commands.COMMANDS,
    **call_commands.COMMANDS,
    **message_settings.COMMANDS,
    **message_commands.COMMANDS,
}


@cache
def commands_of(name: str) -> CommandTable:
    """What a modem of this family knows; one table for all of them."""
    profile = profile_named(name)
    accepted = {(name, form): _switch for name in profile.accepted for form in (Form.SET, Form.EXECUTE)}
    asked = {(asked.name, asked.form): partial(_tell, asked) for asked in profile.asked}
    return {**_COMMON, **accepted, **asked}


@cache
def card_commands_of(name: str) -> frozenset[str]:
    """What fails with +CME ERROR while no SIM is in."""
    profile = profile_named(name)
    return network_commands.CARD_COMMANDS | {asked.name for asked in profile.asked if asked.of_sim}


def _tell(asked: Asked, station: MobileStation, _command: Command) -> Answer:
    fields = station.fields()
    return lines(*(text.format_map(fields) for text in asked.lines))


def _switch(station: MobileStation, command: Command) -> Answer:
    """Taken, and nothing more; a family's own news go on and off by such a command."""
    news = station.equipment.command_settings.news
    if command.value.startswith("0"):
        news.discard(command.name)
    else:
        news.add(command.name)
    return OK
