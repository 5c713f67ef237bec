"""Reading `[store]`: a file of this host, or a PostgreSQL database that hosts may share."""

from __future__ import annotations

import os
import stat
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from gateway.config.addresses import is_loopback
from gateway.config.settings import StoreSettings
from gateway.config.shapes import Wrong, suggestion, text
from gateway.config.table import Table

_SQLITE = "sqlite:///"
_FILE = "tocsin.db"
_POSTGRESQL = "postgresql://"
_FORM = 'must be "sqlite:///" and a file, or "postgresql://user@host/database"'
_DRIVER = "psycopg"
#: What may stand after the `?` of a PostgreSQL URL.
_OPTIONS = ("host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_VERIFIED = frozenset({"verify-ca", "verify-full"})
_PASSWORD_OCTETS = 1000


def read_store(root: Table, folder: Path, state_dir: Path) -> StoreSettings:
    """Table `[store]`: SQLite in the state directory where nothing else is written."""
    with root.table("store") as table:
        written = table.take("url", _url, None)
        password_file = table.take("password_file", text, None)
        if written is not None and written.startswith(_POSTGRESQL):
            return _postgresql(table, written, folder, password_file)
        if password_file is not None:
            table.problem("password_file", "belongs to a postgresql:// url")
    path = folder / written.removeprefix(_SQLITE) if written else state_dir / _FILE
    return StoreSettings(url=f"{_SQLITE}{path}", path=path)


def _postgresql(table: Table, url: str, folder: Path, password_file: str | None) -> StoreSettings:
    if find_spec(_DRIVER) is None:
        table.problem("url", "needs the extra postgresql, which is not installed: pip install 'tocsin[postgresql]'")
    options = dict(parse_qsl(urlsplit(url).query))
    host = options.get("host") or urlsplit(url).hostname or ""
    if not (host.startswith("/") or not host or is_loopback(host)) and options.get("sslmode") not in _VERIFIED:
        table.findings.warning(
            table.path_of("url"), "numbers and texts cross the network unverified: add ?sslmode=verify-full"
        )
    password = None if password_file is None else _password(table, folder / password_file)
    return StoreSettings(url=url, password=password)


def _password(table: Table, path: Path) -> str | None:
    """The first line of `password_file`, never shown."""
    try:
        if path.exists() and not path.is_file():
            raise Wrong("is not an ordinary file")
        with path.open("rb") as file:
            octets, mode = file.read(_PASSWORD_OCTETS + 1), os.fstat(file.fileno()).st_mode
        password = octets.decode("utf-8").rstrip("\r\n")
        if not password or len(octets) > _PASSWORD_OCTETS or not password.isprintable():
            raise Wrong("names a file that does not hold one line with a password")
    except FileNotFoundError:
        table.problem("password_file", "names a file that does not exist")
    except OSError as error:
        table.problem("password_file", f"names a file that cannot be read: {(error.strerror or 'error').lower()}")
    except UnicodeDecodeError:
        table.problem("password_file", "names a file that is not UTF-8 text")
    except Wrong as wrong:
        table.problem("password_file", str(wrong))
    else:
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            table.findings.warning(table.path_of("password_file"), "can be read by others: chmod 600 it")
        return password
    return None


def _url(value: object) -> str:
    """A URL of either kind."""
    url = text(value)
    if url.startswith("postgres:"):
        raise Wrong('must begin with "postgresql://"')
    if url.startswith("postgresql:"):
        return _server_url(url)
    path = url.removeprefix(_SQLITE)
    if path == url or not path or path.endswith("/") or path == ":memory:" or "?" in path:
        raise Wrong(_FORM)
    return url


def _server_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        password, port = parts.password, parts.port
    except ValueError:
        raise Wrong(_FORM) from None
    if password is not None:
        raise Wrong("must not hold the password: write it into a file and name that as password_file")
    database = unquote(parts.path[1:])
    if not url.startswith(_POSTGRESQL) or not database or "/" in database or parts.fragment or port == 0:
        raise Wrong(_FORM)
    _check_options(parts.query)
    return url


def _check_options(query: str) -> None:
    try:
        pairs = parse_qsl(query, strict_parsing=True) if query else []
    except ValueError:
        raise Wrong("has options that are not written as ?name=value&name=value") from None
    for name, given in pairs:
        if name not in _OPTIONS:
            raise Wrong(f"knows no option of that name; there are {', '.join(_OPTIONS)}{suggestion(name, _OPTIONS)}")
        if name == "sslmode" and given not in _SSL_MODES:
            raise Wrong(f"sslmode must be one of {', '.join(_SSL_MODES)}")
        if name == "port" and not (given.isascii() and given.isdigit() and 0 < int(given) < 65536):
            raise Wrong("port must be from 1 to 65535")
