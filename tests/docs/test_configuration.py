"""The keys of the code, of config.example.toml and of the reference are the same, and the example works."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path
from shutil import copyfile

import pytest
from support.tree import ROOT

from gateway.config.categories import BUILT_IN, category_name
from gateway.config.categories import _read as _read_category
from gateway.config.document import read_document
from gateway.config.in_force import NOT_SUPPORTED, is_in_force
from gateway.config.loader import _read, check, known_keys, load_settings
from gateway.config.settings import Category
from gateway.config.table import Findings, Table

EXAMPLE = ROOT / "config.example.toml"
REFERENCE = ROOT / "docs/reference/configuration.md"
# Prose begins with "# "; what could be uncommented, with "#" alone.
COMMENTED_OUT = re.compile(r'^#(?=[\[a-z]|"\+)', re.MULTILINE)
KEY_LINE = re.compile(r"#?[a-z_]+ = ")


@pytest.fixture
def full_example(tmp_path: Path) -> Path:
    """The example with everything uncommented, and the secrets that it speaks of."""
    path = tmp_path / "config.toml"
    path.write_text(COMMENTED_OUT.sub("", EXAMPLE.read_text("utf-8")), "utf-8")
    for name in ("api.pem", "api.key", "links.pem", "links.key"):
        copyfile(ROOT / "tests/vectors/tls" / f"one{Path(name).suffix}", tmp_path / name)
        (tmp_path / name).chmod(0o600)
    for name in ("stick.pin", "store.password"):
        (tmp_path / name).write_text("1234\n")
        (tmp_path / name).chmod(0o600)
    for name, url in (
        ("mail.url", "mailtos://user:secret@host:587?from=sms@host"),
        ("push.urls", "ntfys://host/topic"),
    ):
        (tmp_path / name).write_text(f"# ours\n{url}\n")
        (tmp_path / name).chmod(0o600)
    return path


def _rows() -> dict[str, str]:
    """The reference's table rows: key path and the rest of the line."""
    rows = re.findall(r"^\| `([a-z_.*]+)` \|(.*)\|$", REFERENCE.read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a key is described twice"
    return dict(rows)


def test_the_example_has_no_problem_and_nothing_without_effect():
    report = check(EXAMPLE, {})
    assert (report.problems, report.warnings) == ((), ())


def test_the_example_is_one_simulated_modem_on_the_usual_address():
    settings = load_settings(EXAMPLE, {})
    assert [modem.simulated for modem in settings.modems.values()] == [True]
    assert [(address.host, address.port) for address in settings.api.listen] == [("127.0.0.1", 7672)]
    assert settings.gateway.state_dir == ROOT / "state"


def test_everything_that_the_example_shows_is_right(full_example: Path):
    assert check(full_example, {}).problems == ()


def test_the_example_shows_every_key(full_example: Path):
    findings = Findings()
    _read(read_document(full_example), full_example.parent, {}, findings)
    written = {pattern for _, pattern in findings.written}
    assert known_keys() - written == NOT_SUPPORTED


def test_the_example_explains_every_key():
    lines = EXAMPLE.read_text("utf-8").splitlines()
    bare = [line for before, line in itertools.pairwise(lines) if KEY_LINE.match(line) and before[:2] != "# "]
    assert bare == []


def test_the_reference_describes_every_key():
    assert set(_rows()) == known_keys()


def test_the_reference_says_what_is_not_in_force_yet():
    marked = {key for key, rest in _rows().items() if "*not yet in force*" in rest}
    assert marked == {key for key in known_keys() if not is_in_force(key)}


def test_the_reference_says_what_is_not_supported():
    assert {key for key, rest in _rows().items() if "*not supported*" in rest} == NOT_SUPPORTED


def test_the_reference_shows_the_built_in_categories():
    block = re.search(r"```toml\n(\[categories\.emergency\].*?)```", REFERENCE.read_text("utf-8"), re.DOTALL)
    assert block is not None
    findings = Findings()
    tables = Table(tomllib.loads(block[1]), findings).table("categories").each(category_name)
    assert {name: _read_category(table, Category(name)) for name, table in tables} == BUILT_IN
    assert findings.problems == []
