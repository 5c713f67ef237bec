"""From a port as the configuration writes it to a modem: the one place that knows every kind of modem there is."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from drivers.errors import TransportError
from drivers.events import ModemStatus
from drivers.gsm.devices import open_device
from drivers.gsm.finding import FoundTransport
from drivers.gsm.pin_ledger import PinLedger
from drivers.gsm.port_names import IMEI_SCHEME, USB_SCHEME, parse_port_name
from drivers.gsm.settings import ModemSettings
from drivers.gsm.supervisor import ModemSupervisor
from drivers.sim import Recipient, SimSettings, SimulatedModem, SimulatedPort
from drivers.sim.settings import numbered
from drivers.tpdu import Address
from drivers.trace.tap import WireTap
from drivers.transport.base import Transport
from drivers.transport.held import PortKeeper, let_go
from drivers.transport.roots import roots_of
from drivers.transport.serial import SerialTransport, is_no_line
from drivers.transport.tcp import SCHEME, TcpTransport, parse_url

__all__ = [
    "ModemSettings",
    "ModemSupervisor",
    "PortKeeper",
    "WireTap",
    "build_modem",
    "is_still_port",
    "let_go",
    "problems_of_port",
]

SIMULATED = "simulated:"

# Names that the configuration keeps for what is not there yet: they get a better answer than "unknown".
_RESERVED = ("smpp://", "http://", "https://")
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
    if port.startswith((IMEI_SCHEME, USB_SCHEME)):
        try:
            parse_port_name(port)
        except ValueError as error:
            return str(error)
        return None
    if port.startswith("/"):
        return _problem_of_path(port)
    forms = f'"{IMEI_SCHEME}356938035643809", "{USB_SCHEME}1-1.4", "{SCHEME}host:port" or "{SIMULATED}"'
    return f'{port!r} is no port: write a device such as "/dev/ttyUSB0", {forms}'


def _problem_of_path(port: str) -> str | None:
    if "\x00" in port:
        return "a device's path holds no NUL"
    path = roots_of().path_of(port)
    try:
        if is_no_line(path):
            return f"{port} is not a serial device"
    except OSError:  # it may be readable, or short enough, for the daemon's user; opening will tell
        return None
    return None


def build_modem(
    settings: ModemSettings,
    keeper: PortKeeper | None = None,
    pins: PinLedger | None = None,
    tap: WireTap | None = None,
    recipients: Mapping[str, Recipient] | None = None,
) -> ModemSupervisor:
    """The supervised modem behind `settings.port`, not yet started; `keeper` keeps the port of a serial device open,
    `pins` what became of its PIN.

    What passes on its line can be recorded by `tap`; `recipients` are people of a simulated modem's network who take
    messages in their own ways. Raises ValueError when the port can be no modem, or the service
    centre no address.
    """
    problem = problems_of_port(settings.port)
    if problem is not None:
        raise ValueError(problem)
    if settings.smsc:
        Address.from_text(settings.smsc)
    line, simulated = _line_to(settings, keeper, recipients or {})
    tap = tap or WireTap(settings.name)
    supervisor = ModemSupervisor(settings, lambda: tap.wrap(line()), simulator=simulated, pins=pins)
    tap.about = lambda: _in_words(supervisor.status())
    return supervisor


def _line_to(
    settings: ModemSettings, keeper: PortKeeper | None, recipients: Mapping[str, Recipient]
) -> tuple[Callable[[], Transport], SimulatedModem | None]:
    """A fresh line for each opening of the port, and the modem at its end if that is ours."""
    if settings.port == SIMULATED:
        modem = _simulated(settings, recipients)
        return lambda: SimulatedPort(modem, settings.port), modem
    if settings.port.startswith(SCHEME):
        return lambda: TcpTransport(settings.port), None
    return lambda: _found(settings, keeper), None


def _found(settings: ModemSettings, keeper: PortKeeper | None) -> Transport:
    """A port of this machine, looked for at each opening."""

    def open_device_at(path: str, keeper: PortKeeper | None) -> Transport:
        return SerialTransport(path, baudrate=settings.baudrate, rtscts=settings.rtscts, keeper=keeper)

    name = parse_port_name(settings.port)
    return FoundTransport(settings.port, name, settings.name, open_device_at, roots=roots_of(), keeper=keeper)


def is_still_port(descriptor: int, port: str) -> bool:
    """Whether `descriptor`, which an earlier process left open, is alive and may be what `port` names."""
    if port == SIMULATED or port.startswith(SCHEME):
        return False
    return open_device(descriptor, parse_port_name(port), roots_of()) is not None


def _in_words(status: ModemStatus) -> str:
    known = (status.manufacturer, status.model, status.profile)
    return ", ".join(each for each in known if each)


def _simulated(settings: ModemSettings, recipients: Mapping[str, Recipient]) -> SimulatedModem:
    # Each name has its own IMEI, SIM and number, the same at every start: limits and evidence go by the SIM.
    identity = numbered(SimSettings(), zlib.crc32(settings.name.encode()) % _IDENTITIES)
    number = settings.number or identity.number
    return SimulatedModem(replace(identity, name=settings.name, number=number, recipients=recipients))
