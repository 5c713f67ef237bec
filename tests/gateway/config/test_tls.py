"""The certificate of the interface: everything that can be wrong with its files is said with the key at fault."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from support.tree import ROOT

from api.client.address import certificate_in
from gateway.config.loader import check
from gateway.config.settings import TlsFiles
from gateway.config.tls import check_tls, context_of

VECTORS = ROOT / "tests/vectors/tls"
LOCKED = "names a key with a passphrase: write the key without one into a file that others cannot read"
CONFIG = """
[api]
listen = ["0.0.0.0:0"]
tls_cert_file = "api.pem"
tls_key_file = "api.key"
[modems.sim1]
port = "simulated:"
"""


@pytest.fixture
def report(tmp_path: Path) -> Callable[..., tuple[list[str], list[str]]]:
    """Problems and warnings of a configuration with these files."""

    def of(cert: str | None, key: str | None, text: str = CONFIG, mode: int = 0o600) -> tuple[list[str], list[str]]:
        for source, name in ((cert, "api.pem"), (key, "api.key")):
            if source is not None:
                (tmp_path / name).unlink(missing_ok=True)
                shutil.copyfile(VECTORS / source, tmp_path / name)
                (tmp_path / name).chmod(mode)
        (tmp_path / "config.toml").write_text(text)
        found = check(tmp_path / "config.toml", {}, check_tls)
        return [str(one) for one in found.problems], [str(one) for one in found.warnings]

    return of


def test_a_certificate_and_its_key(report):
    assert report("one.pem", "one.key") == ([], [])
    assert report("two.pem", "two.key", mode=0o640) == ([], [])


@pytest.mark.parametrize(
    ("cert", "key", "said"),
    [
        (None, None, "api.tls_cert_file: names a file that does not exist"),
        ("one.pem", None, "api.tls_key_file: names a file that does not exist"),
        ("one.pem", "two.key", "api.tls_key_file: is not the key of the certificate in tls_cert_file"),
        ("expired.pem", "one.key", "api.tls_cert_file: names a certificate that has expired"),
        ("one.key", "one.key", "api.tls_cert_file: names a file that does not hold a certificate in PEM"),
        ("one.pem", "one.pem", "api.tls_key_file: names a file that does not hold a private key in PEM"),
        (
            "one.pem",
            "locked.key",
            f"api.tls_key_file: {LOCKED}",
        ),
    ],
)
def test_files_that_cannot_be_used(report, cert: str | None, key: str | None, said: str):
    assert report(cert, key) == ([said], [])


def test_a_key_that_others_can_read(report):
    said = "api.tls_key_file: names a file that can be read by others: chmod 640 it"
    assert report("one.pem", "one.key", mode=0o604) == ([said], [])


def test_a_folder_is_no_file(report, tmp_path: Path):
    (tmp_path / "api.pem").mkdir()
    assert report(None, "one.key") == (["api.tls_cert_file: names something that is no file"], [])


def test_a_certificate_that_nothing_uses(report):
    said = "api.tls_cert_file: has no effect: every listen address is a unix socket"
    assert report("one.pem", "one.key", CONFIG.replace("0.0.0.0:0", "unix:api.sock")) == ([], [said])


def test_old_versions_of_tls_are_not_spoken(tmp_path: Path):
    shutil.copyfile(VECTORS / "one.key", tmp_path / "api.key")
    (tmp_path / "api.key").chmod(0o600)
    context = context_of(TlsFiles(VECTORS / "one.pem", tmp_path / "api.key"))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_first_certificate_of_a_chain_is_the_gateways(tmp_path: Path):
    chain = tmp_path / "chain.pem"
    chain.write_text((VECTORS / "one.pem").read_text() + (VECTORS / "two.pem").read_text())
    assert certificate_in(chain) == certificate_in(VECTORS / "one.pem") != certificate_in(VECTORS / "two.pem")
