"""The dialogue between terminal and modem as a table.

Two rules. Everything that moves the dialogue is in this table; a pair that is not in it is a mistake of the program and
raises. And nobody knows what a modem was doing before we came, or does after a time-out: such a dialogue is `LOST`, and
only an answer that can belong to nothing but our probe, or silence, brings it back.

        COMMAND             FINAL
IDLE ------------> COMMAND_SENT --------> IDLE
     PROMPTED_COMMAND        PROMPT          PAYLOAD            FINAL
IDLE ------------> PROMPT_AWAITED --> PROMPTED --> PAYLOAD_SENT --------> IDLE
any ---ABANDON---> LOST ---PROBE---> PROBING ---IN_STEP---> IDLE
"""

from __future__ import annotations

from enum import Enum, auto


class Dialogue(Enum):
    """Where the dialogue stands, as seen by the terminal."""

    # Each is itself alone; Enum would hash its name, in Python, for each look into the table.
    __hash__ = object.__hash__

    IDLE = auto()
    COMMAND_SENT = auto()
    PROMPT_AWAITED = auto()
    PROMPTED = auto()
    PAYLOAD_SENT = auto()
    LOST = auto()
    PROBING = auto()


class Step(Enum):
    """What moves the dialogue on."""

    __hash__ = object.__hash__  # as above

    COMMAND = auto()
    PROMPTED_COMMAND = auto()
    PROMPT = auto()
    PAYLOAD = auto()
    FINAL = auto()
    ABANDON = auto()
    PROBE = auto()
    IN_STEP = auto()


class AtUsageError(RuntimeError):
    """The program around the dialogue asked for something at the wrong moment: a mistake of ours, not the modem's."""


TRANSITIONS: dict[tuple[Dialogue, Step], Dialogue] = {
    (Dialogue.IDLE, Step.COMMAND): Dialogue.COMMAND_SENT,
    (Dialogue.IDLE, Step.PROMPTED_COMMAND): Dialogue.PROMPT_AWAITED,
    (Dialogue.COMMAND_SENT, Step.FINAL): Dialogue.IDLE,
    (Dialogue.PROMPT_AWAITED, Step.PROMPT): Dialogue.PROMPTED,
    (Dialogue.PROMPT_AWAITED, Step.FINAL): Dialogue.IDLE,
    (Dialogue.PROMPTED, Step.PAYLOAD): Dialogue.PAYLOAD_SENT,
    (Dialogue.PROMPTED, Step.FINAL): Dialogue.IDLE,
    (Dialogue.PAYLOAD_SENT, Step.FINAL): Dialogue.IDLE,
    (Dialogue.IDLE, Step.ABANDON): Dialogue.LOST,
    (Dialogue.COMMAND_SENT, Step.ABANDON): Dialogue.LOST,
    (Dialogue.PROMPT_AWAITED, Step.ABANDON): Dialogue.LOST,
    (Dialogue.PROMPTED, Step.ABANDON): Dialogue.LOST,
    (Dialogue.PAYLOAD_SENT, Step.ABANDON): Dialogue.LOST,
    (Dialogue.PROBING, Step.ABANDON): Dialogue.LOST,
    (Dialogue.LOST, Step.ABANDON): Dialogue.LOST,
    (Dialogue.LOST, Step.PROBE): Dialogue.PROBING,
    (Dialogue.LOST, Step.IN_STEP): Dialogue.IDLE,
    (Dialogue.PROBING, Step.IN_STEP): Dialogue.IDLE,
}


def move(state: Dialogue, step: Step) -> Dialogue:
    """The next state; raises `AtUsageError` with both names for a pair outside the table."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise AtUsageError(f"{step.name} is not possible while the dialogue is {state.name}") from None
