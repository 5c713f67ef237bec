"""What is told of a message's moment before it comes: in the answer to who hands it in, and in previews."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.message import Caution, Encoding, Pause, Rule
from gateway.outbound.draft import Draft
from gateway.requests import Preview
from gateway.rules.typography import gsm7_version
from gateway.rules.verdict import Allow, Defer, Refuse, Verdict
from gateway.store.messages import Waiting

#: Who is held by these for ever waits for no person, but for an hour that does not come.
_HOURS = frozenset({Rule.QUIET_HOURS, Rule.WINDOW, Rule.HOLIDAY, Rule.COUNTRY_PROFILE})
_EXPIRES_FIRST = Caution("expires_first", "it would expire before it may leave: give it more time, or another moment")
_NO_RULE = "no rule speaks against it"
_PAUSED = Defer(None, Rule.PAUSED, "sending is paused until somebody resumes it")
_DECISIONS = {Allow: "send", Defer: "hold", Refuse: "refuse"}


def shown(draft: Draft, verdict: Verdict, pause: Pause, waiting: Waiting) -> Verdict:
    """The verdict, or what holds a message that no rule holds, as the store shows it: a pause, a SIM without room."""
    if not isinstance(verdict, Allow):
        return verdict
    if pause.holds(draft.category.name):
        return _PAUSED
    hold = waiting(draft.lane)
    return verdict if hold is None else Defer(hold.until_us, hold.rule, hold.detail)


def leaves_us(draft: Draft, verdict: Verdict) -> int | None:
    """When a draft may leave; None where no rule can tell, or it never may."""
    match verdict:
        case Allow():
            return draft.created_us
        case Defer(until_us=None, rule=rule):
            return draft.expires_us if rule in _HOURS else None
        case Defer(until_us=until_us):
            return until_us
        case Refuse():
            return None


def expiry_cautions(draft: Draft, verdict: Verdict) -> list[Caution]:
    """That it waits for longer than it may live, where that is known already."""
    moment_us = leaves_us(draft, verdict)
    return [] if moment_us is None or moment_us < draft.expires_us else [_EXPIRES_FIRST]


def preview_of(draft: Draft, verdict: Verdict, others: Sequence[str], cautions: Sequence[Caution]) -> Preview:
    """The answer to who asks what would become of a draft."""
    found, told = draft.segmentation, None if isinstance(verdict, Allow) else verdict
    return Preview(
        encoding=Encoding(found.encoding),
        parts=draft.parts,
        characters=found.characters,
        remaining=found.remaining,
        forced_ucs2_by=list(found.forced_ucs2_by),
        gsm7_text=gsm7_version(draft.composed.text) if found.encoding == "ucs2" else None,
        text=draft.composed.text,
        decision=_DECISIONS[type(verdict)],
        rule=told and told.rule,
        until_us=verdict.until_us if isinstance(verdict, Defer) else None,
        explanation=[told.explanation if told else _NO_RULE, *others],
        warnings=cautions,
    )
