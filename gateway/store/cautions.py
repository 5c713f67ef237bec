"""What a person may want to change about a message, as it is stored beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gateway.message import Caution, Rule


def cautions_of(stored: str | None, repeats: int) -> Sequence[Caution]:
    """Warnings as they were stored, a JSON list of [code, message]; and that the message tells of others."""
    found = [Caution(code, sentence) for code, sentence in json.loads(stored)] if stored else []
    if repeats:
        found.append(Caution(Rule.STORM, f"asked for {repeats + 1} times in all, counting what was joined to it"))
    return found
