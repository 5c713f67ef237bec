"""Whatever the octets: a value or a problem, and what goes out comes back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.answers import to_json
from api.body import parse
from api.models.fields import Time
from api.models.lists import page_of
from api.models.messages import MessageIn
from api.problems import HttpProblem
from api.validation import validated
from gateway.clock import from_datetime, rfc3339
from gateway.errors import InvalidRequest

TIME = TypeAdapter(Time)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
T = TypeVar("T")
#: Half surrogate pairs too, which a modem can hand over.
ANY_TEXT = st.text(st.characters(exclude_categories=()))
FIELDS = st.sampled_from([*MessageIn.model_fields, "about_at", "", "a/b", "\ud800"])


def _attempt(work: Callable[[], T]) -> tuple[T | None, HttpProblem | None]:
    try:
        return work(), None
    except HttpProblem as problem:
        return None, problem


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b'{"a":' * 5000)
@example(b'{"a": 1E400}')
@example(b"-" + b"9" * 5000)
def test_octets_give_a_value_or_a_400(octets: bytes):
    value, problem = _attempt(lambda: parse(octets))
    if problem is not None:
        assert (problem.status, problem.code) == (400, "invalid_json")
    else:
        assert value == json.loads(octets)
        assert not isinstance(value, float) or math.isfinite(value)


@given(JSON)
def test_what_is_written_is_read_back(value: object):
    assert parse(to_json(value)) == value


@given(ANY_TEXT)
@example("\ud83c")
def test_any_received_text_can_be_written(text: str):
    assert json.loads(to_json({"text": text}).decode()) == {"text": text}


@given(st.dictionaries(FIELDS, JSON | ANY_TEXT, max_size=8))
def test_any_object_gives_a_message_or_names_its_wrong_fields(values: dict[str, object]):
    message, problem = _attempt(lambda: validated(MessageIn, values))
    if problem is not None:
        assert problem.status == 422
        assert problem.errors
        to_json([[error.pointer, error.message] for error in problem.errors]).decode()
    else:
        assert message is not None
        assert values.keys() <= MessageIn.model_fields.keys()
        assert message.to == values["to"]


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 29)),  # noqa: DTZ001 - the zone follows
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
    st.sampled_from("Tt "),
)
def test_a_time_is_the_same_instant_in_every_zone(moment: datetime, offset_min: int, separator: str):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset_min)))
    expected = from_datetime(aware)
    assert TIME.validate_python(aware.isoformat(separator)) == expected
    in_utc = aware.astimezone(UTC).isoformat(separator).replace("+00:00", "z")
    assert TIME.validate_python(in_utc) == expected
    # A plus that a query string turned into a blank.
    assert TIME.validate_python(aware.isoformat().replace("+", " ")) == expected
    assert TIME.validate_python(rfc3339(expected)) == expected - expected % 1000


@given(st.text() | st.integers() | st.none() | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.Z+-]{8,14}"))
def test_anything_else_is_no_time(value: object):
    try:
        instant_us = TIME.validate_python(value)
    except ValidationError:
        return
    # Whatever is taken can be told again.
    assert rfc3339(instant_us).endswith("Z")


@given(st.lists(st.text(), unique=True, max_size=20), st.integers(1, 25))
def test_pages_of_a_whole_list_are_the_list(names: list[str], limit: int):
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = page_of(names, str, limit, cursor)
        assert len(page.items) <= limit
        seen += page.items
        cursor = page.next
        if cursor is None:
            break
    assert seen == names


def test_a_cursor_of_another_list_is_refused():
    with pytest.raises(InvalidRequest):
        page_of(["a", "b"], str, 1, page_of(["c", "d"], str, 1, None).next)
