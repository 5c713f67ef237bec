"""Commands that set how the modem answers: V.250, 6.1 and 3GPP TS 27.007, 5.5, 6 and 9.1.

Settings of flow control are taken and change nothing: a pseudo-terminal has no lines.
"""

from __future__ import annotations

from drivers.at.equipment_grammar import Command, Form
from drivers.sim.answers import OK, Answer, RefusedError, integer, lines
from drivers.sim.handlers import CommandTable, accept, fixed
from drivers.sim.station import MobileStation

CHARACTER_SETS = ("IRA", "GSM", "UCS2")


def _reset(station: MobileStation, _command: Command) -> Answer:
    station.equipment.reset()
    station.reception.set_indications()
    return OK


def _read_errors(station: MobileStation, _command: Command) -> Answer:
    return lines(f"+CMEE: {station.equipment.command_settings.cmee}")


def _set_errors(station: MobileStation, command: Command) -> Answer:
    station.equipment.command_settings.cmee = integer(command, 0, range(3), 0)
    return OK


def _read_character_set(station: MobileStation, _command: Command) -> Answer:
    return lines(f'+CSCS: "{station.equipment.command_settings.character_set}"')


def _set_character_set(station: MobileStation, command: Command) -> Answer:
    """A terminal that has chosen UCS2 may name the next set in UCS2 as well; the plain name is taken at all times."""
    wanted = (command.parameters or ("IRA",))[0]
    if wanted not in CHARACTER_SETS:
        raise RefusedError
    station.equipment.command_settings.character_set = wanted
    return OK


_WITHOUT_EFFECT = ("X", "L", "M", "&C", "&D", "&K", "&S", "&W")

COMMANDS: CommandTable = {
    ("Z", Form.EXECUTE): _reset,
    ("&F", Form.EXECUTE): _reset,
    **{(name, Form.EXECUTE): accept for name in _WITHOUT_EFFECT},
    ("+CMEE", Form.READ): _read_errors,
    ("+CMEE", Form.SET): _set_errors,
    ("+CMEE", Form.TEST): fixed("+CMEE: (0-2)"),
    ("+CSCS", Form.READ): _read_character_set,
    ("+CSCS", Form.SET): _set_character_set,
    ("+CSCS", Form.TEST): fixed('+CSCS: ("IRA","GSM","UCS2")'),
}
