"""Where a gateway is, and a connection to it: `http://HOST:PORT`, `https://HOST:PORT`, or `unix:/PATH` of a socket.

An `https` gateway is known by the system's certificate authorities and its name, or by one certificate that it must
show, whoever signed it and whatever name or last day stands in it: what a program on the same machine knows best.
"""

from __future__ import annotations

import hmac
import http.client
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Address:
    """A gateway's address. `base` is the path before `/v1`, where a proxy puts the gateway under one."""

    scheme: str
    host: str
    port: int | None
    base: str = ""

    @classmethod
    def of(cls, url: str) -> Address:
        """The address written as a URL. Raises `ValueError` for what is none."""
        if not url.isascii() or any(character.isspace() for character in url):
            raise ValueError("a URL has no spaces and no letters outside ASCII")
        if url.startswith("unix:"):
            path = url.removeprefix("unix:")
            if not path.startswith("/"):
                raise ValueError("unix: is followed by an absolute path")
            return cls("unix", path, None)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or parts.query:
            raise ValueError("a URL is http://HOST:PORT, https://HOST:PORT or unix:/PATH")
        return cls(parts.scheme, parts.hostname, parts.port, parts.path.rstrip("/"))

    def connection(self, timeout_s: float, certificate: bytes | None = None) -> http.client.HTTPConnection:
        """A connection that is not open yet. `certificate`, as DER, is the one that an https gateway must show."""
        if self.scheme == "unix":
            return _UnixConnection(self.host, timeout_s)
        if self.scheme == "http":
            return http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        if certificate is None:
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=timeout_s, context=ssl.create_default_context()
            )
        return _PinnedConnection(self.host, self.port, timeout_s, certificate)


def certificate_in(file: Path) -> bytes:
    """The first certificate of a PEM file, as DER. Raises `OSError` or `ValueError`."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    written = file.read_text("ascii", "replace")
    return ssl.PEM_cert_to_DER_cert(written[written.index(begin) : written.index(end) + len(end)])


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: str, timeout_s: float) -> None:
        # The name by which a gateway knows itself on such a socket.
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Open it."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _PinnedConnection(http.client.HTTPSConnection):
    """HTTPS with whoever shows this certificate and, as TLS demands, has its key."""

    def __init__(self, host: str, port: int | None, timeout_s: float, certificate: bytes) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        super().__init__(host, port, timeout=timeout_s, context=context)
        self._certificate = certificate

    def connect(self) -> None:
        """Open it; nothing is sent to one who shows another certificate."""
        super().connect()
        shown = self.sock.getpeercert(binary_form=True) or b""
        if not hmac.compare_digest(shown, self._certificate):
            self.close()
            raise ssl.SSLCertVerificationError("it shows another certificate than the one that is configured")
