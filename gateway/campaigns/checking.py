"""What can never become right about a campaign, told field by field before it is kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from math import isfinite
from typing import Final

from gateway.campaign import FIRST, FROZEN, LIVE, METRICS, SPLIT, Variant, Wanted
from gateway.campaigns.recurring import FORM, read_every
from gateway.clock import SECOND_US
from gateway.config.shapes import Wrong
from gateway.config.times import span
from gateway.errors import FieldError, InvalidRequest

MOST_NAME: Final = 255
#: Numbers and segments that a campaign may name; ways to say it.
MOST_TO: Final = 1000
MOST_VARIANTS: Final = 10
_MOST_WEIGHT: Final = 1_000_000.0
_MOST_VARIABLES: Final = 16_384
_MOST_A_MINUTE: Final = 1_000_000
_LEAST_LOOK_US: Final = 60 * SECOND_US
_LONGEST_US: Final = 366 * 24 * 3600 * SECOND_US
CODE: Final = "campaign_invalid"


def check_campaign(name: str, audience: str, wanted: Wanted, now_us: int) -> None:
    """Raises `InvalidRequest` with everything that is wrong."""
    errors = [FieldError(pointer, sentence) for pointer, sentence in _faults(name, audience, wanted, now_us)]
    if errors:
        raise InvalidRequest(CODE, f"{errors[0].pointer[1:]} {errors[0].message}", errors=errors)


def _faults(name: str, audience: str, wanted: Wanted, now_us: int) -> Iterator[tuple[str, str]]:
    if not 1 <= len(name.strip()) <= MOST_NAME or not name.isprintable():
        yield "/name", f"has 1 to {MOST_NAME} characters, all of them printable"
    if audience not in {FROZEN, LIVE}:
        yield "/audience", f"is {FROZEN} or {LIVE}"
    if not 1 <= len(wanted.to) <= MOST_TO:
        yield "/to", f"names 1 to {MOST_TO} numbers and segments"
    yield from _of_variants(wanted)
    yield from _of_test(wanted, now_us)
    yield from _of_time(wanted, audience, now_us)
    if len(json.dumps(dict(wanted.variables))) > _MOST_VARIABLES:
        yield "/variables", "are too many, or too long"


def _of_variants(wanted: Wanted) -> Iterator[tuple[str, str]]:
    if not 1 <= len(wanted.variants) <= MOST_VARIANTS:
        yield "/variants", f"are 1 to {MOST_VARIANTS}; one alone is said by text, texts or template, too"
    counted = Counter(each.name for each in wanted.variants)
    for at, each in enumerate(wanted.variants):
        if not 1 <= len(each.name) <= MOST_NAME or counted[each.name] > 1 or not each.name.isprintable():
            yield f"/variants/{at}/name", "names this variant and no other"
        yield from _of_variant(f"/variants/{at}", each)
    if wanted.variants and sum(each.weight for each in wanted.variants if isfinite(each.weight)) <= 0:
        yield "/variants", "have no weight at all"


def _of_variant(at: str, each: Variant) -> Iterator[tuple[str, str]]:
    if (each.template is None) == (not each.texts):
        yield at, "has either a text or the name of a template"
    if not (isfinite(each.weight) and 0 <= each.weight <= _MOST_WEIGHT):
        yield f"{at}/weight", f"is a number from 0 to {_MOST_WEIGHT:g}"


def _of_test(wanted: Wanted, now_us: int) -> Iterator[tuple[str, str]]:
    if not 0 < wanted.test_share <= 1:
        yield "/test_share", "is a number above 0, at most 1"
    if wanted.metric not in METRICS:
        yield "/metric", f"is one of {', '.join(METRICS)}"
    if wanted.otherwise not in {FIRST, SPLIT}:
        yield "/otherwise", f"is {FIRST} or {SPLIT}"
    if wanted.decide_us is not None and wanted.decide_after_us is not None:
        yield "/decide_at", "and decide_after are two ways to say one thing"
    if wanted.decide_us is not None and wanted.decide_us <= now_us:
        yield "/decide_at", "is in the past"
    if wanted.guard is not None and not 0 < wanted.guard.opt_out_rate < 1:
        yield "/guard/opt_out_rate", "is a number between 0 and 1"
    if wanted.guard is not None and wanted.guard.least < 1:
        yield "/guard/least", "is at least 1"


def _of_time(wanted: Wanted, audience: str, now_us: int) -> Iterator[tuple[str, str]]:
    if wanted.per_minute is not None and not 1 <= wanted.per_minute <= _MOST_A_MINUTE:
        yield "/pace/per_minute", f"is a whole number from 1 to {_MOST_A_MINUTE}"
    for at, text in enumerate(wanted.windows):
        try:
            span(text)
        except Wrong as wrong:
            yield f"/windows/{at}", str(wrong)
    if wanted.look_every_us < _LEAST_LOOK_US:
        yield "/look_every", 'is at least "1m"'
    if wanted.until_us is not None and not now_us < wanted.until_us <= now_us + _LONGEST_US:
        yield "/until", "lies ahead, at most a year"
    if wanted.until_us is not None and audience == FROZEN and wanted.every is None:
        yield "/until", "is for a live audience, or for a campaign that comes again"
    if wanted.every is None:
        return
    if read_every(wanted.every) is None:
        yield "/every", FORM
    if wanted.decide_us is not None or any(each.send_us is not None for each in wanted.variants):
        yield "/every", "goes with no fixed moment: say decide_after, and give the variants no send_at"
