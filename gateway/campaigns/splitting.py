"""Who gets which variant: by a hash of the campaign's seed and the person, so that it is the same whenever it is asked,
and nobody chose. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

_HALF = 8
_WHOLE = float(1 << (8 * _HALF))


def place_of(seed: int, recipient_id: int) -> tuple[float, float]:
    """Two numbers from 0 to below 1, even over people and independent of each other: the first says who is tried, the
    second what on."""
    digest = blake2b(f"{seed}/{recipient_id}".encode(), digest_size=2 * _HALF).digest()
    return int.from_bytes(digest[:_HALF]) / _WHOLE, int.from_bytes(digest[_HALF:]) / _WHOLE


def is_tried(seed: int, recipient_id: int, share: float) -> bool:
    """Whether a person is among the share on whom the variants are tried."""
    return place_of(seed, recipient_id)[0] < share


def variant_of(seed: int, recipient_id: int, weights: Sequence[float]) -> int:
    """The variant that falls to a person."""
    if len(weights) == 1:
        return 0
    place, total = place_of(seed, recipient_id)[1], sum(weights)
    behind = 0.0
    for at, weight in enumerate(weights):
        behind += weight / total
        if place < behind:
            return at
    # The shares may add up to a little less than 1; the last that has any takes the rest.
    return max(at for at, weight in enumerate(weights) if weight > 0)
