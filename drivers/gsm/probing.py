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
from drivers.gsm.discovery import SerialPort, serial_ports
from drivers.gsm.port_names import check_digit
from drivers.gsm.port_order import in_order
from drivers.transport.holders import busy_text, holder_if_in_use
from drivers.transport.roots import Roots
from drivers.transport.serial import SerialTransport

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
) -> list[PortReport]:
    """Every port; those that are `wanted` are asked, and `told` hears of each of them before."""
    ports = await asyncio.to_thread(serial_ports, roots)
    sticks: dict[str, list[SerialPort]] = {}
    for port in filter(wanted, ports):
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
    holder = await asyncio.to_thread(holder_if_in_use, port.device, roots)
    if holder is not None:
        return PortReport(port, problem=busy_text(roots.written(port.device), holder, roots))
    transport = SerialTransport(str(port.device))
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
    if imei and alone and len(imei) == 15 and check_digit(imei[:14]) == imei[14]:
        return f"imei:{imei}"
    if port.serial and port.by_id and unique:
        return str(Path("/dev/serial/by-id") / port.by_id)
    if port.usb_path is not None:
        return f"usb:{port.usb_path}:{port.interface}"
    return roots.written(port.device)
