"""Whose rows a principal may see, and cursors of lists.

A token that only tests lives among the people of the test network, whatever its scopes: it sees messages that no real
modem takes and what no real modem heard, and changes nothing about anybody else.
"""

from __future__ import annotations

from collections.abc import Collection

from gateway.address import NumberInvalid, parse_recipient
from gateway.config.test_network import RECIPIENTS
from gateway.errors import Forbidden, InvalidRequest
from gateway.ids import is_id
from gateway.requests import Principal


def only_token(principal: Principal) -> int | None:
    """The token whose rows alone may be seen; None for all."""
    return None if principal.may("read:all") else principal.token_id


def before_id(cursor: str | None) -> str | None:
    """A cursor of a list by id; `InvalidRequest` if it is none of ours."""
    if cursor is not None and not is_id(cursor):
        raise _wrong_cursor()
    return cursor


def before_row(cursor: str | None) -> int | None:
    """A cursor of a list by row number; `InvalidRequest` if it is none of ours."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise _wrong_cursor()
    return int(cursor)


def filter_number(text: str, country: str | None, pointer: str) -> str:
    """A number given as a filter, in its normal form; short codes and names stay as they are."""
    try:
        return parse_recipient(text, country)
    except NumberInvalid as error:
        if text.startswith("+"):
            raise InvalidRequest.field("number_invalid", pointer, str(error)) from None
        return text


def _wrong_cursor() -> InvalidRequest:
    return InvalidRequest.field("cursor_invalid", "cursor", "is not a cursor that this list gave")


def only_people(principal: Principal) -> Collection[str] | None:
    """The numbers of those whose opt-outs and consents alone may be seen; None for everybody's."""
    return tuple(RECIPIENTS) if principal.test else None


def refuse_person(principal: Principal, number: str) -> None:
    """`Forbidden` where a token that only tests would change what stands about somebody who is not of the test
    network."""
    refuse_test(
        principal, "changes nothing about anybody but the people of the test network", allowed=number in RECIPIENTS
    )


def refuse_test(principal: Principal | None, sentence: str, *, allowed: bool = False) -> None:
    """`Forbidden` where a token that only tests would touch what is not a test: never a real modem, whatever its
    scopes, nor what makes one send or keeps it from it."""
    if principal is not None and principal.test and not allowed:
        raise Forbidden("test_token", f"this token only tests: it {sentence}")
