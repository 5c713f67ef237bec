"""A wire trace: how it is asked for, and where it is."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import StrictBool, StrictInt

from api.models.fields import Incoming, Outgoing, TimeOut
from gateway.clock import rfc3339
from gateway.requests import TraceView


class TraceIn(Incoming):
    """For how many seconds to record, 1 to 86 400, and whether with numbers and texts."""

    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ({"seconds": 60},)

    seconds: StrictInt
    unredacted: StrictBool = False


class TraceOut(Outgoing):
    """A wire trace that is on: `file` is on the gateway's host, and this trace begins at the octet `offset` of it."""

    file: str
    offset: int
    until: TimeOut
    redacted: bool


def trace_out(trace: TraceView) -> dict[str, object]:
    """The file, on the gateway's host, and from where in it this trace begins."""
    return {
        "file": str(trace.path),
        "offset": trace.offset,
        "until": rfc3339(trace.until_us),
        "redacted": trace.redacted,
    }
