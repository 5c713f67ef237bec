"""One short word for everything in a configuration that decides what is sent, when and how.

Hosts that share a queue must decide alike, whichever of them takes a message. What may differ between them is left out:
modems, addresses, folders.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from gateway.config.settings import Settings

_LENGTH = 16


def rules_hash(settings: Settings) -> str:
    """The same for two configurations that decide alike; hexadecimal."""
    gateway = settings.gateway
    document = {
        "categories": {name: asdict(category) for name, category in settings.categories.items()},
        "gateway": [
            gateway.country,
            gateway.holiday_region,
            gateway.timezone,
            gateway.language,
            gateway.sender_name,
            gateway.max_parts,
        ],
        "allowed_countries": sorted(settings.api.allowed_countries),
        "stop_scope": settings.stop_scope,
        "replies": dict(settings.replies),
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:_LENGTH]
