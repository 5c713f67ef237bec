"""`contacts` with a running gateway and without: one person at a time, and from files and to files."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from support.command_line import documents, passed


@pytest.fixture(params=["running", "stopped"])
def command(request: pytest.FixtureRequest, bare, tocsin, config: Path):
    """The command line where a gateway holds the store, and where none does."""
    if request.param == "running":
        return tocsin
    return lambda *arguments, **options: bare(*arguments, **{"TOCSIN_CONFIG": str(config)} | options)


def _refused(result: Result, words: str) -> None:
    """It failed, and said so in one line."""
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert words in result.stderr


def test_a_contacts_life(command):
    number, other = "+33639980901", "+33639980902"
    (made,) = documents(
        command(
            *("contacts", "add", "06 39 98 09 01", "--name", "Ada", "--tag", "x", "--tag", "y", "--language", "fr"),
            *("--attribute", "born=1957-12-10", "--attribute", "visits=3", "--attribute", "club=yes", "--json"),
        )
    )
    assert (made["number"], made["tags"]) == (number, ["x", "y"])
    assert made["attributes"] == {"born": "1957-12-10", "club": True, "visits": 3}
    assert "attributes.born" in passed(command("contacts", "show", number))
    (changed,) = documents(
        command(
            *(
                "contacts",
                "set",
                number,
                "--tag",
                "z",
                "--untag",
                "x",
                "--attribute",
                "visits=",
                "--language",
                "",
                "--json",
            )
        )
    )
    assert (changed["tags"], changed["language"], "visits" in changed["attributes"]) == (["y", "z"], None, False)
    passed(command("contacts", "add", other, "--email", "ada@example.org"))
    passed(command("contacts", "set", number, "--email", "ADA@example.org"))
    assert [one["number"] for one in documents(command("contacts", "list", "--tag", "z", "--json"))] == [number]
    assert documents(command("contacts", "list", "--hygiene", "dead", "--json")) == []
    (group,) = documents(command("contacts", "duplicates", "--json"))
    assert (group["because"], len(group["contacts"])) == ("email", 2)
    assert "email" in passed(command("contacts", "duplicates"))
    assert number in passed(command("contacts", "merge", other, number))
    assert {one["name"]: one["type"] for one in documents(command("contacts", "attributes", "--json"))} == {
        "born": "date",
        "club": "bool",
        "visits": "number",
    }
    assert passed(command("contacts", "attributes", "set", "visits", "text")) == "visits  text\n"
    assert passed(command("contacts", "attributes", "remove", "visits")) == "visits  removed\n"
    assert passed(command("contacts", "remove", number)) == f"{number}  removed\n"
    _refused(command("contacts", "show", number), "there is no contact of this number")
    for name in ("born", "club"):
        passed(command("contacts", "attributes", "remove", name))


def test_what_is_written_wrong_is_said_in_a_line(command):
    _refused(command("contacts", "add", "+33639980903", "--timezone", "Mars"), "timezone: must be a time zone")
    assert command("contacts", "add", "+33639980903", "--attribute", "x").exit_code == 2
    assert command("contacts", "set", "+33639980903").exit_code == 2
    _refused(command("contacts", "import", "/nowhere.csv"), "no such file")


FILE = """Tél;Nom complet;Ville
06 39 98 09 11;=cmd|' /C calc'!A0;Orléans
12;B;
06 39 98 09 12;"Léa ""L."" Dupont";+33 x;
06 39 98 09 11;Other;
"""


@pytest.mark.parametrize("form", ["file", "stdin"])
def test_a_file_comes_in_and_goes_out_and_comes_in_again(command, tmp_path: Path, form: str):
    file = tmp_path / "people.csv"
    file.write_bytes(FILE.encode("latin-1"))
    given = [str(file)] if form == "file" else ["-"]
    stream = {} if form == "file" else {"input": file.read_bytes()}
    result = command(
        *("contacts", "import", *given, "--tag", "new", "--consent", "club", "--consent-at", "2026-01-02"), **stream
    )
    told = passed(result)
    assert "2 added, 0 changed, 2 rejected, " in told
    assert "3     number_invalid  " in told
    assert "5     number_twice    " in told
    out = tmp_path / "out.csv"
    passed(command("contacts", "export", "--tag", "new", "--types", "--out", str(out)))
    assert out.stat().st_mode & 0o777 == 0o600
    text = out.read_text("utf-8-sig")
    assert text.splitlines()[0].endswith('"tags","ville:text"')
    assert "\"'+33639980911\",\"'=cmd|' /C calc'!A0\"" in text
    before = documents(command("contacts", "list", "--tag", "new", "--json"))
    for one in before:
        passed(command("contacts", "remove", one["number"]))
    passed(command("contacts", "attributes", "remove", "ville"))
    (again,) = documents(command("contacts", "import", str(out), "--json"))
    assert (again["added"], again["rejections"], again["charset"]) == (2, [], "utf-8-sig")
    after = documents(command("contacts", "list", "--tag", "new", "--json"))
    kept = ("number", "name", "tags", "attributes")
    assert [[one[key] for key in kept] for one in after] == [[one[key] for key in kept] for one in before]
    for one in after:
        passed(command("contacts", "remove", one["number"]))
    passed(command("contacts", "attributes", "remove", "ville"))


def test_a_file_without_numbers_is_refused_in_a_line(command, tmp_path: Path):
    file = tmp_path / "people.csv"
    file.write_text("a,b\n1,2\n")
    _refused(command("contacts", "import", str(file)), "no column is known to hold the number")
    _refused(command("contacts", "import", str(file), "--column", "a"), "columns: must be NAME:WORD")
    _refused(command("contacts", "import", str(file), "--charset", "base64"), "charset: must be one of")
    _refused(command("contacts", "import", str(file), "--consent", "none"), "consent_category: there is no such")
