"""What is checked of a ring before anything of it is written. Pure but for the words of the refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.errors import FieldError, Forbidden, GatewayError, InvalidRequest
from gateway.requests import Principal
from gateway.ring import (
    CATEGORY,
    LEAST_AFTER_US,
    MOST_AFTER_US,
    MOST_AGAIN,
    MOST_NAMED,
    MOST_STEPS,
    NewRing,
)
from gateway.rings.listed import names_segment

_AFTER = "is a duration from 1s to 7d, such as 5m"


def checked(principal: Principal, new: NewRing) -> NewRing:
    """The ring with its category; `InvalidRequest` with all that is wrong about its form, `Forbidden` where it names
    segments and the token may not."""
    wrong = [*_named("/to", new.to), *_worded(new), *_later(new)]
    if wrong:
        raise InvalidRequest("alert_invalid", wrong[0].message, errors=wrong)
    refuse_segments(principal, [*new.to, *(word for step in new.escalate for word in step.to)])
    return replace(new, category=new.category or CATEGORY)


def refuse_segments(principal: Principal, to: Sequence[str]) -> None:
    """`Forbidden` where a token names a segment and may know none: the answer would say who is in it."""
    if any(map(names_segment, to)) and not (principal.may("contacts") or principal.may("campaigns")):
        raise Forbidden("segments_not_allowed", "naming a segment needs the scope contacts or campaigns")


def _named(pointer: str, to: Sequence[str]) -> list[FieldError]:
    if not 1 <= len(to) <= MOST_NAMED:
        return [FieldError(pointer, f"names 1 to {MOST_NAMED} numbers or segments")]
    return []


def _worded(new: NewRing) -> list[FieldError]:
    ways = (bool(new.text), bool(new.texts), new.template is not None)
    if sum(ways) > 1:
        return [FieldError("/text", "is one of three ways to say what is told: text, texts, template")]
    if new.text and new.variables:
        return [FieldError("/variables", "belong to texts or a template, and are not given beside a text")]
    return []


def _later(new: NewRing) -> list[FieldError]:
    found = [] if len(new.escalate) <= MOST_STEPS else [FieldError("/escalate", f"has at most {MOST_STEPS} steps")]
    for at, step in enumerate(new.escalate[:MOST_STEPS]):
        found += _named(f"/escalate/{at}/to", step.to)
        if not LEAST_AFTER_US <= step.after_us <= MOST_AFTER_US:
            found.append(FieldError(f"/escalate/{at}/after", _AFTER))
    if new.again is not None:
        if not LEAST_AFTER_US <= new.again.after_us <= MOST_AFTER_US:
            found.append(FieldError("/again/after", _AFTER))
        if not 1 <= new.again.times <= MOST_AGAIN:
            found.append(FieldError("/again/times", f"is a number from 1 to {MOST_AGAIN}"))
    return found


def about_text(error: GatewayError) -> bool:
    """Whether a refusal is about all of the ring, not about one of its people."""
    return not error.errors or any(not each.pointer.startswith("/to") for each in error.errors)


def moved(error: InvalidRequest, pointer: str) -> InvalidRequest:
    """A refusal of the words of `to`, for words that stand elsewhere."""
    errors = [FieldError(f"{pointer}{each.pointer.removeprefix('/to')}", each.message) for each in error.errors]
    return InvalidRequest(error.code, error.message, errors=errors)
