"""The check of signatures that the page shows is one, and the schedule that it shows is the one that is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from support.markdown import page

from gateway.notify import schedule, signature

PAGE = page("docs/how-to/webhooks.md")
_UNITS = {"s": 1, "min": 60, "h": 3600}


def _verifier() -> Callable[..., bool]:
    names: dict[str, Any] = {}
    exec("\n".join(PAGE.blocks("python")), names)
    return names["verify"]


def test_w06_the_documented_check_refuses_what_was_recorded_or_changed(tell: Callable[[str], None]):
    verify, secret, other, at = _verifier(), b"s" * 32, b"o" * 32, 1_767_607_200
    body, fields = b'{"type":"x"}', signature.signed([other, secret], "evt_1", 1_767_607_200, b'{"type":"x"}')
    written, seen = signature.written(secret), set[str]()
    wrong = (
        (fields, body + b" ", at),
        ({**fields, "webhook-id": "evt_2"}, body, at),
        ({**fields, "webhook-timestamp": str(at + 1)}, body, at),
        ({**fields, "webhook-signature": "v1,AAAA"}, body, at),
        ({**fields, "webhook-signature": fields["webhook-signature"].replace("v1,", "v2,")}, body, at),
        (fields, body, at + 301),
        (fields, body, at - 301),
    )
    refused = [not verify(written, headers, octets, seen, now) for headers, octets, now in wrong]
    refused.append(not verify(signature.written(b"x" * 32), fields, body, seen, at))
    taken = verify(written, fields, body, seen, at)
    repeated = verify(written, fields, body, seen, at)
    tell(f"W06: the documented check takes what is right, and refuses {sum(refused)} of {len(refused)} forgeries")
    assert (all(refused), taken, repeated) == (True, True, False)


def test_the_page_tells_the_schedule():
    row = next(line for line in PAGE.text.splitlines() if line.startswith("| 5 s"))
    told = [int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+) (s|min|h)\b", row)]
    assert tuple(told) == schedule.DELAYS_S
