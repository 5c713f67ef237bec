"""From what was said on the command line to the gateway that is meant: configuration, address, token."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from api.client.address import certificate_in
from gateway.cli.client import GatewayClient
from gateway.cli.errors import BadConfiguration, Failure
from gateway.cli.options import Invocation, invocation

if TYPE_CHECKING:
    from gateway.config.loader import FurtherCheck
    from gateway.config.settings import Settings

DEFAULT_CONFIG = Path("/etc/tocsin/config.toml")
TOKEN_FILE = "cli.token"  # noqa: S105 - the name of a file
_LOCK_FILE = "tocsin.lock"
_MOST_OCTETS = 4096
# Who listens everywhere is found on this machine.
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here


def config_path(said: Invocation) -> Path:
    """Which configuration is meant."""
    return said.config or Path(os.environ.get("TOCSIN_CONFIG") or DEFAULT_CONFIG)


def settings_of(said: Invocation, *further: FurtherCheck) -> Settings:
    """The configuration. Raises `BadConfiguration` with every problem."""
    from gateway.config.loader import load_settings
    from gateway.errors import ConfigurationError

    path = config_path(said)
    try:
        return load_settings(path, os.environ, *further)
    except ConfigurationError as error:
        raise BadConfiguration(path, error.problems) from None


def said_url(said: Invocation) -> str | None:
    """The address that was named, None when the configuration has to say it."""
    return said.url or os.environ.get("TOCSIN_URL") or None


def gateway() -> GatewayClient:
    """The running gateway. The configuration is read only for what is not said."""
    said = invocation()
    url, token = said_url(said), os.environ.get("TOCSIN_TOKEN")
    if url and token:
        return GatewayClient(url, token.strip(), "TOCSIN_TOKEN")
    settings = settings_of(said)
    own = url is None or url.rstrip("/") == _told_by_daemon(settings.gateway.state_dir / _LOCK_FILE)
    address = url or url_of(settings)
    certificate = _certificate(settings) if own and address.startswith("https:") else None
    if token:
        return GatewayClient(address, token.strip(), "TOCSIN_TOKEN", certificate)
    file = settings.gateway.state_dir / TOKEN_FILE
    return GatewayClient(address, _token_in(file), str(file), certificate)


def url_of(settings: Settings) -> str:
    """Where the daemon says that it listens, else where the configuration tells it to."""
    from gateway.config.settings import ListenAddress

    told = _told_by_daemon(settings.gateway.state_dir / _LOCK_FILE)
    if told:
        return told
    first = settings.api.listen[0]
    if not isinstance(first, ListenAddress):
        return f"unix:{first.path}"
    if not first.port:
        raise Failure(f"no gateway runs on {settings.gateway.state_dir}; is `tocsin serve` running?")
    host = _ANY_ADDRESS.get(first.host, first.host)
    scheme = "https" if settings.api.tls else "http"
    return f"{scheme}://[{host}]:{first.port}" if ":" in host else f"{scheme}://{host}:{first.port}"


def _certificate(settings: Settings) -> bytes | None:
    """What the gateway of this configuration shows of itself: it need not be signed by anybody, nor name the host."""
    tls = settings.api.tls
    try:
        return certificate_in(tls.cert) if tls else None
    except (OSError, ValueError):
        raise Failure(f"{tls.cert if tls else ''} does not hold a certificate that can be read") from None


def _told_by_daemon(lock: Path) -> str | None:
    """The address in the lock's text. A daemon that ended badly leaves its last one, which nobody answers."""
    try:
        with lock.open("rb") as file:
            holder = json.loads(file.read(_MOST_OCTETS))
    except (OSError, ValueError):
        return None
    url = cast("dict[str, object]", holder).get("url") if isinstance(holder, dict) else None
    return url if isinstance(url, str) else None


def _token_in(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_OCTETS).decode("ascii", "replace").strip()
    except FileNotFoundError:
        raise Failure(f"there is no {file}: start the gateway once, or set TOCSIN_TOKEN") from None
    except OSError as error:
        reason = (error.strerror or "error").lower()
        raise Failure(f"{file} cannot be read ({reason}): run as the gateway's user, or set TOCSIN_TOKEN") from None
