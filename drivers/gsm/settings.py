"""What a person says of one modem. Values only; numbers and secrets stay out of representations."""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.at.commands import PROMPT_SECONDS, SUBMIT_SECONDS, AtCommand
from drivers.gsm.ladder import RepairPolicy
from drivers.transport.serial import DEFAULT_BAUDRATE


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a modem may take, in seconds. `factor` stretches the deadline that each command has by its name.

    `pause` lies between two questions to a modem or SIM that is not ready yet, `reopen` before a port is opened again
    for the first time; the longer pauses of a repair are in `repair`.
    """

    attention: float = 1.0
    probe: float = 3.0
    # A line that has been silent for so long holds no rest of an answer.
    quiet: float = 0.3
    prompt: float = PROMPT_SECONDS
    submit: float = SUBMIT_SECONDS
    factor: float = 1.0
    pause: float = 0.5
    reopen: float = 0.5
    repair: RepairPolicy = field(default_factory=RepairPolicy)

    def of(self, command: AtCommand) -> float:
        """The time that `command` may take."""
        return command.seconds * self.factor


@dataclass(frozen=True, slots=True)
class ModemSettings:
    """One modem. `port` is as in the configuration; `number` is the SIM's own number; `smsc` overrides the SIM's.

    `pin_without_counter` lets the PIN be given to a SIM whose modem does not tell how many tries are left. `iccid` is
    the SIM that is meant: another one parks the modem.
    `poll_seconds` is how often storage, routing, registration and signal are looked after without being asked.
    """

    name: str
    port: str
    pin: str | None = field(default=None, repr=False)
    smsc: str | None = field(default=None, repr=False)
    number: str | None = field(default=None, repr=False)
    baudrate: int = DEFAULT_BAUDRATE
    rtscts: bool = False
    poll_seconds: float = 60.0
    pin_without_counter: bool = False
    iccid: str | None = None
    deadlines: Deadlines = Deadlines()
