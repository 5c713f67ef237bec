"""`[links]` and `[campaigns]`."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.clock import SECOND_US
from gateway.config.loader import check, load_settings
from gateway.config.settings import ListenAddress
from gateway.config.tls import check_tls

MODEM = '[modems.sim1]\nport = "simulated:"\n'


def _file(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(MODEM + text, "utf-8")
    return path


def test_without_the_tables_links_stay_as_they_are(tmp_path: Path) -> None:
    settings = load_settings(_file(tmp_path, ""), {})
    assert (settings.links.address, settings.links.listen) == (None, ())
    assert settings.campaigns.conversion_window_us == 7 * 24 * 3600 * SECOND_US


def test_as_they_are_written(tmp_path: Path) -> None:
    text = '[links]\naddress = "https://go.example.fr/s/"\nlisten = ["127.0.0.1:7673"]\n'
    text += '[campaigns]\nconversion_window = "2d"\n'
    path = _file(tmp_path, text)
    settings = load_settings(path, {})
    assert settings.links.address == "https://go.example.fr/s"
    assert settings.links.listen == (ListenAddress("127.0.0.1", 7673),)
    assert settings.campaigns.conversion_window_us == 2 * 24 * 3600 * SECOND_US
    assert settings.addresses == (*settings.api.listen, ListenAddress("127.0.0.1", 7673))
    assert check(path, {}).warnings == ()


@pytest.mark.parametrize(
    "address",
    ["go.example.fr", "ftp://go.example.fr", "https://", "https://user@go.example.fr", "https://go.example.fr/?x=1",
     "https://go.example.fr/#x", "https://go.example.fr/a b", "https://go.exämple.fr", "https://go.example.fr:x",
     "javascript:alert(1)", "https://go.example.fr/../x?", "https://" + "a" * 60 + ".fr", "https://go.example.fr\\n"],
)  # fmt: skip
def test_what_is_no_address_is_a_problem(tmp_path: Path, address: str) -> None:
    report = check(_file(tmp_path, f'[links]\naddress = "{address}"\n'), {})
    assert [problem.key for problem in report.problems] == ["links.address"]


def test_other_machines_need_tls_or_a_word(tmp_path: Path) -> None:
    listen = 'listen = ["0.0.0.0:7673"]\n'
    report = check(_file(tmp_path, f'[links]\naddress = "https://go.example.fr"\n{listen}'), {})
    assert [problem.key for problem in report.problems] == ["links.listen[0]"]
    assert (
        check(_file(tmp_path, f'[links]\naddress = "https://go.example.fr"\ninsecure = true\n{listen}'), {}).problems
        == ()
    )


def test_the_interface_and_links_are_never_at_one_address(tmp_path: Path) -> None:
    text = '[links]\naddress = "https://go.example.fr"\nlisten = ["127.0.0.1:7672"]\n'
    assert [problem.key for problem in check(_file(tmp_path, text), {}).problems] == ["links.listen"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[links]\nlisten = ["127.0.0.1:7673"]\n', "links.listen"),
        ('[links]\naddress = "http://go.example.fr"\n', "links.address"),
        ('[links]\naddress = "https://localhost:7673"\n', "links.address"),
    ],
)
def test_what_works_and_may_not_be_meant_is_a_warning(tmp_path: Path, text: str, key: str) -> None:
    report = check(_file(tmp_path, text), {})
    assert report.problems == ()
    assert key in [warning.key for warning in report.warnings]


def test_a_certificate_that_cannot_be_read_is_named_by_its_own_key(tmp_path: Path) -> None:
    text = '[links]\naddress = "https://go.example.fr"\nlisten = ["0.0.0.0:7673"]\n'
    text += 'tls_cert_file = "a.pem"\ntls_key_file = "a.key"\n'
    report = check(_file(tmp_path, text), {}, check_tls)
    assert [problem.key for problem in report.problems] == ["links.tls_cert_file"]
