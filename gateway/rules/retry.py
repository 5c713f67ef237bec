"""When a message that was refused for a passing reason is tried again."""

from __future__ import annotations

# Networks that are congested want to be left alone for a while; a message of minutes must not wait an hour.
_DELAYS_S = (30, 60, 120, 300, 600)
_LAST_DELAY_S = 900
_US = 1_000_000

#: +CMS ERROR 21, short message transfer rejected (TS 24.011, E-2): final as a rule, but some networks say it once.
TRIED_ONCE_MORE = frozenset({"cms_21"})


def retry_delay_us(refusals: int) -> int:
    """Microseconds to wait after the `refusals`-th refusal in a row (1-based)."""
    if refusals < 1:
        raise ValueError("the first refusal is number 1")
    return (_DELAYS_S[refusals - 1] if refusals <= len(_DELAYS_S) else _LAST_DELAY_S) * _US


def next_try_us(now_us: int, refusals: int, expires_us: int) -> int | None:
    """The instant of the next try, or None when the message would have expired by then."""
    instant = now_us + retry_delay_us(refusals)
    return instant if instant < expires_us else None
