"""TPDUs a second on one core: octets to values, and values to octets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from bench.figures import Figure, at_least
from bench.plan import Plan
from bench.wire import TEXT
from drivers.tpdu import Address, Origin, SmsSubmit, build_submits, decode, segment

_GOAL = 20_000
_ROUND = 50


async def measure(plan: Plan) -> list[Figure]:
    """Decoding, encoding, and from a text to its octets."""
    address = Address.from_text("+33612345678")
    texts = [TEXT, "Code 123456", "Żółć: " + TEXT[:50], "é€[]" + TEXT]
    submits = [build_submits(segment(text), address, reference=7, validity=None)[0] for text in texts]
    octets = [submit.to_bytes() for submit in submits]
    mix = "one part; GSM-7 and UCS-2"
    return [
        _figure("TPDU decode", plan, [partial(decode, each, Origin.MOBILE) for each in octets], mix, goal=True),
        _figure("TPDU encode", plan, [partial(SmsSubmit.to_bytes, each) for each in submits], mix, goal=True),
        _figure(
            "text to octets: segment, build, encode", plan, [partial(_whole, text, address) for text in texts], mix
        ),
    ]


def _whole(text: str, address: Address) -> bytes:
    return build_submits(segment(text), address, reference=7, validity=None)[0].to_bytes()


def _figure(work: str, plan: Plan, calls: Sequence[Callable[[], object]], note: str, *, goal: bool = False) -> Figure:
    began = time.perf_counter()
    done = 0
    while (took := time.perf_counter() - began) < plan.codec_s or not done:
        for _ in range(_ROUND):
            for call in calls:
                call()
        done += _ROUND * len(calls)
    return Figure(work, "1/s", done / took, goals=[at_least(_GOAL)] if goal else [], note=note)
