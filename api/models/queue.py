"""The kill switch: what to pause, and what is paused."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.models.fields import Incoming, Name
from api.models.messages import time_out
from gateway.message import Pause


class PauseIn(Incoming):
    """Body of `POST /v1/pause`; without categories it pauses all."""

    categories: Annotated[list[Name], Field(max_length=64)] | None = None


def pause_out(pause: Pause) -> dict[str, object]:
    """What is paused; `categories` is null for everything and for nothing."""
    some = list(pause.categories) if pause.categories and not pause.everything else None
    return {"paused": pause.everything or some is not None, "categories": some, "since": time_out(pause.since_us)}
