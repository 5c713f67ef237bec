"""Verdicts and retries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import Rule
from gateway.rules.retry import next_try_us, retry_delay_us
from gateway.rules.verdict import Allow, Defer, Refuse, Verdict, strictest

VERDICTS: st.SearchStrategy[Verdict] = st.one_of(
    st.just(Allow()),
    st.builds(Defer, st.integers(0, 100), st.sampled_from(Rule), st.just("later")),
    st.builds(Refuse, st.sampled_from(Rule), st.just("no")),
)


@given(st.lists(VERDICTS))
def test_the_strictest_wins(verdicts: list[Verdict]) -> None:
    winner = strictest(verdicts)
    refusals = [each for each in verdicts if isinstance(each, Refuse)]
    deferrals = [each for each in verdicts if isinstance(each, Defer)]
    if refusals:
        assert winner == refusals[0]
    elif deferrals:
        assert isinstance(winner, Defer)
        assert winner.until_us == max(each.until_us or 0 for each in deferrals)
    else:
        assert winner == Allow()


def test_retries_wait_longer_each_time_and_end_with_the_message() -> None:
    delays = [retry_delay_us(number) for number in range(1, 20)]
    assert delays == sorted(delays)
    assert delays[0] == 30_000_000
    assert next_try_us(0, 1, 31_000_000) == 30_000_000
    assert next_try_us(0, 1, 30_000_000) is None
    with pytest.raises(ValueError, match="number 1"):
        retry_delay_us(0)
