"""Which modem takes what, who is next, and whom a message is left to: tables and properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.address import calling_code
from gateway.config.settings import ModemConfig
from gateway.outbound.routes import known_prefixes, routes_of
from gateway.rules.routing import (
    DOUBTFUL_URGENT_US,
    DOUBTFUL_US,
    STICKY_US,
    Fit,
    Lane,
    Peer,
    Route,
    lane_of,
    leave_at_most_until_us,
    leave_until_us,
    prefix_of,
    table_of,
)
from gateway.rules.turns import Turns

LANE = Lane(5, "transactional", 7, test=False, wanted=None, prefix="+33", table="t")
PREFIXES = st.lists(st.from_regex(r"\+[1-9][0-9]{0,5}", fullmatch=True), max_size=4, unique=True)
NUMBERS = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)


def _modem(name: str, port: str = "/dev/null", categories: tuple[str, ...] = (), prefixes: tuple[str, ...] = ()):
    return ModemConfig(name, port, None, None, None, categories, prefixes)


@pytest.mark.parametrize(
    ("route", "lane", "fit"),
    [
        (Route("a", False, True), LANE, Fit.ALL),
        (Route("a", True, False), LANE, Fit.NOTHING),
        (Route("a", False, True, ("emergency",)), LANE, Fit.NOTHING),
        (Route("a", False, True, ("emergency", "transactional")), LANE, Fit.ALL),
        (Route("a", False, True, (), ("+33",), "t"), LANE, Fit.ALL),
        (Route("a", False, True, (), ("+3",), "t"), LANE, Fit.ALL),
        (Route("a", False, True, (), ("+32",), "t"), LANE, Fit.NOTHING),
        (Route("a", False, True, (), ("+336",), "t"), LANE, Fit.NOTHING),
        (Route("a", False, True, (), ("+336",), "other"), LANE, Fit.SOME),
        (Route("a", False, True, (), ("+33",), "t"), Lane(5, "x", 1, False, None), Fit.SOME),
        (Route("a", False, True), Lane(5, "x", 1, False, "b"), Fit.NOTHING),
        (Route("b", False, True), Lane(5, "x", 1, False, "b"), Fit.ALL),
        (Route("b", False, True, ("y",)), Lane(5, "x", 1, False, "b"), Fit.NOTHING),
        # The answer to a STOP leaves where the STOP came in.
        (Route("b", False, True, ("y",), ("+32",)), Lane(5, "x", None, False, "b"), Fit.ALL),
    ],
)
def test_how_much_of_a_lane_a_modem_takes(route: Route, lane: Lane, fit: Fit) -> None:
    assert route.fit(lane) is fit


@given(
    st.builds(
        Lane,
        st.integers(0, 9),
        st.from_regex(r"[a-z][a-z0-9_-]{0,31}", fullmatch=True),
        st.none() | st.integers(1, 2**60),
        st.booleans(),
        st.none() | st.from_regex(r"[A-Za-z0-9_-]{1,32}", fullmatch=True),
        st.just("") | st.from_regex(r"\+[1-9][0-9]{0,14}", fullmatch=True),
        st.just("") | st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
    )
)
def test_a_lane_survives_being_written_and_fits_its_column(lane: Lane) -> None:
    assert lane_of(lane.text()) == lane
    assert len(lane.text()) <= 160


@given(PREFIXES, PREFIXES, NUMBERS)
def test_a_lane_never_gives_a_modem_a_number_that_is_not_for_it_nor_keeps_one_back(
    first: list[str], second: list[str], number: str
) -> None:
    """Also where the prefixes changed after the message was accepted, or another host accepted it."""
    modems = {"a": _modem("a", prefixes=tuple(first)), "b": _modem("b", prefixes=tuple(second))}
    here, there = routes_of(modems), routes_of({"b": modems["b"]})
    known = known_prefixes(modems)
    lane = Lane(5, "x", 1, False, None, prefix_of(number, known), table_of(known))
    for route in (*here.values(), *there.values()):
        suits = not route.prefixes or number.startswith(route.prefixes)
        assert route.takes(lane, number) == suits
    # Where it was accepted no number need be looked at.
    assert all(route.fit(lane) is not Fit.SOME for route in here.values())


def test_beside_a_real_modem_a_simulated_one_takes_only_test_traffic() -> None:
    both = routes_of({"sim": _modem("sim", "simulated:"), "stick": _modem("stick")})
    assert [(each.takes_test, each.takes_live) for each in both.values()] == [(True, False), (False, True)]
    alone = routes_of({"sim": _modem("sim", "simulated:")})
    assert (alone["sim"].takes_test, alone["sim"].takes_live) == (True, True)


@pytest.mark.parametrize(
    ("number", "code"),
    [("+33612345678", "+33"), ("+12025550123", "+1"), ("+352621123456", "+352"), ("+999123", "+999123")],
)
def test_calling_codes(number: str, code: str) -> None:
    assert calling_code(number) == code


OTHER, DOUBTFUL_OTHER = Peer("b"), Peer("b", doubtful=True)


@pytest.mark.parametrize(
    ("priority", "doubtful", "peers", "known_by", "wait_us"),
    [
        (5, False, [], "b", None),
        (5, False, [OTHER], None, None),
        (5, False, [OTHER], "a", None),
        (5, False, [OTHER], "c", None),
        (5, False, [OTHER], "b", STICKY_US),
        (5, False, [DOUBTFUL_OTHER], "b", None),
        (9, False, [OTHER], "b", None),
        (8, False, [OTHER], "b", None),
        (5, True, [OTHER], "a", DOUBTFUL_US),
        (9, True, [OTHER], None, DOUBTFUL_URGENT_US),
        (9, True, [], None, None),
        (5, True, [DOUBTFUL_OTHER], None, None),
    ],
)
def test_whom_a_message_is_left_to(
    priority: int, doubtful: bool, peers: list[Peer], known_by: str | None, wait_us: int | None
) -> None:
    found = leave_until_us(name="a", doubtful=doubtful, priority=priority, due_us=1000, peers=peers, known_by=known_by)
    assert found == (None if wait_us is None else 1000 + wait_us)
    # What is asked first, without knowing of others, never says less.
    most = leave_at_most_until_us(doubtful=doubtful, priority=priority, due_us=1000)
    assert (most or 0) >= (found or 0)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 10)), max_size=60), st.integers(1, 10))
def test_turns_are_fair(history: list[tuple[str, int]], longest: int) -> None:
    """Whatever happened before, among flows that always have something nobody is ahead by more than a message."""
    turns = Turns()
    for flow, parts in history:
        turns.serve(flow, parts)
    start = {flow: turns.tally(flow) for flow in "ab"}
    given_ = {"a": 0, "b": 0}
    for step in range(50):
        flow = min("ab", key=lambda each: (turns.tally(each), each))
        parts = 1 + step % longest
        turns.serve(flow, parts)
        given_[flow] += parts
    lead = abs(start["a"] - start["b"])
    assert abs(given_["a"] - given_["b"]) <= longest + lead


@given(st.integers(1, 1000))
def test_who_comes_new_is_next_but_for_one_turn_of_each(sent: int) -> None:
    turns = Turns()
    for _ in range(sent):
        turns.serve("campaign", 1)
    assert turns.tally("alert") <= turns.tally("campaign")
    turns.serve("alert", 1)
    assert turns.tally("campaign") <= turns.tally("alert")
