"""May this message leave now? Asked as a forecast when it is accepted, and for good in front of the modem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.message import Rule
from gateway.rules.verdict import Allow, Defer, Refuse, Verdict, strictest


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the rules of this version look at. Instants are microseconds UTC."""

    now_us: int
    send_us: int | None
    expires_us: int
    stoppable: bool
    opted_out: bool
    #: An automatic reply, such as the confirmation of the opt-out itself.
    automatic_reply: bool = False
    #: Why nothing is sent to this number, whoever asks: "is …" (`gateway.rules.numbers`).
    number_refused: str | None = None


def decide(facts: Facts) -> Verdict:
    """The verdict of all rules together."""
    return strictest(_verdicts(facts))


def _verdicts(facts: Facts) -> Iterator[Verdict]:
    yield expiry(facts)
    yield opt_out(facts)
    yield number_allowed(facts)
    yield schedule(facts)


def expiry(facts: Facts) -> Verdict:
    """A message that is too late is worse than none."""
    if facts.expires_us <= facts.now_us:
        return Refuse(Rule.EXPIRED, "its time to be sent has passed")
    return Allow()


def opt_out(facts: Facts) -> Verdict:
    """Whoever said STOP is left alone, in every category that can be stopped."""
    if facts.opted_out and facts.stoppable and not facts.automatic_reply:
        return Refuse(Rule.OPT_OUT, "the recipient has opted out")
    return Allow()


def number_allowed(facts: Facts) -> Verdict:
    """No message to what is no person's number, costs more than a message, or lies in a country that is not listed."""
    if facts.number_refused is not None:
        return Refuse(Rule.NUMBER_NOT_ALLOWED, f"the number {facts.number_refused}")
    return Allow()


def schedule(facts: Facts) -> Verdict:
    """Not before the moment it was asked for."""
    if facts.send_us is not None and facts.send_us > facts.now_us:
        return Defer(facts.send_us, Rule.SCHEDULED, "it was asked to leave at that time")
    return Allow()
