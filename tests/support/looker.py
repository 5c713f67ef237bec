"""Who looks on while a part is handed over, and says when it cannot be taken back any more."""

from __future__ import annotations

import asyncio

from drivers.events import WireStage


class Looker:
    """A witness that says when Ctrl-Z was written."""

    tag = "looked at"

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    def on_wire(self, stage: WireStage) -> None:
        if stage is WireStage.ENDED:
            self.ended.set()

    def on_line(self, line: str) -> None:
        pass
