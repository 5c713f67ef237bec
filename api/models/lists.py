"""Lists: the envelope that every list has, and pages over what is small enough to be held whole."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from api.models.fields import Outgoing
from gateway.errors import InvalidRequest
from gateway.requests import Page

T = TypeVar("T")

_CURSOR_INVALID: Final = "is not a cursor of this list"


class PageOut(Outgoing, Generic[T]):
    """One page of a list: its items, and the cursor of the next page (null on the last)."""

    items: list[T]
    next: str | None


def list_out(page: Page[T], item_out: Callable[[T], dict[str, object]]) -> dict[str, object]:
    """The page in the contract's envelope."""
    return {"items": [item_out(item) for item in page.items], "next": page.next}


def page_of(items: Sequence[T], name_of: Callable[[T], str], limit: int, cursor: str | None) -> Page[T]:
    """The page after `cursor` of a whole list whose items have unique names.

    The cursor is the name of the last item shown. Raises `InvalidRequest` where no item has that name.
    """
    start = 0 if cursor is None else _position_after(items, name_of, cursor)
    shown = items[start : start + limit]
    return Page(shown, _cursor(name_of(shown[-1])) if start + limit < len(items) else None)


def _position_after(items: Sequence[T], name_of: Callable[[T], str], cursor: str) -> int:
    for position, item in enumerate(items):
        if _cursor(name_of(item)) == cursor:
            return position + 1
    raise InvalidRequest.field("cursor_invalid", "cursor", _CURSOR_INVALID)


def _cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
