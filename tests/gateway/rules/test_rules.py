"""Verdicts, retries and keywords."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import Rule
from gateway.rules.admission import Facts, decide
from gateway.rules.keywords import Keyword, keyword_of
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
        assert winner.until_us == max(each.until_us for each in deferrals)
    else:
        assert winner == Allow()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(10, None, 20, stoppable=True, opted_out=False), Allow()),
        (Facts(10, 15, 20, stoppable=True, opted_out=False), Rule.SCHEDULED),
        (Facts(10, 10, 20, stoppable=True, opted_out=False), Allow()),
        (Facts(10, None, 10, stoppable=True, opted_out=False), Rule.EXPIRED),
        (Facts(10, None, 20, stoppable=True, opted_out=True), Rule.OPT_OUT),
        (Facts(10, None, 20, stoppable=False, opted_out=True), Allow()),
        (Facts(10, None, 20, stoppable=True, opted_out=True, automatic_reply=True), Allow()),
        (Facts(10, 15, 20, stoppable=True, opted_out=True), Rule.OPT_OUT),
    ],
)
def test_admission(facts: Facts, expected: Verdict | Rule) -> None:
    verdict = decide(facts)
    assert (verdict if isinstance(verdict, Allow) else verdict.rule) == expected


def test_retries_wait_longer_each_time_and_end_with_the_message() -> None:
    delays = [retry_delay_us(number) for number in range(1, 20)]
    assert delays == sorted(delays)
    assert delays[0] == 30_000_000
    assert next_try_us(0, 1, 31_000_000) == 30_000_000
    assert next_try_us(0, 1, 30_000_000) is None
    with pytest.raises(ValueError, match="number 1"):
        retry_delay_us(0)


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop", " Stop ", "STOP.", "Stop!!!", "'stop'", '"STOP"', "« STOP »", "S.T.O.P", "S T O P", "ＳＴＯＰ",
        "ARRET", "Arrêt", "ARRÊT", "arre\u0302t", "Arrêter", "stop all", "STOPALL", "unsubscribe", "Cancel", "END",
        "Désabonner", "desinscription", "stop\n", "\u200bstop", "stop 🙂", "opt-out", "STOP SMS", "quit",
    ],
)  # fmt: skip
def test_stop_however_it_is_dressed(text: str) -> None:
    assert keyword_of(text) is Keyword.STOP


@pytest.mark.parametrize("text", ["START", "start.", "Unstop", "reprendre", "DÉBUT"])
def test_start(text: str) -> None:
    assert keyword_of(text) is Keyword.START


@pytest.mark.parametrize("text", ["HELP", "aide ?", "Info"])
def test_help(text: str) -> None:
    assert keyword_of(text) is Keyword.HELP


@pytest.mark.parametrize(
    "text",
    [
        "please stop by at 5", "bus stop", "don't stop", "je m'arrête là", "nonstop", "stopper", "", "   ", "!!!", "0",
        "arrêt de bus à 5 h", "The end is near", "stop" * 100, None,
    ],
)  # fmt: skip
def test_sentences_are_no_keywords(text: str | None) -> None:
    assert keyword_of(text) is None


@given(st.text(max_size=200))
def test_any_text_is_looked_at_without_harm(text: str) -> None:
    assert keyword_of(text) in {None, *Keyword}
