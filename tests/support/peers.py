"""Programs that are not ours and that the peer tests drive, with the Debian package that brings each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

PACKAGE_OF = {
    "gammu": "gammu",
    "gammu-smsd": "gammu-smsd",
    "smsd": "smstools",
    "strace": "strace",
    "ModemManager": "modemmanager",
    "mmcli": "modemmanager",
    "dbus-daemon": "dbus",
    "dbus-send": "dbus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "curl": "curl",
    "php": "php-cli",
    "ssconvert": "gnumeric",
}

# Daemons live in sbin, which an ordinary user's PATH leaves out.
_SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))


def program(name: str) -> str | None:
    """The program's full path, None where it is not installed."""
    return shutil.which(name, path=_SEARCH_PATH)


def missing_packages(programs: Iterable[str]) -> list[str]:
    """The packages that bring those of `programs` that are not installed; a program nobody knows is a mistake."""
    return sorted({PACKAGE_OF[name] for name in programs if program(name) is None})
