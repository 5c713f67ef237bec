"""From a port as the configuration writes it to a modem: the one place that knows every kind of modem there is."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from drivers.errors import TransportError
from drivers.events import ModemStatus
from drivers.gsm.settings import ModemSettings
from drivers.gsm.supervisor import ModemSupervisor
from drivers.sim import SimSettings, SimulatedModem, SimulatedPort
from drivers.sim.settings import numbered
from drivers.tpdu import Address
from drivers.trace.tap import WireTap
from drivers.transport.base import Transport
from drivers.transport.held import PortKeeper, is_open_port, let_others_in
from drivers.transport.serial import SerialTransport
from drivers.transport.tcp import SCHEME, TcpTransport, parse_url

__all__ = [
    "ModemSettings",
    "ModemSupervisor",
    "PortKeeper",
    "WireTap",
    "build_modem",
    "is_open_port",
    "let_others_in",
    "problems_of_port",
]

SIMULATED = "simulated:"

# Names that the configuration keeps for what is not there yet: they get a better answer than "unknown".
_RESERVED = ("imei:", "usb:", "smpp://", "http://", "https://")
_IDENTITIES = 8000


def problems_of_port(port: str) -> str | None:
    """Why `port` can be no modem, in words for its owner; None if it can. Whether one is there now is not asked."""
    if port == SIMULATED:
        return None
    if port.startswith(SCHEME):
        try:
            parse_url(port)
        except TransportError as error:
            return error.user_text
        return None
    if port.startswith(_RESERVED):
        return f"{port.split(':', 1)[0]}: ports are not supported by this version"
    if port.startswith("/"):
        return _problem_of_path(port)
    return f'{port!r} is no port: write "{SIMULATED}", a device such as "/dev/ttyUSB0", or "{SCHEME}host:port"'


def _problem_of_path(port: str) -> str | None:
    path = Path(port)
    if "\x00" in port:
        return "a device's path holds no NUL"
    try:
        if path.exists() and not path.is_char_device():
            return f"{port} is not a serial device"
    except OSError:  # it may be readable, or short enough, for the daemon's user; opening will tell
        return None
    return None


def build_modem(
    settings: ModemSettings, keeper: PortKeeper | None = None, tap: WireTap | None = None
) -> ModemSupervisor:
    """The supervised modem behind `settings.port`, not yet started; `keeper` keeps the port of a serial device open.

    What passes on its line can be recorded by `tap`. Raises ValueError when the port can be no modem, or the service
    centre no address.
    """
    problem = problems_of_port(settings.port)
    if problem is not None:
        raise ValueError(problem)
    if settings.smsc:
        Address.from_text(settings.smsc)
    line, simulated = _line_to(settings, keeper)
    tap = tap or WireTap(settings.name)
    supervisor = ModemSupervisor(settings, lambda: tap.wrap(line()), simulator=simulated)
    tap.about = lambda: _in_words(supervisor.status())
    return supervisor


def _line_to(
    settings: ModemSettings, keeper: PortKeeper | None
) -> tuple[Callable[[], Transport], SimulatedModem | None]:
    """A fresh line for each opening of the port, and the modem at its end if that is ours."""
    if settings.port == SIMULATED:
        modem = _simulated(settings)
        return lambda: SimulatedPort(modem, settings.port), modem
    if settings.port.startswith(SCHEME):
        return lambda: TcpTransport(settings.port), None
    return lambda: SerialTransport(
        settings.port, baudrate=settings.baudrate, rtscts=settings.rtscts, keeper=keeper
    ), None


def _in_words(status: ModemStatus) -> str:
    return ", ".join(each for each in (status.manufacturer, status.model) if each)


def _simulated(settings: ModemSettings) -> SimulatedModem:
    # Each name has its own IMEI, SIM and number, the same at every start: limits and evidence go by the SIM.
    identity = numbered(SimSettings(), zlib.crc32(settings.name.encode()) % _IDENTITIES)
    return SimulatedModem(replace(identity, name=settings.name, number=settings.number or identity.number))
