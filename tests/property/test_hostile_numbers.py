"""Whatever stands where a number is asked for: one normal form, or a refusal that does not repeat it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clock import START_US
from support.settings import settings_in

from gateway.errors import InvalidRequest
from gateway.outbound.door import Door
from gateway.requests import NewMessage, Principal

HOLDER = Principal(1, "test", frozenset({"send"}))
COUNTRIES = ("FR", "DE", "GB", "US", None)
#: Numbers that are dialled and lead to no person, and codes for the network or the telephone (22.030).
_DIALLED = """
    112 911 999 000 110 113 114 115 15 17 18 19 117 119 196 116000 116117 101 105 111 118 118218 3949 36111 62626 10 1 0
    *100# #123# *#06# **21*+33612345678# *21*0612345678# ##002# **04*1234*5678*5678# *31#0612345678 #31#+33612345678
    *43# ##21# **05*12345678*1234*1234# *123*1*2# #100*1#
"""
DIALLED = tuple(_DIALLED.split())
PIECES = st.sampled_from([
    *"0123456789+*#;,'\"()-./ pw", "\r\n", "\r", "\n", "\x1a", "\x1b", "\0", "AT+CMGS=", "tel:", "+33", "0612345678",
    "+33612345678", "\uff10\uff16", "\uff0b33", "\u0660\u0666", "\u202e", "\u200b", "\u00a0", ";ext=1", "\ud800",
])  # fmt: skip
HOSTILE = st.lists(PIECES, max_size=16).map("".join) | st.text(st.characters(exclude_categories=()), max_size=40)


def _door(folder: Path, country: str | None = "FR", *allowed: str) -> Door:
    settings = settings_in(folder)
    api = replace(settings.api, allowed_numbers=allowed)
    return Door(replace(settings, api=api, gateway=replace(settings.gateway, country=country)))


def _number(door: Door, text: str) -> str | None:
    """What the door makes of it; None where it is refused."""
    refused = None
    try:
        return door.check(HOLDER, NewMessage(text, "x"), START_US).number
    except InvalidRequest as error:
        refused = error
    assert refused.code in {"number_invalid", "number_not_allowed"}
    assert [error.pointer for error in refused.errors] == ["/to"]
    assert len(text) < 4 or text not in refused.message
    return None


DOORS = {country: _door(Path("/nowhere"), country) for country in COUNTRIES}


@given(HOSTILE, st.sampled_from(COUNTRIES))
def test_whatever_is_handed_in_is_one_normal_form_or_refused(text: str, country: str | None) -> None:
    number = _number(DOORS[country], text)
    if number is None:
        return
    assert number[0] == "+"
    assert number[1:].isascii()
    assert number[1:].isdecimal()
    assert 7 <= len(number) <= 16
    assert all(_number(door, number) == number for door in DOORS.values())


def test_a_number_in_any_dress_is_one_number(tell) -> None:
    dresses = [
        "+33612345678",
        "+33 6 12 34 56 78",
        "06.12.34.56.78",
        "06-12-34-56-78",
        "(06) 12 34 56 78",
        "0033612345678",
    ]
    hostile = [
        f"{one}{junk}"
        for one in dresses
        for junk in ("'", '"', ";", "\r\n", "\x1a", "\0", "*", "#", "p1", "x", "+", "\uff10")
    ]
    hostile += [
        "\uff10\uff16\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
        "\u0660\u0666\u0661\u0662\u0663\u0664",
        "1" * 40,
    ]
    hostile += ["+336+12345678", "+33612345678,+33612345679", "+33612345678 +33612345679"]
    forms = {_number(DOORS["FR"], text) for text in dresses}
    assert forms == {"+33612345678"}
    bypasses = [text for text in hostile if _number(DOORS["FR"], text) is not None]
    assert bypasses == []
    tell(f"H02: {len(dresses)} spellings of one number: {len(forms)} form; {len(hostile)} hostile texts: accepted 0")


def test_what_is_dialled_and_leads_to_nobody_is_refused(tell) -> None:
    accepted = [(text, country) for text in DIALLED for country, door in DOORS.items() if _number(door, text)]
    assert accepted == []
    behind = [
        f"+{phonenumbers.country_code_for_region(country)}{text}"
        for country in COUNTRIES
        if country
        for text in DIALLED
    ]
    assert [text for text in behind if _number(DOORS["FR"], text)] == []
    count = len(DIALLED) * len(COUNTRIES) + len(behind)
    tell(f"H03: {count} emergency numbers, short codes and codes for the network: accepted {len(accepted)}")


def test_what_the_configuration_allows_is_taken_and_nothing_beside_it() -> None:
    door = _door(Path("/nowhere"), "FR", "3949", "114", "+33899")
    assert [_number(door, text) for text in ("3949", "114", "+33899123456", "0899123456")] == [
        "3949", "114", "+33899123456", "+33899123456",
    ]  # fmt: skip
    assert [
        text for text in ("112", "39490", "394", "+3949", "+33898123456", "*100#", " 3949") if _number(door, text)
    ] == []


@pytest.mark.parametrize("text", ["3949#", "3949;", "3949\r", "\uff13\uff19\uff14\uff19"])
def test_a_short_code_has_no_other_dress(text: str) -> None:
    assert _number(_door(Path("/nowhere"), "FR", "3949"), text) is None
