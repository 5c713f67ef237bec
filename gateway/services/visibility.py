"""Whose rows a principal may see, and cursors of lists."""

from __future__ import annotations

from gateway.address import NumberInvalid, parse_recipient
from gateway.errors import InvalidRequest
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
