"""`tocsin segments` with a running gateway and without."""

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


def test_a_segments_life(command):
    for left in documents(command("segments", "list", "--json")):
        passed(command("segments", "remove", left["name"]))
    for left in documents(command("contacts", "list", "--json")):
        passed(command("contacts", "remove", left["number"]))
    assert passed(command("segments", "add", "french", 'language == "fr"')) == 'french  language == "fr"\n'
    assert_failed(command("segments", "add", "french", "true"), 1, "tocsin: there is a segment of that name")
    (made,) = documents(command("segments", "show", "french", "--json"))
    assert (made["name"], made["filter"]) == ("french", 'language == "fr"')
    assert documents(command("segments", "list", "--json")) == [made]
    assert documents(command("segments", "--json")) == [made]
    assert "french" in passed(command("segments"))
    (counted,) = documents(command("segments", "count", "french", "--json"))
    assert counted == {"count": 0, "left_out": {"missing": {}, "failed": 0, "dead": 0}}
    assert passed(command("segments", "count", "french", "+33639980101")) == "1 in it\n"
    assert passed(command("segments", "count", "--filter", "has(email)")) == "0 in it\n"
    assert documents(command("segments", "members", "french", "--json")) == []
    assert command("segments", "members", "french").stderr == "nobody is in it\n"
    assert passed(command("segments", "set", "french", "has(language)")) == "french  has(language)\n"
    assert passed(command("segments", "remove", "french")) == "french  removed\n"
    assert_failed(command("segments", "show", "french"), 1, "tocsin: there is no segment of that name")
    assert command("segments").stderr == "no segments\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("add", "x", "lnguage == 1"), "filter: there is no field lnguage; did you mean language? (line 1, column 1)"),
        (("add", "X", "true"), "name: has 1 to 64 of a-z, 0-9, _ and -, and begins with a letter"),
        (("count", "nowhere"), "to/0: there is no segment of this name"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(command, arguments: tuple[str, ...], line: str):
    assert_failed(command("segments", *arguments), 1, f"tocsin: {line}")


def test_a_count_needs_somebody_to_count(command):
    for arguments in ((), ("french", "--filter", "true")):
        result = command("segments", "count", *arguments)
        assert result.exit_code == 2
        assert "say either NAME or --filter FILTER" in result.output
