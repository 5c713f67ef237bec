"""What each answer after Ctrl-Z says about the message, against the classes written out by hand."""

from collections.abc import Callable

import pytest

from drivers.at.codes import CmsError
from drivers.at.results import ERROR, OK, FinalResult, parse_final
from drivers.at.submit_outcomes import RULES, UNNAMED, SubmitClass, class_of, rule_of, word_of

PERMANENT = {1, 8, 10, 28, 29, 30, 50, 69, 81, 95, 96, 97, 98, 99, 111, 127}
PERMANENT |= {128, 129, 130, 143, 144, 145, 159, 160, 161, 175, 176, 193, 195, 196, 198, 199}
TEMPORARY = {17, 22, 41, 42, 47, 192, 194}
LOCAL = {302, 303, *range(310, 319), 320, 321, 322, 330, 331}
OUR_FAULT = {304, 305}


def expected(code: int) -> SubmitClass:
    for codes, kind in (
        (PERMANENT, SubmitClass.REFUSED_PERMANENT),
        (TEMPORARY, SubmitClass.REFUSED_TEMPORARY),
        (LOCAL, SubmitClass.LOCAL),
        (OUR_FAULT, SubmitClass.OUR_FAULT),
        ({21}, SubmitClass.REFUSED_ONCE),
        ({197}, SubmitClass.SENT),
    ):
        if code in codes:
            return kind
    return SubmitClass.AMBIGUOUS


# Only what speaks of the SIM, or of a network that is not there, is certain to have stayed.
CME_LOCAL = {10, 11, 12, 13, 14, 15, 30, 32}


def test_every_answer_with_a_code(tell: Callable[[str], None]) -> None:
    lines = {f"+CMS ERROR: {code}": expected(code) for code in [*range(600), 4096, 65535]}
    lines |= {f"+CMS ERROR: {code.text}": expected(code) for code in CmsError}
    for code in range(600):
        lines[f"+CME ERROR: {code}"] = SubmitClass.LOCAL if code in CME_LOCAL else SubmitClass.AMBIGUOUS
    for bare in ("ERROR", "OK", "+CMS ERROR", "+CMS ERROR: what", "+CME ERROR: what", "BUSY", "NO CARRIER"):
        lines[bare] = SubmitClass.AMBIGUOUS
    different = []
    for line, kind in lines.items():
        result = parse_final(line)
        assert result is not None
        if class_of(result) is not kind:
            different.append((line, class_of(result), kind))
    tell(f"M05: {len(lines)} answers after Ctrl-Z, {len(different)} classed otherwise than by hand")
    assert different == []


def test_the_word_of_a_failure_is_its_number() -> None:
    for code in (1, 255, 322, 512):
        result = parse_final(f"+CMS ERROR: {code}")
        assert result is not None
        assert word_of(result) == f"cms_{code}"


def test_every_named_failure_has_one_rule_whose_clause_defines_it() -> None:
    named = [code for rule in RULES for code in rule.codes]
    assert sorted(named) == sorted(CmsError)
    for rule in RULES:
        assert {code.clause for code in rule.codes} == {rule.clause}
    assert rule_of(512) is rule_of(0) is UNNAMED


@pytest.mark.parametrize("code", [27, 38, 332, 500, 512, 300])
def test_what_is_not_certain_may_have_left(code: int) -> None:
    result = parse_final(f"+CMS ERROR: {code}")
    assert result is not None
    assert class_of(result) is SubmitClass.AMBIGUOUS


@pytest.mark.parametrize(
    ("line", "kind", "word"),
    [
        ("+CME ERROR: 10", SubmitClass.LOCAL, "cme_10"),
        ("+CME ERROR: SIM not inserted", SubmitClass.LOCAL, "cme_10"),
        ("+CME ERROR: 30", SubmitClass.LOCAL, "cme_30"),
        ("+CME ERROR: 31", SubmitClass.AMBIGUOUS, "cme_31"),
        ("+CME ERROR: 100", SubmitClass.AMBIGUOUS, "cme_100"),
        ("+CME ERROR: nonsense", SubmitClass.AMBIGUOUS, "error"),
        ("COMMAND NOT SUPPORT", SubmitClass.AMBIGUOUS, "error"),
        ("NO CARRIER", SubmitClass.AMBIGUOUS, "error"),
    ],
)
def test_other_errors(line: str, kind: SubmitClass, word: str) -> None:
    result = parse_final(line)
    assert result is not None
    assert (class_of(result), word_of(result)) == (kind, word)


@pytest.mark.parametrize(("result", "word"), [(OK, "bare_ok"), (ERROR, "error")])
def test_results_without_a_code(result: FinalResult, word: str) -> None:
    assert class_of(result) is SubmitClass.AMBIGUOUS
    assert word_of(result) == word


def test_verbose_words_are_classed_like_their_numbers() -> None:
    for code in CmsError:
        result = parse_final(f"+CMS ERROR: {code.text}")
        assert result is not None
        assert class_of(result) is expected(code)
