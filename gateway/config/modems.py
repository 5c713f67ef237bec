"""Reading `[modems.NAME]`, with the PIN from its own file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection
from pathlib import Path

from drivers.catalogue import problems_of_port
from drivers.gsm.mmi import problem_of_code
from gateway.clock import SECOND_US
from gateway.config.limits import SimLimits
from gateway.config.settings import BalanceSettings, ModemConfig
from gateway.config.shapes import (
    Shape,
    Wrong,
    boolean,
    e164,
    integer,
    known,
    listed,
    matching,
    number,
    number_prefix,
    text,
)
from gateway.config.table import Table, join
from gateway.config.test_network import RESERVED
from gateway.config.times import duration

_PIN = re.compile(r"[0-9]{4,8}")  # 27.007, 8.3; TS 31.101, 9.4.1
_PIN_FILE_OCTETS = 64
_OTHERS = stat.S_IRGRP | stat.S_IROTH
_MOST = 10_000_000
#: How often a balance is asked for where nothing else is written.
_DAY_US = 86_400 * SECOND_US

modem_name: Shape[str] = matching(r"[A-Za-z0-9_-]{1,32}", "must be 1 to 32 letters, digits, - or _")
_iccid: Shape[str] = matching(r"89[0-9]{16,18}", "must be the SIM's number: 18 to 20 digits that begin with 89")


def read_modems(root: Table, folder: Path, categories: Collection[str]) -> dict[str, ModemConfig]:
    """All modems of the file; relative PIN files count from `folder`."""
    found: dict[str, ModemConfig] = {}
    problems_before = len(root.findings.problems)
    modems = root.table("modems")
    for name, table in modems.each(modem_name):
        if name in RESERVED:
            table.findings.problem(table.path, "is the name of a built-in modem, on which test tokens rehearse")
        with table:
            found[name] = _read(name, table, folder, categories)
    if not found and len(root.findings.problems) == problems_before:
        root.problem("modems", 'is missing: at least one modem is needed, such as [modems.sim1] port = "simulated:"')
    _refuse_shared_ports(modems, found)
    return found


def _read(name: str, table: Table, folder: Path, categories: Collection[str]) -> ModemConfig:
    port = table.require("port", _port, "")
    modem = ModemConfig(
        name=name,
        port=port,
        number=table.take("number", e164, None),
        pin=_pin(table, folder),
        smsc=table.take("smsc", e164, None),
        categories=table.take("categories", listed(known(categories, "category")), ()),
        prefixes=table.take("prefixes", listed(number_prefix), ()),
        limits=_limits(table),
        pin_without_counter=table.take("pin_without_counter", boolean, default=False),
        iccid=table.take("iccid", _iccid, None),
        self_test_us=table.take("self_test", duration(least_s=3600), None),
        balance=_balance(table),
    )
    if modem.self_test_us is not None and modem.number is None:
        table.findings.warning(table.path_of("self_test"), "nothing is tested: the modem's own number is not known")
    if port and not modem.simulated and not modem.limits:
        table.findings.warning(table.path, "a real SIM without limits: whatever is queued is sent")
    return modem


def _limits(table: Table) -> SimLimits:
    with table.table("limits") as limits:
        most = integer(1, _MOST)
        return SimLimits(
            per_minute=limits.take("per_minute", most, None),
            per_day=limits.take("per_day", most, None),
            per_month=limits.take("per_month", most, None),
            recipients_per_month=limits.take("recipients_per_month", most, None),
            billing_day=limits.take("billing_day", integer(1, 31), 1),
        )


def _balance(table: Table) -> BalanceSettings | None:
    with table.table("balance") as balance:
        code = balance.take("ussd", _ussd, None)
        every_us = balance.take("every", duration(least_s=60), _DAY_US)
        warn_below = balance.take("warn_below", number, None)
        if "balance" in table and "ussd" not in balance:
            balance.problem("ussd", "is missing")
    return None if code is None else BalanceSettings(code, every_us, warn_below)


def _pin(table: Table, folder: Path) -> str | None:
    """The PIN of `pin_file`, never shown; None without one."""
    file = table.take("pin_file", text, None)
    if file is None:
        return None
    path = folder / file
    try:
        pin, mode = _read_pin(path)
    except Wrong as wrong:
        table.problem("pin_file", str(wrong))
        return None
    if mode & _OTHERS:
        table.findings.warning(table.path_of("pin_file"), "can be read by others: chmod 600 it")
    return pin


def _read_pin(path: Path) -> tuple[str, int]:
    try:
        if path.exists() and not path.is_file():
            raise Wrong("is not an ordinary file")
        with path.open("rb") as file:
            octets, mode = file.read(_PIN_FILE_OCTETS + 1), os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        raise Wrong("names a file that does not exist") from None
    except OSError as error:
        raise Wrong(f"names a file that cannot be read: {(error.strerror or 'error').lower()}") from None
    pin = octets.decode("ascii", "replace").strip()
    if not _PIN.fullmatch(pin):
        raise Wrong("names a file that does not hold 4 to 8 digits")
    return pin, mode


def _ussd(value: object) -> str:
    found = text(value)
    if problem := problem_of_code(found):
        raise Wrong(problem)
    return found


def _port(value: object) -> str:
    found = text(value)
    if problem := problems_of_port(found):
        raise Wrong(problem)
    return found


def _refuse_shared_ports(table: Table, modems: dict[str, ModemConfig]) -> None:
    """Two masters on one line garble each other. A link may point elsewhere at any time, and the daemon copes: the
    second modem finds the device busy. So that is a warning."""
    owners: dict[str, ModemConfig] = {}
    by_device: dict[str, ModemConfig] = {}
    for modem in modems.values():
        if not modem.port or modem.simulated:
            continue
        written = os.path.normpath(modem.port) if modem.port.startswith("/") else modem.port
        device = os.path.realpath(written) if modem.port.startswith("/") else written
        key = join(table.path_of(modem.name), "port")
        first, same = owners.setdefault(written, modem), by_device.setdefault(device, modem)
        if first is not modem:
            table.findings.problem(key, f"is the port of modems.{first.name} too")
        elif same is not modem:
            table.findings.warning(key, f"leads to the device of modems.{same.name} now: only one of them can have it")
