"""The life of a message as tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import (
    FINAL,
    PART_TRANSITIONS,
    WAITING,
    IllegalTransition,
    PartEvent,
    PartState,
    Status,
    next_state,
    status_of,
)

# Contract, section 5: "the first that applies", in the contract's order.
PRECEDENCE = [
    ({PartState.UNCERTAIN}, Status.UNCERTAIN),
    ({PartState.FAILED}, Status.FAILED),
    ({PartState.PENDING, PartState.SUBMITTING}, Status.SENDING),
    ({PartState.UNDELIVERED}, Status.UNDELIVERED),
]


@given(st.lists(st.sampled_from(PartState), min_size=1, max_size=10))
def test_the_status_word_is_the_first_of_the_contract_that_applies(parts: list[PartState]) -> None:
    expected = next((word for states, word in PRECEDENCE if states & set(parts)), None)
    if expected is None:
        expected = Status.DELIVERED if set(parts) == {PartState.DELIVERED} else Status.SENT
    assert status_of(parts) is expected


@given(st.sampled_from(PartState), st.sampled_from(PartEvent))
def test_only_the_table_moves_a_part(state: PartState, event: PartEvent) -> None:
    if (state, event) in PART_TRANSITIONS:
        assert next_state(state, event) is PART_TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalTransition):
            next_state(state, event)


def test_nothing_but_evidence_or_an_operator_leaves_uncertain_and_nothing_but_a_report_leaves_failed() -> None:
    from_uncertain = {event for state, event in PART_TRANSITIONS if state is PartState.UNCERTAIN}
    assert PartEvent.MARK not in from_uncertain
    from_failed = {event for state, event in PART_TRANSITIONS if state is PartState.FAILED}
    assert from_failed == {PartEvent.REPORT_DELIVERED, PartEvent.REPORT_UNDELIVERED}


def test_every_state_can_be_reached_from_pending() -> None:
    reached = {PartState.PENDING}
    while new := {to for (state, _), to in PART_TRANSITIONS.items() if state in reached} - reached:
        reached |= new
    assert reached == set(PartState)


def test_words_are_waiting_sending_or_final() -> None:
    assert WAITING | FINAL | {Status.SENDING} == set(Status)
    assert not WAITING & FINAL
