"""Cells for spreadsheets: none is run, and each comes back as it was."""

from __future__ import annotations

import csv
import io
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.people.attributes_values import as_cell, read
from gateway.people.contact import Contact
from gateway.people.exporting import _line, heads, row_of
from gateway.people.exporting_cells import guarded_cell, unguarded_cell
from gateway.people.importing_columns import head_of

ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
#: What breaks cells, and what formulas begin with.
HOSTILE = st.text(st.sampled_from(list("=+-@\t\r\n,;|'\" aé0\u2212＝＋－＠\u200b\xa0\x00")), max_size=12)
#: How a spreadsheet of any country may cut a line.
CUT = re.compile(r"[,;|\t\r\n]")


@given(ANYTHING | HOSTILE)
def test_every_cell_comes_back(text: str):
    assert unguarded_cell(guarded_cell(text)) == text


@given(ANYTHING | HOSTILE)
def test_nothing_that_a_spreadsheet_makes_of_a_cell_begins_as_a_formula(text: str):
    assert guarded_cell(text)[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"}
    for piece in CUT.split(guarded_cell(text)):
        seen = piece.lstrip(' \xa0\u200b\x00"')
        assert seen[:1] not in set("=+-@\u2212＝＋－＠"), (text, piece)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("plain", "plain"),
        ("+33612345678", "'+33612345678"),
        ("=1+1", "'=1+1"),
        ("'=1+1", "''=1+1"),
        ("it's", "it's"),
        ("a;=b", "a;'=b"),
        ("\t=b", "'\t'=b"),
        ("－1", "'－1"),
    ],
)
def test_cells_as_they_are_shown(cell: str, shown: str):
    assert guarded_cell(cell) == shown
    assert unguarded_cell(shown) == cell


@given(st.lists(ANYTHING | HOSTILE, min_size=1, max_size=5))
def test_a_line_is_csv(cells: list[str]):
    (found,) = csv.reader(io.StringIO(_line(cells), newline=""))
    assert [unguarded_cell(cell) for cell in found] == cells


VALUES = st.one_of(
    st.tuples(st.just("number"), st.integers(-(10**15) + 1, 10**15 - 1)),
    st.tuples(st.just("number"), st.decimals(-(10**6), 10**6, places=3).map(float)),
    st.tuples(st.just("bool"), st.booleans()),
    st.tuples(st.just("date"), st.dates(date(1000, 1, 1))),
)


@given(VALUES)
def test_values_come_back_of_their_type(pair):
    kind, value = pair
    assert read(kind, unguarded_cell(guarded_cell(as_cell(value)))) == value


def test_names_of_attributes_come_back_also_where_they_would_be_fields():
    types = {"city": "text", "mobile": "text", "name": "number", "nom": "text", "tags": "bool"}
    written = heads(types, typed=True)
    targets = head_of(",".join(written), None, {}, {}).targets
    assert [each.field for each in targets[:8]] == written[:8]
    assert [(each.field, each.name, each.kind, each.part) for each in targets[8:]] == [
        ("attributes", name, kind, 0) for name, kind in types.items()
    ]


def test_a_contact_is_a_line_of_cells():
    contact = Contact(
        id=1,
        recipient_id=1,
        number="+33612345678",
        name="Ada",
        tags=("a", "b"),
        attributes={"born": date(1957, 3, 14), "vip": True, "height": 1.5},
        created_us=0,
        updated_us=0,
    )
    types = {"born": "date", "city": "text", "height": "number", "vip": "bool"}
    assert row_of(contact, types) == [
        *("+33612345678", "Ada", "", "", "", "", "", "a,b"),
        *("1957-03-14", "", "1.5", "true"),
    ]
