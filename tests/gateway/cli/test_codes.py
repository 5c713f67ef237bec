"""`tocsin codes` and `tocsin links`, with a running gateway and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command_line import assert_failed, documents, passed


@pytest.fixture(params=["running", "stopped"])
def command(request: pytest.FixtureRequest, bare, tocsin, config: Path):
    """The command line where a gateway holds the store, and where none does."""
    if request.param == "running":
        return tocsin
    return lambda *arguments: bare(*arguments, TOCSIN_CONFIG=str(config))


def test_a_pool_is_filled_shown_and_listed(command, tmp_path: Path):
    file = tmp_path / "codes.csv"
    file.write_bytes(b"code\nA1\nA2\nA1\n" + b"x" * 70 + b"\n")
    added = command("codes", "add", "spring", str(file))
    assert (added.exit_code, added.stderr) == (0, "line 5: has more than 64 characters\n")
    assert added.stdout == "spring  2 codes, 0 taken, 2 left\n2 new, 1 known already\n"
    (again,) = documents(command("codes", "add", "spring", str(file), "--json"))
    assert (again["added"], again["known"]) == (0, 3)
    assert passed(command("codes", "show", "spring")) == "spring  2 codes, 0 taken, 2 left\n"
    (listed,) = documents(command("codes", "list", "--json"))
    assert (listed["pool"], listed["total"]) == ("spring", 2)
    assert "spring" in passed(command("codes"))
    assert_failed(command("codes", "show", "autumn"), 1, "tocsin: there is no pool of codes of that name")
    assert command("codes", "add", "spring", str(tmp_path / "none.csv")).exit_code == 1


def test_links_are_those_of_a_campaign(command):
    assert_failed(command("links", "0" * 32), 1, "tocsin: there is no such campaign")
