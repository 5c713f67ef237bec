"""How addresses are written: where the API listens, where alarms go, which networks may be reached."""

from __future__ import annotations

import ipaddress
import re

from gateway.config.settings import ListenAddress
from gateway.config.shapes import Wrong, e164, host_name, text

_BRACKETED = re.compile(r"\[(?P<host>[0-9A-Fa-f:.%]+)\]:(?P<port>[0-9]{1,5})")
_PLAIN = re.compile(r"(?P<host>[^:\[\]]+):(?P<port>[0-9]{1,5})")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+")
_LISTEN_FORM = 'must be an address and a port, such as "127.0.0.1:7672" or "[::1]:7672"'


def listen_address(value: object) -> ListenAddress:
    """`host:port`, IPv6 in brackets; port 0 lets the system choose."""
    found = text(value)
    if found.startswith("unix:"):
        raise Wrong("unix sockets are not supported by this version")
    match = _BRACKETED.fullmatch(found) or _PLAIN.fullmatch(found)
    if match is None:
        raise Wrong(_LISTEN_FORM)
    port = int(match["port"])
    if port > 65535:
        raise Wrong("has a port above 65535")
    return ListenAddress(_host(match["host"]), port)


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
    if scheme != "mailto" or not _MAIL.fullmatch(rest):
        raise Wrong('must be "mailto:" and an address or "sms:" and a number')
    return found


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
