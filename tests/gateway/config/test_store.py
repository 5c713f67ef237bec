"""`[store]` on PostgreSQL: what is read, what is only warned of, and what is said without the driver."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gateway.config.loader import check, load_settings

MODEM = '[modems.sim1]\nport = "simulated:"\n'
URL = "postgresql://tocsin@/tocsin?host=/run/postgresql"


@pytest.fixture
def written(write):
    return lambda store: write(f"{MODEM}[store]\n{store}")


def test_a_database_has_no_file(written):
    store = load_settings(written(f'url = "{URL}"'), {}).store
    assert (store.url, store.path, store.password) == (URL, None, None)


def test_a_password_is_read_and_never_shown(written, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("geheim 1\r\n")
    secret.chmod(0o600)
    settings = load_settings(written(f'url = "{URL}"\npassword_file = "secret"'), {})
    assert settings.store.password == "geheim 1"
    assert "geheim" not in repr(settings)


def test_a_password_that_others_read_is_warned_of(written, tmp_path: Path):
    (tmp_path / "secret").write_text("geheim\n")
    (tmp_path / "secret").chmod(0o640)
    path = written(f'url = "{URL}"\npassword_file = "secret"')
    assert [str(one) for one in check(path, {}).warnings] == [
        "store.password_file: can be read by others: chmod 600 it"
    ]


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("postgresql://u@db.example.org/d", True),
        ("postgresql://u@db.example.org/d?sslmode=require", True),
        ("postgresql://u@db.example.org/d?sslmode=verify-full", False),
        ("postgresql://u@localhost/d", False),
        ("postgresql://u@[::1]:5433/d", False),
        ("postgresql:///d", False),
        (URL, False),
    ],
)
def test_a_network_without_verified_tls_is_warned_of(written, url: str, warned: bool):
    report = check(written(f'url = "{url}"'), {})
    assert report.problems == ()
    assert [one.key for one in report.warnings] == (["store.url"] if warned else [])


def test_without_the_driver_the_extra_is_named(written, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    (problem,) = check(written(f'url = "{URL}"'), {}).problems
    assert str(problem) == (
        "store.url: needs the extra postgresql, which is not installed: pip install 'tocsin[postgresql]'"
    )
