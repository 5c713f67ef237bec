"""Commands about incoming calls and supplementary services: V.250, 6.3.6; 3GPP TS 27.007, 6.5, 6.11, 7.6 and 7.15."""

from __future__ import annotations

from drivers.at.equipment_grammar import Command, Form
from drivers.sim.answers import OK, Answer, integer, lines
from drivers.sim.handlers import CommandTable, accept, fixed
from drivers.sim.station import MobileStation

CANCEL = 2


def _hang_up(station: MobileStation, _command: Command) -> Answer:
    station.call.hang_up()
    return OK


def _read_caller(station: MobileStation, _command: Command) -> Answer:
    """<n>, and <m> 1: the network tells the number (27.007, 7.6)."""
    return lines(f"+CLIP: {station.equipment.command_settings.caller_shown},1")


def _set_caller(station: MobileStation, command: Command) -> Answer:
    station.equipment.command_settings.caller_shown = integer(command, 0, range(2), 0)
    return OK


def _read_kind(station: MobileStation, _command: Command) -> Answer:
    return lines(f"+CRC: {station.equipment.command_settings.call_kind_shown}")


def _set_kind(station: MobileStation, command: Command) -> Answer:
    station.equipment.command_settings.call_kind_shown = integer(command, 0, range(2), 0)
    return OK


def _read_ussd(station: MobileStation, _command: Command) -> Answer:
    return lines(f"+CUSD: {station.equipment.command_settings.ussd_shown}")


def _set_ussd(station: MobileStation, command: Command) -> Answer:
    """Presentation on or off, a code for the network, or the end of a dialogue (27.007, 7.15)."""
    shown = integer(command, 0, range(3), 0)
    if shown == CANCEL:
        station.ussd.cancel()
        return OK
    station.equipment.command_settings.ussd_shown = shown
    if len(command.parameters) > 1:
        integer(command, 2, range(256), 15)
        station.ussd.ask(command.parameters[1] or "")
    return OK


COMMANDS: CommandTable = {
    ("H", Form.EXECUTE): _hang_up,
    ("+CHUP", Form.EXECUTE): _hang_up,
    ("+CHUP", Form.TEST): accept,
    ("+CLIP", Form.READ): _read_caller,
    ("+CLIP", Form.SET): _set_caller,
    ("+CLIP", Form.TEST): fixed("+CLIP: (0,1)"),
    ("+CRC", Form.READ): _read_kind,
    ("+CRC", Form.SET): _set_kind,
    ("+CRC", Form.TEST): fixed("+CRC: (0,1)"),
    ("+CUSD", Form.READ): _read_ussd,
    ("+CUSD", Form.SET): _set_ussd,
    ("+CUSD", Form.TEST): fixed("+CUSD: (0-2)"),
}
