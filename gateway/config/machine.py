"""What the machine itself says where the file is silent: its name and its time zone."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_ETC = Path("/etc")


def node_name() -> str:
    """The host name without its domain, reduced to the characters that a node may have."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", socket.gethostname().partition(".")[0]).strip("-")
    return name[:64] or "localhost"


def time_zone(environ: Mapping[str, str], etc: Path = _ETC) -> str:
    """The system's IANA zone: `TZ`, else `/etc/timezone`, else where `/etc/localtime` leads, else UTC."""
    candidates = (environ.get("TZ", "").removeprefix(":"), _first_line(etc / "timezone"), _link(etc / "localtime"))
    return next((name for name in candidates if name and is_zone(name)), "UTC")


def is_zone(name: str) -> bool:
    """Whether the zone data base has such a zone. A hostile name is just unknown."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # none; a name that leads out of the data base; a folder of it
        return False
    return True


def _first_line(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _link(path: Path) -> str:
    """The part of a link's goal after `zoneinfo/`."""
    try:
        return str(path.resolve()).partition("zoneinfo/")[2]
    except OSError:
        return ""
