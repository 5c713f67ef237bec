"""`tocsin modems probe`: which serial ports there are, what answers behind them, and what to write for each."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.errors import EXIT_FAILED
from gateway.cli.options import example, invocation, local_records
from gateway.cli.output import Document, clean, print_document, print_table

if TYPE_CHECKING:
    from drivers.gsm.discovery import SerialPort
    from drivers.gsm.probing import PortReport

_HEADS = ("PORT", "USB", "STICK", "AT", "MODEL", "IMEI", "SIM", "SIGNAL", "NOTE")
_ANSWERS = {True: "yes", False: "no", None: None}


@click.command(
    "probe", epilog=example("tocsin modems probe", "tocsin modems probe --json", "tocsin modems probe /dev/ttyS0")
)
@local_records
@click.argument("ports", nargs=-1, metavar="[PORT]...")
def probe(ports: tuple[str, ...]) -> int:
    """List the serial ports of this machine and the modems behind them.

    Every port on the USB is asked, unless a program holds it, which is then named; any other PORT only when it is
    given: a device, or an address such as socket://host:port. Nothing is set and nothing is sent. For each modem the
    line to write into the configuration is shown. Ends with 1 when ports are given and none of them could be asked.
    """
    from drivers.gsm.discovery import usb_devices
    from drivers.gsm.probing import meant_by, on_usb, probe_ports, report_of
    from drivers.transport.roots import roots_of

    roots = roots_of()
    names = [_whole(port) for port in ports]
    try:
        meant = meant_by(names, roots)
    except ValueError as error:
        raise click.UsageError(str(error)) from None

    def wanted(port: SerialPort) -> bool:
        return on_usb(port) or port.name in meant.known

    reports = asyncio.run(probe_ports(roots, wanted, _progress, meant.others))
    given = {name: report_of(name, reports, roots) for name in names}
    _show(reports, [(device.usb_id, device.path, device.name) for device in usb_devices(roots)])
    for name in [name for name, report in given.items() if report is None]:
        click.echo(f"tocsin: {clean(name)}: there is no such port", err=True)
    asked = [report for report in given.values() if report is not None and report.answers is not None]
    return EXIT_FAILED if given and not asked else 0


def _whole(port: str) -> str:
    """As the configuration writes it: a mere word is below /dev, and a path counts from here."""
    if ":" in port.partition("/")[0]:
        return port
    return str(Path(port).absolute() if "/" in port else Path("/dev") / port)


def _show(reports: Sequence[PortReport], devices: Sequence[tuple[str, str, str]]) -> None:
    placed = {each.port.usb_path for each in reports if each.port.usb_path}
    strangers = _strangers(devices, placed)
    if invocation().json:
        for report in reports:
            print_document(_document(report))
        return
    print_table(_HEADS, [_row(report) for report in reports], "no serial ports")
    for line in [*_lines_to_write(reports), *strangers]:
        click.echo(line)


def _progress(port: SerialPort) -> None:
    """Say on a terminal which port is being asked."""
    if sys.stderr.isatty():
        what = port.product_name or port.usb_id
        click.echo(f"asking {clean(port.name)}" + (f" ({clean(what)})" if what else ""), err=True)


def _strangers(devices: Sequence[tuple[str, str, str]], placed: set[str]) -> list[str]:
    """A line for each stick that cannot answer in the mode in which it is."""
    from drivers.gsm.stick_modes import words_of, wrong_mode

    lines: list[str] = []
    for usb_id, place, name in devices:
        found = wrong_mode(usb_id, placed, place)
        if found is not None:
            lines.append(f"# {clean(name)} ({usb_id}) at {place} {words_of(found.mode)}; {found.mend}")
    return lines


def _lines_to_write(reports: Sequence[PortReport]) -> list[str]:
    """The configuration of each modem: of a stick, the first port that answers in full."""
    lines: list[str] = []
    seen: set[str] = set()
    for report in sorted((each for each in reports if each.answers), key=lambda each: each.model is None):
        if report.port.stick not in seen:
            seen.add(report.port.stick)
            told = " ".join(word for word in (report.manufacturer, report.model) if word)
            what = clean(f"{told or report.port.usb_id or 'a modem'}, {report.port.name}")
            lines += ["", f"[modems.stick{len(seen)}]    # {what}", f'port = "{report.name}"']
    return lines


def _row(report: PortReport) -> tuple[object, ...]:
    port = report.port
    return (
        port.name,
        None if port.usb_path is None else f"{port.usb_path}:{port.interface}",
        port.product_name or port.usb_id,
        _ANSWERS[report.answers],
        report.model,
        report.imei,
        report.sim,
        None if report.signal_dbm is None else f"{report.signal_dbm} dBm",
        report.problem,
    )


def _document(report: PortReport) -> Document:
    port = report.port
    return {
        "device": port.name if "/" in port.name else f"/dev/{port.name}",
        "usb": None if port.usb_path is None else f"{port.usb_path}:{port.interface}",
        "usb_id": port.usb_id,
        "stick": port.product_name,
        "driver": port.driver,
        "answers": report.answers,
        "problem": report.problem,
        "manufacturer": report.manufacturer,
        "model": report.model,
        "imei": report.imei,
        "sim": report.sim,
        "service_centre": report.service_centre,
        "signal_dbm": report.signal_dbm,
        "port": report.name,
    }
