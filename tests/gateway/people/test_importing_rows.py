"""Rows of any file: each is taken as it was or rejected with its line, and none is lost or takes another along."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.people.importing_columns import delimiter_of, head_of
from gateway.people.importing_rows import Plan, behind_head, read_head, read_rows
from gateway.people.importing_text import Rewriting, Sniffer, past_lines, rewrite

CELL = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NASTY = st.text(st.sampled_from(list("\"',;|\t\r\n=+-@\x00\ufeff é")), max_size=12)


def _plain(octets: bytes, folder: Path) -> Path:
    """The file as it is read: in UTF-8, with line feeds."""
    source, target = folder / "in", folder / "out"
    source.write_bytes(octets)
    target.write_bytes(b"")
    sniffer = Sniffer()
    for start in range(0, len(octets), 7):
        sniffer.look(octets[start : start + 7])
    charset = sniffer.charset()
    if sniffer.is_plain(charset):
        return source
    so_far = Rewriting()
    while not so_far.over:
        so_far = rewrite(source, target, charset, so_far, 1)
    return target


def _read(path: Path) -> tuple[list, list]:
    head = read_head(path, None, {}, {"a": "text", "b": "text"})
    plan = Plan(path, head, "FR", month_first=False, numbers=((), (), ()))
    place, rows, rejections, over = behind_head(path), [], [], False
    while not over:
        group = read_rows(plan, place)
        rows, rejections = rows + group.rows, rejections + group.rejections
        place, over = group.place, group.over
    return rows, rejections


@given(
    st.lists(st.tuples(CELL | NASTY, CELL | NASTY), min_size=1, max_size=8),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_every_row_is_taken_or_rejected(cells: list, delimiter: str, charset: str, ends: str):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ends, quoting=csv.QUOTE_ALL)
    writer.writerow(["number", "a", "b"])
    for at, pair in enumerate(cells):
        writer.writerow([f"061234{at:04d}", *pair])
    with tempfile.TemporaryDirectory() as name:
        rows, rejections = _read(_plain(out.getvalue().encode(charset), Path(name)))
    assert len(rows) + len(rejections) == len(cells)
    for row in rows:
        at = int(row.number[-4:])
        for text in cells[at]:
            # What can be printed comes through; blanks and line ends between words are one blank.
            words = [word for word in text.split() if word.isprintable() and "'" not in word and '"' not in word]
            assert all(word in row.attributes for word in words if "\\" not in word), (text, row)


@given(st.binary(max_size=400))
def test_no_octets_break_it(octets: bytes):
    with tempfile.TemporaryDirectory() as name:
        path = _plain(b"number;a\n" + octets, Path(name))
        _, rejections = _read(path)
    assert all(rejection.reason and rejection.line > 1 for rejection in rejections)


@given(st.binary(max_size=300), st.integers(0, 30))
def test_lines_are_found_again(octets: bytes, lines: int):
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x"
        path.write_bytes(octets)
        octet = past_lines(path, lines)
    found = octets[:octet].count(b"\n")
    assert found == min(lines, octets.count(b"\n"))
    assert octet == len(octets) or lines == 0 or octets[:octet].endswith(b"\n")


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [
        ("number", ","),
        ("a;b,c;d", ";"),
        ('"a;b;c",d', ","),
        ("a\tb", "\t"),
        ("a|b|c", "|"),
        ('"x ""y"";;;",b', ","),
    ],
)
def test_what_parts_the_cells(line: str, delimiter: str):
    assert delimiter_of(line) == delimiter


@pytest.mark.parametrize(
    ("heads", "fields"),
    [
        ("Numéro de téléphone,Nom", ["number", "attributes"]),
        ("N° Tél.;E-mail", ["number", "email"]),
        ("Handynummer;Vorname;Nachname", ["number", "attributes", "attributes"]),
        ("phone,mobile", ["attributes", "number"]),
        ("attributes.phone,number", ["attributes", "number"]),
        ("Tel,,日本", ["number", "", "attributes"]),
        ("number,Ville,ville", ["number", "attributes", "attributes"]),
    ],
)
def test_heads_as_people_write_them(heads: str, fields: list[str]):
    targets = head_of(heads, None, {}, {}).targets
    assert [each.field for each in targets] == fields
    names = [each.name for each in targets if each.field == "attributes"]
    assert len({*names}) == len(names)
    assert all(names)
