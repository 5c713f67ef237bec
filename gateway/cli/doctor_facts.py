"""What `tocsin doctor` looks at: this machine's ports, clock, folders and processes. It judges nothing."""

from __future__ import annotations

import asyncio
import errno
import getpass
import grp
import os
import shutil
import socket
import stat
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from drivers.errors import TransportError
from drivers.gsm.devices import device_of, is_at
from drivers.gsm.discovery import SerialPort, port_at, serial_ports
from drivers.gsm.port_names import DeviceName, ImeiName, parse_port_name
from drivers.gsm.probing import PortReport, meant_by, probe_ports, report_of
from drivers.transport.roots import Roots
from drivers.transport.tcp import SCHEME, parse_url
from gateway.cli.doctor_profiles import ProfileFact
from gateway.cli.doctor_rules import FolderFact, PortFact
from gateway.clock import Clock
from gateway.config.settings import ModemConfig, Settings

_CONNECT_S = 3.0
_FLUSHES = 8
_FLUSHED_OCTETS = 4096
_UDEV_DATA = Path("/run/udev/data")
_IGNORED = ("E:ID_MM_DEVICE_IGNORE=1", "E:ID_MM_PORT_IGNORE=1")


def user_name() -> str:
    """Who runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


# --- modems


def ports_of(modems: Mapping[str, ModemConfig], roots: Roots) -> list[PortFact]:
    """What there is to say of each configured port, with no gateway running: they are asked, and no other is."""
    meant = meant_by([modem.port for modem in modems.values() if _is_serial(modem)], roots)
    there = [port for port in meant.others if port.device.exists()]
    reports = asyncio.run(probe_ports(roots, lambda port: port.name in meant.known, others=there))
    return [_port_of(modem, reports, roots) for modem in modems.values()]


def _is_serial(modem: ModemConfig) -> bool:
    return not modem.simulated and not modem.port.startswith(SCHEME)


def _port_of(modem: ModemConfig, reports: Sequence[PortReport], roots: Roots) -> PortFact:
    if modem.simulated:
        return PortFact(modem.name, modem.port, "simulated")
    if modem.port.startswith(SCHEME):
        return PortFact(modem.name, modem.port, "network", problem=_connects(modem.port))
    report = report_of(modem.port, reports, roots)
    if report is None:
        return _missing(modem)
    device = roots.written(report.port.device)
    forbidden = not os.access(report.port.device, os.R_OK | os.W_OK)
    return PortFact(
        modem.name,
        modem.port,
        "serial",
        device=device,
        forbidden=forbidden,
        problem=None if forbidden else report.problem,
        answers=report.answers,
        model=" ".join(word for word in (report.manufacturer, report.model) if word) or None,
        sim=report.sim,
        has_pin=modem.pin is not None,
        service_centre=True if modem.smsc else report.service_centre,
        signal_dbm=report.signal_dbm,
        group=_group_of(report.port.device),
        user=user_name(),
    )


def _missing(modem: ModemConfig) -> PortFact:
    name = parse_port_name(modem.port)
    told = "no modem that answers has this IMEI" if isinstance(name, ImeiName) else None
    return PortFact(modem.name, modem.port, "serial", missing=True, problem=told)


def _connects(url: str) -> str | None:
    """Whether somebody listens there; the connection is closed at once."""
    try:
        socket.create_connection(parse_url(url), timeout=_CONNECT_S).close()
    except TransportError as error:
        return error.user_text
    except OSError as error:
        return f"cannot be reached ({(error.strerror or 'no answer').lower()})"
    return None


def _group_of(device: Path) -> str | None:
    try:
        return grp.getgrgid(device.stat().st_gid).gr_name
    except (OSError, KeyError):
        return None


def left_alone(modems: Mapping[str, ModemConfig], roots: Roots, udev: Path = _UDEV_DATA) -> bool:
    """Whether udev tells ModemManager to leave every configured stick alone."""
    ports = serial_ports(roots)
    for modem in modems.values():
        if not _is_serial(modem):
            continue
        name = parse_port_name(modem.port)
        mine = (
            [port_at(device_of(name, roots), roots)]
            if isinstance(name, DeviceName)
            else [port for port in ports if isinstance(name, ImeiName) or is_at(port, name)]
        )
        if not mine or not all(port is not None and _is_ignored(port, udev) for port in mine):
            return False
    return True


def _is_ignored(port: SerialPort, udev: Path) -> bool:
    try:
        number = port.device.stat().st_rdev
        told = (udev / f"c{os.major(number)}:{os.minor(number)}").read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    return any(line in told for line in _IGNORED)


# --- country profiles

# What must not wait, and codes that somebody asked for, go to one person for a cause of theirs.
_NEVER_BULK = frozenset({"emergency", "authentication"})


def profile_fact(settings: Settings) -> ProfileFact:
    """What the configuration says of advertising and of notices."""
    categories = settings.categories.values()
    return ProfileFact(
        settings.gateway.country,
        {one.name: one.profile for one in categories if one.profile},
        tuple(one.name for one in categories if not one.profile and one.name not in _NEVER_BULK),
        real_sim=any(not modem.simulated for modem in settings.modems.values()),
    )


# --- the machine


def folder_fact(path: Path, clock: Clock) -> FolderFact:
    """Rights, room and speed of the state directory, or of where it will be made. What is written is removed again."""
    try:
        return _folder_fact(path, clock)
    except PermissionError:
        return FolderFact(str(path), writable=False)
    except OSError as error:
        told = "no room" if error.errno == errno.ENOSPC else (error.strerror or "error").lower()
        return FolderFact(
            str(path), problem=f"{'a flush fails' if os.access(path, os.F_OK) else 'it cannot be made'}: {told}"
        )


def _folder_fact(path: Path, clock: Clock) -> FolderFact:
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists() or folder.is_symlink())
    if not there.is_dir():
        return FolderFact(str(path), exists=False, problem=f"{there} is no folder")
    exists, free = there == path, shutil.disk_usage(there).free
    if not os.access(there, os.W_OK | os.X_OK):
        return FolderFact(str(path), exists=exists, writable=False, free_octets=free)
    open_to_others = exists and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    flush_ms = _flush_ms(there, clock)
    return FolderFact(str(path), exists, open_to_others=open_to_others, free_octets=free, flush_ms=flush_ms)


def _flush_ms(folder: Path, clock: Clock) -> float:
    """The median of a few small writes, each flushed to the disk, in milliseconds."""
    taken: list[int] = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_FLUSHES):
            before = clock.monotonic_us()
            file.write(b"\0" * _FLUSHED_OCTETS)
            file.flush()
            os.fsync(file.fileno())
            taken.append(clock.monotonic_us() - before)
    return statistics.median(taken) / 1000
