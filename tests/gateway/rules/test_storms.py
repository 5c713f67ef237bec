"""The pure part of storms: what becomes of a message, and the texts that tell."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.settings import category

from drivers.tpdu import TpduError, segment
from gateway.config.categories import BUILT_IN
from gateway.rules import storms
from gateway.rules.storms import Alone, Burst, FollowUp, Join, Left, Waiting, Wish

MINUTE = 60_000_000
NOW = 1000 * MINUTE
SPAN = 10 * MINUTE
DAY = 24 * 60 * MINUTE
WISH = Wish(NOW, NOW + DAY, DAY)
ABOUT = Wish(NOW, NOW + 5 * MINUTE, DAY, ends_firmly=True)
BURST = Burst.of_text("3/10m")
assert BURST is not None


def until(fate: storms.Fate) -> int | str | None:
    """In short: minutes from now, whom it is joined to, or None."""
    match fate:
        case FollowUp(until_us=until_us):
            return (until_us - NOW) // MINUTE
        case Join(to=to):
            return to
        case Alone():
            return None


@pytest.mark.parametrize(
    ("wish", "waiting", "left_at", "expected"),
    [
        (WISH, None, None, None),
        (WISH, "a", None, "a"),
        (WISH, "a", -1, "a"),
        (WISH, None, 0, 10),
        (WISH, None, -4, 6),
        (WISH, None, -9, 1),
        (WISH, None, -10, None),
        (WISH, None, -11, None),
        # A clock that was set back by an hour: nobody waits for longer than a span.
        (WISH, None, 60, 10),
        # It left while this one waited for its turn to be accepted.
        (WISH, None, 1, 11),
        (Wish(NOW, NOW + DAY, DAY, replaces=True), "a", None, None),
        (Wish(NOW, NOW + DAY, DAY, replaces=True), None, -4, None),
        # It would come too late for what it is about: then rather at once.
        (ABOUT, None, -4, None),
        (ABOUT, None, -6, 4),
        (ABOUT, "a", None, "a"),
    ],
)
def test_the_same_text(wish: Wish, waiting: str | None, left_at: int | None, expected: int | str | None) -> None:
    left = None if left_at is None else Left(NOW + left_at * MINUTE, 1)
    assert until(storms.of_identical(wish, Waiting(waiting) if waiting else None, left, SPAN)) == expected


def test_a_follow_up_goes_on_counting_and_lives_its_life_after_its_hour() -> None:
    fate = storms.of_identical(Wish(NOW, NOW + MINUTE, DAY), None, Left(NOW - 4 * MINUTE, 7), SPAN)
    assert isinstance(fate, FollowUp)
    assert (fate.repeats, fate.expires_us) == (7, fate.until_us + DAY)
    firm = storms.of_identical(ABOUT, None, Left(NOW - 6 * MINUTE, 1), SPAN)
    assert isinstance(firm, FollowUp)
    assert firm.expires_us == ABOUT.expires_us


@pytest.mark.parametrize(
    ("carrier", "instants", "expected"),
    [
        (None, [], None),
        (None, [-1, -2], None),
        (None, [-1, -2, -3], 7),
        (None, [-9, -5, -1, -2], 5),
        (None, [-1, -2, -10], None),
        ("a", [], "a"),
        (None, [60, 60, 60], 10),
    ],
)
def test_a_burst(carrier: str | None, instants: list[int], expected: int | str | None) -> None:
    around = [NOW + instant * MINUTE for instant in instants]
    assert BURST is not None
    assert until(storms.of_burst(WISH, Waiting(carrier) if carrier else None, around, BURST)) == expected


def test_sentences_name_the_message_that_tells_and_no_person() -> None:
    joined = storms.of_identical(WISH, Waiting("0123"), None, SPAN)
    assert isinstance(joined, Join)
    assert "joined to message 0123" in joined.sentence
    follow = storms.of_identical(WISH, None, Left(NOW, 1), SPAN)
    assert isinstance(follow, FollowUp)
    assert "less than 10m ago" in follow.sentence


@pytest.mark.parametrize(
    ("emergency", "name", "sim_limits", "expected"),
    [
        (False, "emergency", "ignore", False),
        (False, "emergency", "hold", False),
        (False, "fire", "ignore", False),
        (False, "transactional", "hold", True),
        (True, "emergency", "ignore", True),
        (True, "fire", "ignore", True),
    ],
)
def test_different_texts_of_an_emergency_are_left_alone(
    emergency: bool, name: str, sim_limits: str, expected: bool
) -> None:
    assert storms.may_be_digested(category(name, sim_limits=sim_limits), emergency=emergency) is expected
    assert not storms.may_be_digested(BUILT_IN["emergency"], emergency=False)


def in_parts(most: int) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            return len(segment(text, max_parts=most).parts) <= most
        except TpduError:
            return False

    return fits


@pytest.mark.parametrize(
    ("text", "repeats", "others", "expected"),
    [
        ("Pump 3 is off", 0, [], "Pump 3 is off"),
        ("Pump 3 is off", 1, [], "Pump 3 is off (2x)"),
        ("Pump 3 is off", 199, [], "Pump 3 is off (200x)"),
        ("Pompe arrêtée ⚠", 2, [], "Pompe arrêtée ⚠ (3x)"),
        # It would take a part more than it may.
        ("x" * 160, 1, [], "x" * 160),
        ("x" * 155, 1, [], "x" * 155 + " (2x)"),
        ("a", 2, ["b", "c"], "3 messages: a / b / c"),
        ("a", 4, ["b", "c", "b"], "5 messages: a (2x) / b (2x) / c"),
        ("two\n lines", 1, ["b"], "2 messages: two lines / b"),
    ],
)
def test_what_is_told(text: str, repeats: int, others: list[str], expected: str) -> None:
    assert storms.text_of(text, repeats, others, in_parts(1)) == expected


@pytest.mark.parametrize("parts", [1, 2, 10])
@pytest.mark.parametrize("count", [2, 20, 100, 5000])
@pytest.mark.parametrize(
    "sample", ["Pump {} is off since noon", "Brûleur {} arrêté", "⚠ {} ", "x" * 1500 + "{}", "a{}"]
)
def test_a_digest_fits_and_uses_its_room(parts: int, count: int, sample: str) -> None:
    fits = in_parts(parts)
    texts = [sample.format(number) for number in range(min(count, storms.MOST_TOLD + 1))]
    told = storms.text_of(texts[0], count - 1, texts[1:], fits)
    assert fits(told)
    assert told.startswith(f"{count} messages: {texts[0][:9].strip()}")
    whole = f"{count} messages: " + " / ".join(" ".join(text.split()) for text in texts)
    if fits(whole):
        assert told == whole
    elif sample.startswith("x"):
        room = segment(told)
        assert room.remaining < 60


@pytest.mark.parametrize(
    ("counts", "told"),
    [([(1, 2), (2, 3), (3, 4), (4, 5), (7, 8)], [True, False, True, False, True]), ([(1, 200)], [True])],
)
def test_a_count_is_told_at_each_doubling(counts: list[tuple[int, int]], told: list[bool]) -> None:
    assert [storms.is_told(*each) for each in counts] == told


@pytest.mark.parametrize(("seconds", "said"), [(600, "10m"), (90, "90s"), (7200, "2h"), (3660, "61m")])
def test_spans_are_said_as_they_are_written(seconds: int, said: str) -> None:
    assert storms.spoken(seconds * 1_000_000) == said


def test_a_code_that_is_asked_for_again_does_not_wait_for_the_end_of_its_life() -> None:
    code = Wish(NOW, NOW + 10 * MINUTE, 10 * MINUTE)
    assert storms.of_identical(code, None, Left(NOW - MINUTE, 1), 10 * MINUTE) == storms.Alone()
    assert storms.of_identical(code, Waiting("a"), None, 10 * MINUTE) == storms.Alone()
    assert storms.of_identical(code, None, Left(NOW - MINUTE, 1), 9 * MINUTE) != storms.Alone()
