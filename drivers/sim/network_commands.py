"""Commands about SIM, radio and network: 3GPP TS 27.007, 7 and 8."""

from __future__ import annotations

from drivers.at.codes import CmeError
from drivers.at.equipment_grammar import Command, Form
from drivers.sim.answers import OK, Answer, Information, RefusedError, integer, lines
from drivers.sim.handlers import CommandTable, Handler, accept, fixed
from drivers.sim.station import UTRAN, MobileStation

AVAILABLE, CURRENT = 1, 2


def _read_pin(station: MobileStation, _command: Command) -> Answer:
    return Information(((f"+CPIN: {station.equipment.pin_word}",),), ends=station.profile.pin_answer_ends)


def _enter_pin(station: MobileStation, command: Command) -> Answer:
    """One parameter is the PIN; the PUK with a new PIN is refused: unblocking a SIM is nothing to rehearse."""
    equipment = station.equipment
    if equipment.pin_word == "READY":
        raise RefusedError(CmeError.OPERATION_NOT_ALLOWED)
    if equipment.pin_word == "SIM PUK":
        raise RefusedError(CmeError.SIM_PUK_REQUIRED)
    if not equipment.verify_pin((command.parameters or ("",))[0] or ""):
        blocked = equipment.pin_word == "SIM PUK"
        raise RefusedError(CmeError.SIM_PUK_REQUIRED if blocked else CmeError.INCORRECT_PASSWORD)
    station.unlocked()
    return OK


def _facility_lock(station: MobileStation, command: Command) -> Answer:
    """+CLCK="SC",2 asks whether the SIM wants its PIN; locks cannot be changed."""
    if command.parameters[:1] != ("SC",) or integer(command, 1, (2,)) != 2:
        raise RefusedError(CmeError.OPERATION_NOT_SUPPORTED)
    return lines(f"+CLCK: {int(station.card.pin is not None)}")


def _signal(station: MobileStation, _command: Command) -> Answer:
    return lines(f"+CSQ: {station.settings.rssi if station.equipment.in_service else 99},99")


def _read_registration(station: MobileStation, command: Command) -> Answer:
    reports = station.equipment.command_settings.registration_reports[command.name]
    return lines(f"{command.name}: {reports},{station.registration_text(command.name)}")


def _set_registration(station: MobileStation, command: Command) -> Answer:
    station.equipment.command_settings.registration_reports[command.name] = integer(command, 0, range(3), 0)
    return OK


def _read_operator(station: MobileStation, _command: Command) -> Answer:
    if not station.equipment.in_service:
        return lines("+COPS: 0")
    display = station.equipment.command_settings.operator_format
    name = station.settings.operator_code if display == 2 else station.settings.operator
    return lines(f'+COPS: 0,{display},"{name}",{UTRAN}')


def _set_operator(station: MobileStation, command: Command) -> Answer:
    """Automatic choice (0) and the display format (3); there is one network to be on."""
    if integer(command, 0, (0, 3)) == 3:
        station.equipment.command_settings.operator_format = integer(command, 1, range(3))
    return OK


def _list_operators(station: MobileStation, _command: Command) -> Answer:
    settings = station.settings
    status = CURRENT if station.equipment.in_service else AVAILABLE
    name = settings.operator
    return lines(f'+COPS: ({status},"{name}","{name}","{settings.operator_code}",{UTRAN}),,(0,3),(0-2)')


def _read_functionality(station: MobileStation, _command: Command) -> Answer:
    return lines(f"+CFUN: {station.equipment.functionality}")


def _set_functionality(station: MobileStation, command: Command) -> Answer:
    """0 minimum, 1 full, 4 radio off; with <rst> the SIM asks for its PIN again and settings return (8.2)."""
    station.set_functionality(integer(command, 0, (0, 1, 4)))
    if integer(command, 1, (0, 1), 0):
        station.restart()
    station.registration_changed()
    return OK


def _attached(station: MobileStation, _command: Command) -> Answer:
    return lines(f"+CGATT: {int(station.equipment.in_service)}")


def _refused(code: CmeError) -> Handler:
    def handler(_station: MobileStation, _command: Command) -> Answer:
        raise RefusedError(code)

    return handler


_REGISTRATIONS = ("+CREG", "+CGREG", "+CEREG")

COMMANDS: CommandTable = {
    ("+CPIN", Form.READ): _read_pin,
    ("+CPIN", Form.SET): _enter_pin,
    ("+CPIN", Form.TEST): accept,
    ("+CLCK", Form.SET): _facility_lock,
    ("+CLCK", Form.TEST): fixed('+CLCK: ("SC")'),
    ("+CSQ", Form.EXECUTE): _signal,
    ("+CSQ", Form.TEST): fixed("+CSQ: (0-31,99),(99)"),
    **{(name, Form.READ): _read_registration for name in _REGISTRATIONS},
    **{(name, Form.SET): _set_registration for name in _REGISTRATIONS},
    **{(name, Form.TEST): fixed(f"{name}: (0-2)") for name in _REGISTRATIONS},
    ("+COPS", Form.READ): _read_operator,
    ("+COPS", Form.SET): _set_operator,
    ("+COPS", Form.TEST): _list_operators,
    ("+CFUN", Form.READ): _read_functionality,
    ("+CFUN", Form.SET): _set_functionality,
    ("+CFUN", Form.TEST): fixed("+CFUN: (0,1,4),(0,1)"),
    ("+CGATT", Form.READ): _attached,
    ("D", Form.EXECUTE): _refused(CmeError.OPERATION_NOT_SUPPORTED),
}
SIM_COMMANDS = frozenset({"+CIMI", "+CNUM", "+COPS", "+CLCK"})
CARD_COMMANDS = SIM_COMMANDS | {"+CPIN"}
