"""The dialogue's table: every pair is either in it or refused by name."""

import itertools

import pytest

from drivers.at.state import TRANSITIONS, AtUsageError, Dialogue, Step, move


@pytest.mark.parametrize(("state", "step"), list(itertools.product(Dialogue, Step)))
def test_every_pair(state: Dialogue, step: Step) -> None:
    if (state, step) in TRANSITIONS:
        assert move(state, step) is TRANSITIONS[state, step]
    else:
        with pytest.raises(AtUsageError, match=rf"{step.name}.*{state.name}"):
            move(state, step)


def test_every_state_can_be_given_up_and_recovered() -> None:
    for state in Dialogue:
        assert move(state, Step.ABANDON) is Dialogue.LOST
    assert move(move(Dialogue.LOST, Step.PROBE), Step.IN_STEP) is Dialogue.IDLE


def test_nothing_but_a_payload_follows_the_prompt() -> None:
    steps = {step for state, step in TRANSITIONS if state is Dialogue.PROMPTED}
    assert steps == {Step.PAYLOAD, Step.FINAL, Step.ABANDON}


def test_no_command_is_sent_out_of_step() -> None:
    senders = {state for state, step in TRANSITIONS if step in {Step.COMMAND, Step.PROMPTED_COMMAND}}
    assert senders == {Dialogue.IDLE}
