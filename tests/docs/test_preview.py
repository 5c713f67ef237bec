"""The page about previews lists the codes of the lint, and no others."""

from __future__ import annotations

import re

from support.markdown import page

from gateway.rules.lint import CHECKS
from gateway.rules.notices import SHORT_NOTICES

PAGE = page("docs/how-to/preview.md")
#: What is not in the table of checks: routes, dictionaries, and what the rules say.
ELSEWHERE = {"no_route", "typo", "expires_first", "not_preferred"}


def test_the_page_lists_every_code_and_no_other():
    told = set(re.findall(r"^\| `([a-z0-9_]+)` \|", PAGE.section("What it warns of"), re.MULTILINE))
    assert told == set(CHECKS) | ELSEWHERE


def test_the_page_shows_the_short_notices():
    told = re.findall(r"^\| `([a-z]+)` \| `([^`]+)` \|", PAGE.section("The STOP notice"), re.MULTILINE)
    assert dict(told) == {language: notice.strip() for language, notice in SHORT_NOTICES.items()}
