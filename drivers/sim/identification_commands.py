"""Commands that ask who the modem and its SIM are: V.250, 6.1 and 3GPP TS 27.007, 5 and 7.1."""

from __future__ import annotations

from drivers.at.equipment_grammar import Command, Form
from drivers.sim.answers import Answer, lines
from drivers.sim.handlers import CommandTable, accept, fixed
from drivers.sim.settings import MANUFACTURER, MODEL, REVISION
from drivers.sim.station import MobileStation


def _identification(station: MobileStation, _command: Command) -> Answer:
    """ATI: what is printed on the device; ATI3 and its kin are left to manufacturers and answer alike here."""
    return lines(
        f"Manufacturer: {MANUFACTURER}",
        f"Model: {MODEL}",
        f"Revision: {REVISION}",
        f"IMEI: {station.settings.imei}",
        "+GCAP: +CGSM,+FCLASS",
    )


def _imei(station: MobileStation, _command: Command) -> Answer:
    return lines(station.settings.imei)


def _imsi(station: MobileStation, _command: Command) -> Answer:
    return lines(station.settings.imsi)


def _iccid(station: MobileStation, command: Command) -> Answer:
    return lines(f"{command.name}: {station.settings.iccid}")


def _own_number(station: MobileStation, _command: Command) -> Answer:
    number = station.settings.number
    return lines(f'+CNUM: "","{number}",{145 if number.startswith("+") else 129}')


_ASKED = {
    "+CGMI": fixed(MANUFACTURER),
    "+GMI": fixed(MANUFACTURER),
    "+CGMM": fixed(MODEL),
    "+GMM": fixed(MODEL),
    "+CGMR": fixed(REVISION),
    "+GMR": fixed(REVISION),
    "+CGSN": _imei,
    "+GSN": _imei,
    "+CIMI": _imsi,
    "+CNUM": _own_number,
    "+CCID": _iccid,
    "+GCAP": fixed("+GCAP: +CGSM,+FCLASS"),
}

COMMANDS: CommandTable = {
    ("I", Form.EXECUTE): _identification,
    ("+CCID", Form.READ): _iccid,
    ("^ICCID", Form.READ): _iccid,
    **{(name, Form.EXECUTE): handler for name, handler in _ASKED.items()},
    **{(name, Form.TEST): accept for name in _ASKED},
}
