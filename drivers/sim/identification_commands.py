"""Commands that ask who the modem and its SIM are: V.250, 6.1 and 3GPP TS 27.007, 5 and 7.1."""

from __future__ import annotations

from drivers.at.equipment_grammar import Command, Form
from drivers.sim.answers import Answer, lines
from drivers.sim.handlers import CommandTable, accept
from drivers.sim.station import MobileStation


def _identification(station: MobileStation, _command: Command) -> Answer:
    """ATI: what is printed on the device; ATI3 and its kin are left to manufacturers and answer alike here."""
    fields = station.fields()
    return lines(*(text.format_map(fields) for text in station.profile.identification))


def _manufacturer(station: MobileStation, _command: Command) -> Answer:
    return lines(station.profile.manufacturer)


def _model(station: MobileStation, _command: Command) -> Answer:
    return lines(station.profile.model)


def _revision(station: MobileStation, _command: Command) -> Answer:
    return lines(station.profile.revision)


def _capabilities(station: MobileStation, _command: Command) -> Answer:
    return lines(station.profile.capabilities)


def _imei(station: MobileStation, _command: Command) -> Answer:
    return lines(station.settings.imei)


def _imsi(station: MobileStation, _command: Command) -> Answer:
    return lines(station.card.imsi)


def _own_number(station: MobileStation, _command: Command) -> Answer:
    number = station.card.number
    return lines(f'+CNUM: "","{number}",{145 if number.startswith("+") else 129}')


_ASKED = {
    "+CGMI": _manufacturer,
    "+GMI": _manufacturer,
    "+CGMM": _model,
    "+GMM": _model,
    "+CGMR": _revision,
    "+GMR": _revision,
    "+CGSN": _imei,
    "+GSN": _imei,
    "+CIMI": _imsi,
    "+CNUM": _own_number,
    "+GCAP": _capabilities,
}

COMMANDS: CommandTable = {
    ("I", Form.EXECUTE): _identification,
    **{(name, Form.EXECUTE): handler for name, handler in _ASKED.items()},
    **{(name, Form.TEST): accept for name in _ASKED},
}
