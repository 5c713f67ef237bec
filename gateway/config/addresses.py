"""How addresses are written: where the API listens, where alarms go, which networks may be reached."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path

from gateway.address import is_mail
from gateway.config.settings import ListenAddress, UnixAddress
from gateway.config.shapes import Wrong, e164, host_name, text

_BRACKETED = re.compile(r"\[(?P<host>[0-9A-Fa-f:.%]+)\]:(?P<port>[0-9]{1,5})")
_PLAIN = re.compile(r"(?P<host>[^:\[\]]+):(?P<port>[0-9]{1,5})")
_LISTEN_FORM = 'must be an address and a port, such as "127.0.0.1:7672" or "[::1]:7672"'


#: All services of `[channels] push_file`.
PUSH = "push"
#: unix(7): `sun_path` has 108 octets, the last of them zero.
_UNIX_PATH_OCTETS = 107


def listen_address(value: object, folder: Path) -> ListenAddress | UnixAddress:
    """`host:port`, IPv6 in brackets, where port 0 lets the system choose; or `unix:` and a path from `folder`."""
    found = text(value)
    if found.startswith("unix:"):
        return _unix_address(found.removeprefix("unix:"), folder)
    return internet_address(found)


def internet_address(value: object) -> ListenAddress:
    """`host:port`, IPv6 in brackets, where port 0 lets the system choose."""
    found = text(value)
    match = _BRACKETED.fullmatch(found) or _PLAIN.fullmatch(found)
    if match is None:
        raise Wrong(_LISTEN_FORM)
    port = int(match["port"])
    if port > 65535:
        raise Wrong("has a port above 65535")
    return ListenAddress(_host(match["host"]), port)


def _unix_address(written: str, folder: Path) -> UnixAddress:
    if not written.strip() or written.endswith("/") or written.startswith("//"):
        raise Wrong('must name a file after "unix:", such as "unix:/run/tocsin/api.sock"')
    path = folder / written
    if len(os.fsencode(path)) > _UNIX_PATH_OCTETS:
        raise Wrong(f"is longer as a path than the {_UNIX_PATH_OCTETS} octets that a unix socket's may have")
    return UnixAddress(path)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def target(value: object) -> str:
    """Where something is forwarded to: `mailto:…` or `sms:+…`."""
    found = text(value)
    scheme, _, rest = found.partition(":")
    if scheme == "sms":
        return "sms:" + e164(rest)
    if scheme != "mailto" or not is_mail(rest):
        raise Wrong('must be "mailto:" and an address or "sms:" and a number')
    return found


def alarm_target(value: object) -> str:
    """As `target`, or `push`."""
    return PUSH if value == PUSH else target(value)


def network(value: object) -> str:
    """A network in CIDR form, or one address."""
    try:
        return str(ipaddress.ip_network(text(value)))
    except ValueError:
        raise Wrong('must be a network such as "192.168.1.0/24"') from None


def _host(host: str) -> str:
    """An IP address or a host name; figures and dots alone are never a name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        if re.fullmatch(r"[0-9.]+", host):
            raise Wrong(_LISTEN_FORM) from None
        return host_name(host)
