"""The kill switch: what to pause, and what is paused."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from api.models.fields import Incoming, Name, Outgoing, TimeOut
from api.models.messages import time_out
from gateway.message import Pause


class PauseIn(Incoming):
    """What to pause; without categories all."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"categories": ["promotional"]},)

    categories: Annotated[list[Name], Field(max_length=64)] | None = None


class PauseOut(Outgoing):
    """What is paused; `categories` is null for everything and for nothing."""

    paused: bool
    categories: list[str] | None
    since: TimeOut | None


def pause_out(pause: Pause) -> dict[str, object]:
    """What is paused; `categories` is null for everything and for nothing."""
    some = list(pause.categories) if pause.categories and not pause.everything else None
    return {"paused": pause.everything or some is not None, "categories": some, "since": time_out(pause.since_us)}
