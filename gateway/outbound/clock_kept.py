"""What the store keeps of a host's clock, from and to what is known of it (`gateway.rules.clock_trust`)."""

from __future__ import annotations

from gateway.rules.clock_trust import Reason, Standing
from gateway.store.clock_marks import Kept


def kept_of(standing: Standing, *, boot: str | None, base_us: int, since_us: int | None) -> Kept:
    """How the clock stands, for the next start."""
    return Kept(
        boot=boot,
        base_us=base_us,
        offset_us=standing.offset_us,
        ahead_us=standing.ahead_us,
        vouched=standing.vouched,
        allowed_off_us=standing.allowed_off_us,
        reason=standing.reason.value if standing.reason else None,
        since_us=since_us,
        crept_us=standing.crept_us,
        looked_us=standing.looked_us,
    )


def standing_of(kept: Kept, floor_us: int) -> Standing:
    """How it stood, on the same start of the machine."""
    return Standing(
        kept.offset_us,
        floor_us,
        kept.ahead_us,
        kept.vouched,
        kept.allowed_off_us,
        Reason(kept.reason) if kept.reason in set(Reason) else None,
        kept.crept_us,
        kept.looked_us,
    )
