"""Commands that set up the message service: 3GPP TS 27.005, 3.2, 3.3 and 3.4.1."""

from __future__ import annotations

import re

from drivers.at.codes import CmsError
from drivers.at.equipment_grammar import Command, Form
from drivers.sim.answers import OK, Answer, RefusedError, integer, lines
from drivers.sim.handlers import CommandTable, fixed
from drivers.sim.state import Indications
from drivers.sim.station import MobileStation

NOT_SUPPORTED = CmsError.OPERATION_NOT_SUPPORTED
_NUMBER = re.compile(r"\+?[0-9]{1,20}")


def _read_service(station: MobileStation, _command: Command) -> Answer:
    return lines(f"+CSMS: {station.equipment.command_settings.phase},1,1,1")


def _set_service(station: MobileStation, command: Command) -> Answer:
    station.equipment.command_settings.phase = integer(command, 0, range(2), refusal=NOT_SUPPORTED)
    station.reception.pump()
    return lines("+CSMS: 1,1,1")


def _read_format(station: MobileStation, _command: Command) -> Answer:
    return lines(f"+CMGF: {int(station.equipment.command_settings.text_mode)}")


def _set_format(station: MobileStation, command: Command) -> Answer:
    station.equipment.command_settings.text_mode = integer(command, 0, range(2), 0, refusal=NOT_SUPPORTED) == 1
    return OK


def _counts(station: MobileStation, name: str) -> str:
    memory = station.equipment.storages[name]
    return f"{memory.used},{memory.capacity}"


def _read_storages(station: MobileStation, _command: Command) -> Answer:
    names = station.equipment.command_settings.memories[: station.profile.storages.values]
    return lines("+CPMS: " + ",".join(f'"{name}",{_counts(station, name)}' for name in names))


def _set_storages(station: MobileStation, command: Command) -> Answer:
    """A storage that is left out keeps its value (27.005, 3.2.2)."""
    current, storages = station.equipment.command_settings.memories, station.profile.storages
    wanted = [name or before for name, before in zip(command.parameters, current, strict=False)]
    names = wanted + current[len(wanted) :]
    if len(command.parameters) > storages.values or any(
        name not in allowed for name, allowed in zip(names, storages.known, strict=True)
    ):
        raise RefusedError(CmsError.OPERATION_NOT_ALLOWED)
    station.equipment.command_settings.memories = names
    station.reception.pump()
    return lines("+CPMS: " + ",".join(_counts(station, name) for name in names[: storages.values]))


def _known_storages(station: MobileStation, _command: Command) -> Answer:
    storages = station.profile.storages
    known = (",".join(f'"{name}"' for name in names) for names in storages.known)
    return lines("+CPMS: " + (storages.shown or ",".join(f"({names})" for names in known)))


def _read_indications(station: MobileStation, _command: Command) -> Answer:
    told = station.equipment.command_settings.indications
    return lines(f"+CNMI: {told.mode},{told.mt},{told.bm},{told.ds},{told.bfr}")


def _set_indications(station: MobileStation, command: Command) -> Answer:
    told, routing = station.equipment.command_settings.indications, station.profile.routing
    current = (told.mode, told.mt, told.bm, told.ds, told.bfr)
    values = tuple(
        integer(command, position, taken, current[position], refusal=NOT_SUPPORTED)
        for position, taken in enumerate(routing.taken)
    )
    if values in routing.refused:
        raise RefusedError(NOT_SUPPORTED)
    station.equipment.command_settings.indications = Indications(*values)
    station.reception.set_indications()
    return OK


def _known_indications(station: MobileStation, _command: Command) -> Answer:
    return lines(f"+CNMI: {station.profile.routing.claimed}")


def _read_centre(station: MobileStation, _command: Command) -> Answer:
    smsc = station.equipment.smsc
    return lines(f'+CSCA: "{smsc}",{145 if smsc.startswith("+") else 129}')


def _set_centre(station: MobileStation, command: Command) -> Answer:
    number = (command.parameters or ("",))[0] or ""
    kind = integer(command, 1, range(128, 256), 145 if number.startswith("+") else 129)
    if not _NUMBER.fullmatch(number):
        raise RefusedError(CmsError.INVALID_TEXT_MODE_PARAMETER)
    station.equipment.smsc = f"+{number}" if kind == 145 and not number.startswith("+") else number
    return OK


def _read_parameters(station: MobileStation, _command: Command) -> Answer:
    chosen = station.equipment.command_settings
    return lines(f"+CSMP: {chosen.first_octet},{chosen.validity},{chosen.protocol},{chosen.coding}")


def _set_parameters(station: MobileStation, command: Command) -> Answer:
    """What text mode puts around a text; only a relative validity, the one that is a number (27.005, 3.3.3)."""
    chosen = station.equipment.command_settings
    chosen.first_octet = integer(command, 0, (1, 17, 33, 49), chosen.first_octet, refusal=NOT_SUPPORTED)
    chosen.validity = integer(command, 1, range(256), chosen.validity, refusal=NOT_SUPPORTED)
    chosen.protocol = integer(command, 2, range(256), chosen.protocol, refusal=NOT_SUPPORTED)
    chosen.coding = integer(command, 3, range(256), chosen.coding, refusal=NOT_SUPPORTED)
    return OK


def _read_shown(station: MobileStation, _command: Command) -> Answer:
    return lines(f"+CSDH: {int(station.equipment.command_settings.show_parameters)}")


def _set_shown(station: MobileStation, command: Command) -> Answer:
    station.equipment.command_settings.show_parameters = integer(command, 0, range(2), 0) == 1
    return OK


def _read_more(station: MobileStation, _command: Command) -> Answer:
    return lines(f"+CMMS: {station.equipment.command_settings.more_messages}")


def _set_more(station: MobileStation, command: Command) -> Answer:
    station.equipment.command_settings.more_messages = integer(command, 0, range(3), 0)
    return OK


COMMANDS: CommandTable = {
    ("+CSMS", Form.READ): _read_service,
    ("+CSMS", Form.SET): _set_service,
    ("+CSMS", Form.TEST): fixed("+CSMS: (0,1)"),
    ("+CMGF", Form.READ): _read_format,
    ("+CMGF", Form.SET): _set_format,
    ("+CMGF", Form.TEST): fixed("+CMGF: (0,1)"),
    ("+CPMS", Form.READ): _read_storages,
    ("+CPMS", Form.SET): _set_storages,
    ("+CPMS", Form.TEST): _known_storages,
    ("+CNMI", Form.READ): _read_indications,
    ("+CNMI", Form.SET): _set_indications,
    ("+CNMI", Form.TEST): _known_indications,
    ("+CSCA", Form.READ): _read_centre,
    ("+CSCA", Form.SET): _set_centre,
    ("+CSMP", Form.READ): _read_parameters,
    ("+CSMP", Form.SET): _set_parameters,
    ("+CSMP", Form.TEST): fixed("+CSMP: (1,17,33,49),(0-255),(0-255),(0-255)"),
    ("+CSDH", Form.READ): _read_shown,
    ("+CSDH", Form.SET): _set_shown,
    ("+CSDH", Form.TEST): fixed("+CSDH: (0,1)"),
    ("+CMMS", Form.READ): _read_more,
    ("+CMMS", Form.SET): _set_more,
    ("+CMMS", Form.TEST): fixed("+CMMS: (0-2)"),
}
SIM_COMMANDS = frozenset({"+CPMS", "+CNMI", "+CSCA"})
