"""Whom a connection comes from, as far as the system vouches for it: what no header field can claim."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from typing import Final, cast

_UCRED: Final = struct.Struct("3i")
# RFC 4291, 2.5.4: who has one address of it has them all.
_HOST_NETWORK: Final = 64


def source_of(transport: asyncio.BaseTransport | None) -> str:
    """The peer's address, of IPv6 its /64; of a socket in the file system the peer's user, as `uid:1000`."""
    peer = transport.get_extra_info("peername") if transport is not None else None
    if isinstance(peer, tuple):
        return _of_address(str(cast("tuple[object, ...]", peer)[0]))
    made = transport.get_extra_info("socket") if transport is not None else None
    return "unknown" if made is None or made.family != socket.AF_UNIX else _of_user(made)


def _of_address(host: str) -> str:
    if ":" not in host:
        return host
    address = ipaddress.IPv6Address(host.partition("%")[0])
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), _HOST_NETWORK), strict=False))


def _of_user(made: socket.socket) -> str:
    try:
        octets = made.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    except OSError:
        return "unknown"
    return f"uid:{_UCRED.unpack(octets)[1]}"
