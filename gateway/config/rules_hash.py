"""One short word for everything in a configuration that decides what is sent, when and how.

Hosts that share a queue must decide alike, whichever of them takes a message. What may differ between them is left out:
modems, addresses, folders.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from gateway.config.country_files import country_profiles
from gateway.config.settings import Settings
from gateway.config.word_files import word_digest

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
        "allowed_numbers": sorted(settings.api.allowed_numbers),
        "traffic": asdict(settings.traffic),
        "replies": asdict(settings.replies),
        "storms": asdict(settings.storms),
        "recipients": asdict(settings.recipients),
        "profiles": {key: asdict(one) for key, one in settings.profiles.items()},
        # A file that was corrected on one host alone decides otherwise there.
        "country_profiles": {key: asdict(one) for key, one in country_profiles().items()},
        "words": [asdict(settings.words), word_digest()],
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:_LENGTH]
