"""Ask every serial port of this machine what is behind it, for a person who looks for a modem.

Each question is short and changes nothing; a port that anybody holds is not opened.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from drivers.at.parameters import parse_parameters
from drivers.at.urc import body_of, name_of
from drivers.errors import TransportError
from drivers.gsm.asking import Talk
from drivers.gsm.devices import device_of, is_at
from drivers.gsm.discovery import SerialPort, port_at, serial_ports
from drivers.gsm.port_names import DeviceName, ImeiName, check_digit, parse_port_name
from drivers.gsm.port_order import in_order
from drivers.transport.holders import busy_text, holder_if_in_use
from drivers.transport.roots import Roots
from drivers.transport.serial import SerialTransport, is_no_line
from drivers.transport.tcp import SCHEME, TcpTransport

# The SIM or the radio may be slow to answer; who asks by hand can wait a little.
_SECONDS = 5.0
_SIM_WORDS = {"READY": "ready", "SIM PIN": "asks for its PIN", "SIM PUK": "asks for its PUK", "NOT READY": "not ready"}
_SIM_ERRORS = {"10": "no SIM", "11": "asks for its PIN", "12": "asks for its PUK", "13": "failure", "14": "busy"}


@dataclass(frozen=True, slots=True)
class PortReport:
    """One port. `answers` is None when it was not asked; `problem` says why, or what went wrong."""

    port: SerialPort
    answers: bool | None = None
    problem: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    imei: str | None = None
    sim: str | None = None
    service_centre: bool | None = None
    signal_dbm: int | None = None
    #: What to write as `port`.
    name: str | None = None


def on_usb(port: SerialPort) -> bool:
    """What may be asked without having been named: elsewhere a console or a machine may listen."""
    return port.usb_path is not None


async def probe_ports(
    roots: Roots,
    wanted: Callable[[SerialPort], bool] = on_usb,
    told: Callable[[SerialPort], object] = lambda _port: None,
    others: Sequence[SerialPort] = (),
) -> list[PortReport]:
    """Every port, and behind them the `others`; those that are `wanted` are asked, the others always, and `told` hears
    of each of them before."""
    known = await asyncio.to_thread(serial_ports, roots)
    ports = [*known, *others]
    sticks: dict[str, list[SerialPort]] = {}
    for port in [*filter(wanted, known), *others]:
        sticks.setdefault(port.stick, []).append(port)
    answered = await asyncio.gather(*(_probe_stick(group, roots, told) for group in sticks.values()))
    by_name = {each.port.name: each for group in answered for each in group}
    unasked = "not asked: no USB port, and not named"
    return with_names([by_name.get(port.name) or PortReport(port, problem=unasked) for port in ports], roots)


async def _probe_stick(
    ports: Sequence[SerialPort], roots: Roots, told: Callable[[SerialPort], object]
) -> list[PortReport]:
    """The ports one after the other: a stick is one modem, and is asked one thing at a time."""
    reports: list[PortReport] = []
    for port in in_order(ports):
        told(port)
        asked_before = any(each.answers for each in reports)
        reports.append(await probe_port(port, roots, briefly=asked_before))
    aside = [PortReport(port, problem="set aside by its maker for another use") for port in ports]
    return reports + [each for each in aside if each.port not in {report.port for report in reports}]


async def probe_port(port: SerialPort, roots: Roots, *, briefly: bool = False) -> PortReport:
    """Open one port and ask; `briefly`, only whether it answers AT."""
    if port.name.startswith(SCHEME):
        return await _ask_at(port, roots, lambda: TcpTransport(port.name), briefly=briefly)
    try:
        no_line = is_no_line(port.device)
    except OSError:  # opening tells why
        no_line = False
    if no_line:
        return PortReport(port, problem=f"{roots.written(port.device)} is not a serial device")
    holder = await asyncio.to_thread(holder_if_in_use, port.device, roots)
    if holder is not None:
        return PortReport(port, problem=busy_text(roots.written(port.device), holder, roots))
    return await _ask_at(port, roots, lambda: SerialTransport(str(port.device)), briefly=briefly)


async def _ask_at(
    port: SerialPort, roots: Roots, line: Callable[[], SerialTransport | TcpTransport], *, briefly: bool
) -> PortReport:
    try:
        transport = line()
    except TransportError as error:  # an address that is none
        return PortReport(port, problem=error.user_text)
    talk = Talk(transport)
    try:
        await transport.open(talk)
        if not await talk.answers():
            return PortReport(port, answers=False)
        found = PortReport(port, answers=True)
        return found if briefly else await _ask_all(talk, found)
    except TransportError as error:
        return PortReport(port, problem=error.user_text.replace(str(port.device), roots.written(port.device)))
    finally:
        await transport.close()


# --- ports by the names that people give them


@dataclass(frozen=True, slots=True)
class Meant:
    """What names of ports mean: ports that sysfs knows, by their kernel's names, and `others`, of which it does not."""

    known: frozenset[str]
    others: tuple[SerialPort, ...]


def meant_by(names: Iterable[str], roots: Roots) -> Meant:
    """The ports that have to be asked for `names`: for an IMEI every one of the USB. ValueError for what names none."""
    known: set[str] = set()
    others: dict[str, SerialPort] = {}
    listed = serial_ports(roots)
    for text in names:
        name = DeviceName(text) if text.startswith(SCHEME) else parse_port_name(text)
        if isinstance(name, ImeiName):
            known |= {port.name for port in listed if on_usb(port)}
        elif not isinstance(name, DeviceName):
            known |= {port.name for port in listed if is_at(port, name)}
        elif (found := _port_of_path(text, roots)) in listed:
            known.add(found.name)
        else:
            others[found.name] = found
    return Meant(frozenset(known), tuple(others.values()))


def report_of(text: str, reports: Iterable[PortReport], roots: Roots) -> PortReport | None:
    """The report of the port that `text` means: of several, the one that answers in full. None when there is none."""
    name = DeviceName(text) if text.startswith(SCHEME) else parse_port_name(text)
    if isinstance(name, DeviceName):
        found = _port_of_path(text, roots)
        return next((each for each in reports if each.port.name == found.name), None)
    if isinstance(name, ImeiName):
        return next((each for each in reports if name.fits(each.imei)), None)
    fitting = [each for each in reports if is_at(each.port, name)]
    return min(fitting, key=lambda each: (each.imei is None, not each.answers), default=None)


def _port_of_path(text: str, roots: Roots) -> SerialPort:
    """A tty of sysfs, else what has this path alone, such as a pseudo-terminal, or an address of the network."""
    if text.startswith(SCHEME):
        return SerialPort(name=text, device=Path(text))
    device = device_of(DeviceName(text), roots)
    return port_at(device, roots) or SerialPort(name=text, device=device)


async def _ask_all(talk: Talk, report: PortReport) -> PortReport:
    return replace(
        report,
        manufacturer=text_of(await talk.ask("AT+CGMI", _SECONDS)),
        model=text_of(await talk.ask("AT+CGMM", _SECONDS)),
        imei=await talk.imei(),
        sim=sim_of(await talk.ask("AT+CPIN?", _SECONDS)),
        service_centre=centre_of(await talk.ask("AT+CSCA?", _SECONDS)),
        signal_dbm=signal_of(await talk.ask("AT+CSQ", _SECONDS)),
    )


# --- what answers mean


def text_of(lines: Sequence[str] | None) -> str | None:
    """The first line that is text of its own and no unsolicited one."""
    for line in (lines or ())[:-1]:
        body = body_of(line) if name_of(line) in {"+CGMI", "+CGMM"} else line
        if body and not (body is line and line.startswith(("+", "^", "*"))):
            return body.strip().strip('"')[:64]
    return None


def sim_of(lines: Sequence[str] | None) -> str | None:
    """The SIM's state in words; None when the modem says nothing of it."""
    for line in lines or ():
        if name_of(line) == "+CPIN":
            word = body_of(line).strip('" ').upper()
            return _SIM_WORDS.get(word, f"asks for {word}")
        if line.upper().startswith("+CME ERROR:"):
            code = line.partition(":")[2].strip()
            return _SIM_ERRORS.get(code, f"error {code}" if code.isdecimal() else code.lower())
    return "none, or not ready" if lines else None


def signal_of(lines: Sequence[str] | None) -> int | None:
    """dBm of +CSQ (27.007, 8.5): 0 to 31 stand for -113 to -51."""
    for line in lines or ():
        values = parse_parameters(body_of(line)) if name_of(line) == "+CSQ" else ()
        if values and isinstance(values[0], int) and 0 <= values[0] <= 31:
            return -113 + 2 * values[0]
    return None


def centre_of(lines: Sequence[str] | None) -> bool | None:
    """Whether the SIM has a service centre; None when it does not say. The number itself is nobody's business."""
    for line in lines or ():
        if name_of(line) == "+CSCA":
            values = parse_parameters(body_of(line))
            return bool(values and values[0] not in {None, ""})
    return None


# --- the name to write


def with_names(reports: Iterable[PortReport], roots: Roots) -> list[PortReport]:
    """Each answering port with the name that follows it best: its IMEI, its USB serial number, its socket."""
    listed = list(reports)
    imeis = Counter(each.imei for each in listed)
    ids = Counter(each.port.by_id for each in listed)
    return [
        replace(each, name=_name_of(each, roots, alone=imeis[each.imei] == 1, unique=ids[each.port.by_id] == 1))
        if each.answers
        else each
        for each in listed
    ]


def _name_of(report: PortReport, roots: Roots, *, alone: bool, unique: bool) -> str:
    port, imei = report.port, report.imei
    if port.name.startswith(SCHEME):
        return port.name
    if port.usb_path is not None and imei and alone and len(imei) == 15 and check_digit(imei[:14]) == imei[14]:
        return f"imei:{imei}"
    if port.serial and port.by_id and unique:
        return str(Path("/dev/serial/by-id") / port.by_id)
    if port.usb_path is not None:
        return f"usb:{port.usb_path}:{port.interface}"
    return roots.written(port.device)
