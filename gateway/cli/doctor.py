"""`tocsin doctor`: everything that could keep the gateway from sending, and what to do about each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.doctor_rules import (
    Finding,
    Level,
    of_alarms,
    of_clock,
    of_configuration,
    of_folder,
    of_modem_manager,
    of_port,
    of_running_modem,
    of_stick,
    of_store,
)
from gateway.cli.errors import EXIT_FAILED, Failure
from gateway.cli.options import example, invocation, remote
from gateway.cli.output import clean, print_document
from gateway.cli.reach import config_path

if TYPE_CHECKING:
    from drivers.transport.roots import Roots
    from gateway.clock import Clock
    from gateway.config.settings import Settings

_ARROW = "->"


@click.command(epilog=example("tocsin doctor", "tocsin doctor --json"))
@remote
def doctor() -> int:
    """Look for what could keep the gateway from sending, and say what to do.

    Works with and without a running gateway: with one, it is asked for its modems, and no port is opened. A PIN is
    never entered. Ends with 0, or with 1 when there is an error.
    """
    worst = Level.OK
    for finding in _findings():
        worst = Level.ERROR if Level.ERROR in {worst, finding.level} else worst
        _show(finding)
    return EXIT_FAILED if worst is Level.ERROR else 0


def _show(finding: Finding) -> None:
    if invocation().json:
        print_document(
            {
                "level": finding.level.value,
                "check": finding.check,
                "message": finding.message,
                "mend": finding.mend,
            }
        )
        return
    click.echo(f"{finding.level.value:8}{clean(finding.message)}")
    if finding.mend:
        click.echo(f"{'':8}{_ARROW} {clean(finding.mend)}")


def _findings() -> Iterator[Finding]:
    from drivers.transport.roots import roots_of
    from gateway.config.loader import check, load_settings
    from gateway.config.tls import check_tls
    from gateway.errors import ConfigurationError
    from gateway.outbound.right_moment import check_hours

    path, roots = config_path(invocation()), roots_of()
    report = check(path, os.environ, check_hours, check_tls)
    yield from of_configuration(str(path), report.problems, report.warnings)
    try:
        settings = load_settings(path, os.environ)
    except ConfigurationError:
        settings = None
    yield from _of_sticks(roots)
    if settings is not None:
        yield from _of_settings(settings, roots)
    yield _of_clock(settings)


def _of_settings(settings: Settings, roots: Roots) -> Iterator[Finding]:
    from gateway.cli import doctor_facts
    from gateway.cli.doctor_profiles import of_profiles
    from gateway.config.country_files import country_profiles

    yield from of_alarms(settings.alarms, [modem.name for modem in settings.modems.values() if not modem.simulated])
    yield from of_profiles(doctor_facts.profile_fact(settings), country_profiles(), settings.profiles)
    runs = _daemon_runs(settings.gateway.state_dir)
    yield from _of_running(settings) if runs else _of_ports(settings, roots)
    yield _of_modem_manager(settings, roots)
    folder = doctor_facts.folder_fact(settings.gateway.state_dir, _clock())
    yield from of_folder(folder)
    yield _of_store(settings, usable=folder.usable)


def _of_ports(settings: Settings, roots: Roots) -> Iterator[Finding]:
    from gateway.cli import doctor_facts

    yield Finding(Level.OK, "gateway", f"no gateway runs on {settings.gateway.state_dir}: the ports are asked")
    for fact in doctor_facts.ports_of(settings.modems, roots):
        yield from of_port(fact)


def _of_running(settings: Settings) -> Iterator[Finding]:
    """The gateway has the ports open; it is asked how they are."""
    from gateway.cli.client import path_of
    from gateway.cli.reach import gateway

    try:
        modems = [*gateway().items(path_of("modems"))]
    except Failure as failure:
        yield Finding(Level.ERROR, "gateway", failure.message, "look into its log: journalctl -u tocsin")
        return
    yield Finding(Level.OK, "gateway", "a gateway runs: it is asked, and no port is opened")
    for modem in modems:
        if modem["node"] == settings.gateway.node:
            smsc = modem.get("smsc")
            yield from of_running_modem(
                str(modem["name"]), str(modem["state"]), modem["reason"], smsc, knows_smsc="smsc" in modem
            )


def _daemon_runs(state_dir: Path) -> bool:
    """Whether somebody holds the lock; who may not open it cannot tell, and a gateway of another user's is likely."""
    from gateway.store.opening import holder_of

    try:
        return holder_of(state_dir) is not None
    except PermissionError:
        return True
    except OSError:
        return False


def _of_sticks(roots: Roots) -> Iterator[Finding]:
    from drivers.gsm.discovery import serial_ports, usb_devices
    from drivers.gsm.stick_modes import words_of, wrong_mode

    with_ports = {port.usb_path for port in serial_ports(roots) if port.usb_path}
    for device in usb_devices(roots):
        found = wrong_mode(device.usb_id, with_ports, device.path)
        if found is not None:
            yield of_stick(device.name, device.usb_id, device.path, words_of(found.mode), found.mend)


def _of_modem_manager(settings: Settings, roots: Roots) -> Finding:
    from drivers.transport.holders import MODEM_MANAGER, MODEM_MANAGER_MEND, running
    from gateway.cli import doctor_facts

    holder = running(MODEM_MANAGER, roots)
    real = any(not modem.simulated and not modem.port.startswith("socket:") for modem in settings.modems.values())
    ignored = holder is not None and real and doctor_facts.left_alone(settings.modems, roots)
    return of_modem_manager(
        None if holder is None else str(holder), real_modems=real, ignored=ignored, mend=MODEM_MANAGER_MEND
    )


def _of_clock(settings: Settings | None) -> Finding:
    from gateway.clock import to_datetime

    clock = _clock()
    doubt, floor = _doubt(settings)
    return of_clock(to_datetime(clock.now_us()).year, synchronised=clock.synchronized(), doubt=doubt, floor=floor)


def _doubt(settings: Settings | None) -> tuple[str | None, str | None]:
    """Why the running gateway does not trust the clock, and the latest time that it knows; nothing where none runs."""
    from gateway.cli.client import path_of
    from gateway.cli.reach import gateway

    if settings is None or not _daemon_runs(settings.gateway.state_dir):
        return None, None
    try:
        state = gateway().get(path_of("clock"))
    except Failure:
        return None, None
    return state.get("detail"), state.get("floor")


def _of_store(settings: Settings, *, usable: bool) -> Finding:
    from gateway.store.inspection import look_at

    look = look_at(settings)
    return of_store(look.place, look.revision, look.problem, current=look.current, can_be_made=usable)


def _clock() -> Clock:
    from gateway.clock import SystemClock

    return SystemClock()
