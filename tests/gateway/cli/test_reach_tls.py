"""The command line and a gateway that speaks TLS with a certificate that nobody signed, and one on a unix socket."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.command_line import passed
from support.settings import settings_in
from support.tree import ROOT
from support.waiting import eventually

from api.client.address import Address, certificate_in
from gateway.config.settings import ListenAddress, TlsFiles, UnixAddress
from gateway.daemon import running_gateway
from gateway.listening import AddressInUse, bound

from .conftest import CONFIG, Daemon, _running

VECTORS = ROOT / "tests/vectors/tls"


def _take(name: str, folder: Path) -> None:
    """As those do that renew certificates: each file is replaced in one go."""
    for kind in ("pem", "key"):
        new = folder / f"new.{kind}"
        shutil.copyfile(VECTORS / f"{name}.{kind}", new)
        new.chmod(0o600)
        new.replace(folder / f"api.{kind}")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A gateway with TLS, and on a socket in the file system."""
    folder = tmp_path_factory.mktemp("tls")
    _take("one", folder)
    files = 'tls_cert_file = "api.pem"\ntls_key_file = "api.key"'
    text = CONFIG.replace('["127.0.0.1:0"]', f'["127.0.0.1:0", "unix:api.sock"]\n{files}')
    with _running(folder / "config.toml", text) as running:
        yield running


def test_the_configured_certificate_is_trusted_and_no_other(bare, guarded: Daemon):
    assert guarded.url.startswith("https://127.0.0.1:")
    passed(bare("modems", TOCSIN_CONFIG=str(guarded.config)))
    passed(bare("modems", "--url", guarded.url, TOCSIN_CONFIG=str(guarded.config)))
    # Whoever only knows the address has the system's authorities alone.
    refused = bare("modems", "--url", guarded.url, TOCSIN_TOKEN=guarded.token)
    assert (refused.exit_code, "self-signed certificate" in refused.stderr) == (1, True)
    host, port = guarded.url.removeprefix("https://").split(":")
    other = Address("https", host, int(port)).connection(5, certificate_in(VECTORS / "two.pem"))
    with pytest.raises(ssl.SSLCertVerificationError, match="another certificate"):
        other.connect()


def test_old_tls_and_plain_http_get_no_answer(guarded: Daemon):
    host, port = guarded.url.removeprefix("https://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"HTTP" not in plain.recv(1000)
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection((host, int(port)), timeout=5) as made, pytest.raises((ssl.SSLError, OSError)):
        old.wrap_socket(made)


def test_the_socket_in_the_file_system(bare, guarded: Daemon):
    path = guarded.config.with_name("api.sock")
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    passed(bare("modems", "--url", f"unix:{path}", TOCSIN_CONFIG=str(guarded.config)))
    passed(bare("modems", TOCSIN_URL=f"unix:{path}", TOCSIN_TOKEN=guarded.token))
    gone = bare("modems", "--url", f"unix:{path}.no", TOCSIN_TOKEN=guarded.token)
    assert (gone.exit_code, "no such file" in gone.stderr) == (1, True)


@pytest.mark.parametrize(("host", "status"), [("localhost", 200), ("evil.example", 421), ("", 421)])
def test_names_on_the_socket(guarded: Daemon, host: str, status: int):
    connection = Address.of(f"unix:{guarded.config.with_name('api.sock')}").connection(5)
    connection.request("GET", "/v1/pause", headers={"Host": host, "Authorization": f"Bearer {guarded.token}"})
    assert connection.getresponse().status == status
    connection.close()


async def test_a_renewed_certificate_is_shown_to_new_connections_and_ends_none(tmp_path: Path):
    _take("one", tmp_path)
    settings = settings_in(tmp_path)
    tls = TlsFiles(tmp_path / "api.pem", tmp_path / "api.key")
    settings = replace(settings, api=replace(settings.api, tls=tls))

    def ask(connection):
        connection.request("GET", "/healthz")
        return connection.getresponse().read()

    async with running_gateway(settings) as gateway:

        def to(name: str):
            made = Address.of(gateway.url).connection(5, certificate_in(VECTORS / f"{name}.pem"))
            made.connect()
            return made

        before = await asyncio.to_thread(to, "one")
        assert await asyncio.to_thread(ask, before) == b'{"status":"ok"}'
        shutil.copyfile(VECTORS / "two.pem", tmp_path / "api.pem")
        gateway.reload()
        # Only half of the pair is there yet: the old one stays.
        (await asyncio.to_thread(to, "one")).close()
        _take("two", tmp_path)
        gateway.reload()

        async def renewed() -> bool:
            try:
                (await asyncio.to_thread(to, "two")).close()
            except ssl.SSLError:
                return False
            return True

        await eventually(renewed, 10, "the new certificate")
        assert await asyncio.to_thread(ask, before) == b'{"status":"ok"}'
        before.close()


def test_a_stale_socket_is_replaced_and_nothing_else(tmp_path: Path):
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with bound([UnixAddress(path)]) as sockets:
        sockets[0].listen()
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with pytest.raises(AddressInUse, match="another process listens there"), bound([UnixAddress(path)]):
            pass
        assert path.exists()
    assert not path.exists()
    path.write_text("somebody's")
    with pytest.raises(AddressInUse, match="no socket"), bound([ListenAddress("127.0.0.1", 0), UnixAddress(path)]):
        pass
    assert path.read_text() == "somebody's"
    with pytest.raises(AddressInUse, match="No such file"), bound([UnixAddress(tmp_path / "no" / "api.sock")]):
        pass
