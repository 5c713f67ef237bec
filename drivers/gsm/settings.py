"""What a person says of one modem. Values only; numbers and secrets stay out of representations."""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.transport.serial import DEFAULT_BAUDRATE


@dataclass(frozen=True, slots=True)
class ModemSettings:
    """One modem. `port` is as in the configuration; `number` is the SIM's own number; `smsc` overrides the SIM's.

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
