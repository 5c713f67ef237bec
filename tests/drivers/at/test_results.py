"""Final result codes, and the tables of CME and CMS errors."""

import pytest

from drivers.at.codes import CmeError, CmsError, cme_code, cms_code
from drivers.at.results import ERROR, OK, FinalResult, ResultKind, cme_result, cms_result, parse_final


@pytest.mark.parametrize(
    ("line", "kind", "code"),
    [
        ("OK", ResultKind.OK, None),
        ("ERROR", ResultKind.ERROR, None),
        ("+CME ERROR: 10", ResultKind.CME, 10),
        ("+CME ERROR:10", ResultKind.CME, 10),
        ("+CME ERROR: SIM not inserted", ResultKind.CME, 10),
        ("+cme error: sim NOT inserted", ResultKind.CME, 10),
        ("+CME ERROR: something else", ResultKind.CME, None),
        ("+CME ERROR", ResultKind.CME, None),
        ("+CMS ERROR: 38", ResultKind.CMS, 38),
        ("+CMS ERROR: 65535", ResultKind.CMS, 65535),
        ("+CMS ERROR: 99999999999999999999", ResultKind.CMS, None),
        ("+CMS ERROR: USIM not inserted", ResultKind.CMS, 310),
        ("+CMS ERROR: (U)SIM not inserted", ResultKind.CMS, 310),
        ("+CMS ERROR: Congestion", ResultKind.CMS, 42),
        ("NO CARRIER", ResultKind.NO_CARRIER, None),
        ("COMMAND NOT SUPPORT", ResultKind.OTHER, None),
        ("TOO MANY PARAMETERS", ResultKind.OTHER, None),
    ],
)
def test_lines_that_end_a_command(line: str, kind: ResultKind, code: int | None) -> None:
    result = parse_final(line)
    assert result == FinalResult(kind, line, code)
    assert result.is_ok is (line == "OK")
    assert result.cme == (code if kind is ResultKind.CME else None)
    assert result.cms == (code if kind is ResultKind.CMS else None)


@pytest.mark.parametrize("line", ["OK then", "OKAY", "ok", "ERRORS", "+CME ERRORS: 1", "+CMGS: 4", "", "NO CARRIERS"])
def test_lines_that_only_look_like_it(line: str) -> None:
    assert parse_final(line) is None


@pytest.mark.parametrize("verbose", [False, True])
def test_every_error_is_read_as_it_is_written(verbose: bool) -> None:
    for code in CmeError:
        assert parse_final(cme_result(code, verbose=verbose).line) == cme_result(code, verbose=verbose)
    for code in CmsError:
        read = parse_final(cms_result(code, verbose=verbose).line)
        assert read is not None
        # Two causes have the same words: congestion of the transfer and of the connection layer.
        assert read.cms == (42 if verbose and code == CmsError.CP_CONGESTION else code)


def test_a_code_without_a_name_is_written_as_a_number() -> None:
    assert cms_result(512, verbose=True).line == "+CMS ERROR: 512"


def test_every_code_has_its_clause() -> None:
    for code in (*CmeError, *CmsError):
        assert code.clause.startswith("TS 2")
        assert code.text


def test_codes_by_text() -> None:
    assert cme_code(" 3 ") == CmeError.OPERATION_NOT_ALLOWED
    assert cms_code("Memory full") == CmsError.MEMORY_FULL
    assert cms_code("²") is None


def test_the_plain_results() -> None:
    assert OK.is_ok
    assert not ERROR.is_ok
    assert (OK.cme, ERROR.cms) == (None, None)
