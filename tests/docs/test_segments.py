"""The filters of the page hold for somebody, and not for everybody."""

from __future__ import annotations

import pytest
from support.crowd import Someone
from support.filters import Filtered, filtered
from support.markdown import page

PAGE = page("docs/how-to/segments.md")
FILTERS = [*PAGE.blocks("cel")]
TYPES = {"city": "text", "birth_date": "date", "appointment": "date", "visits": "number"}
NOW_US = 1_767_607_200_000_000
DAY_US = 86_400_000_000

WITH_ALL = Someone(
    number="+33655500101",
    email="marie@example.org",
    language="fr",
    attributes={"city": "Lyon", "birth_date": "1950-01-05", "appointment": "2026-01-06", "visits": 4},
    tags=["diabetes", "course-2026"],
)
WITH_NOTHING = Someone(number="+33655500102")
BUSY = {"last_sent": NOW_US, "sent_count": 9}
CONSENTING = {"consent.promotional": "given", "opted_out": False, "last_sent": NOW_US - 40 * DAY_US}
ANSWERING = {"last_replied": NOW_US - DAY_US, "last_sent": NOW_US, "sent_count": 2, "opted_out": True}


def test_there_are_ten():
    assert len(FILTERS) == 10


@pytest.mark.parametrize("source", FILTERS, ids=range(len(FILTERS)))
def test_each_filter_holds_for_some_and_not_for_others(source: str):
    outcomes = {
        filtered(source, someone, facts, types=TYPES, now_us=NOW_US)
        for someone in (WITH_ALL, WITH_NOTHING)
        for facts in (BUSY, CONSENTING, ANSWERING)
    }
    assert Filtered.IN in outcomes
    assert outcomes - {Filtered.IN}
