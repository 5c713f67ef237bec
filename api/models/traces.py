"""A wire trace: how it is asked for, and where it is."""

from __future__ import annotations

from pydantic import StrictBool, StrictInt

from api.models.fields import Incoming
from gateway.clock import rfc3339
from gateway.requests import TraceView


class TraceIn(Incoming):
    """Body of `POST /v1/modems/{name}/trace`."""

    seconds: StrictInt
    unredacted: StrictBool = False


def trace_out(trace: TraceView) -> dict[str, object]:
    """The file, on the gateway's host, and from where in it this trace begins."""
    return {
        "file": str(trace.path),
        "offset": trace.offset,
        "until": rfc3339(trace.until_us),
        "redacted": trace.redacted,
    }
