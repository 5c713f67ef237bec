"""Configurations in which no rule of a category holds anything, whatever the hour.

The built-in categories have quiet hours, caps and more, and equal texts to one person are joined. Who tests or measures
the way of a message sends many of them, at night too.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

_NO_RULES: Mapping[str, object] = {
    "profile": "",
    "quiet_hours": [],
    "windows": [],
    "preferred": [],
    "caps": [],
    "consent": "none",
    "sender_prefix": "",
    "stop_notice": "",
    "stop_notice_when": "never",
}
_TABLES: Mapping[str, Mapping[str, object]] = {
    **{f"categories.{name}": _NO_RULES for name in ("emergency", "authentication", "transactional", "promotional")},
    "recipients": {"caps": []},
    "storms": {"identical": "0s"},
}


def rules_off(config: str) -> str:
    """The configuration with every rule off that it does not write itself; a written key stays as it is."""
    for path, keys in _TABLES.items():
        written = _table_of(tomllib.loads(config), path)
        # What TOML and JSON write alike: texts, lists of texts.
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items() if key not in (written or {}))
        header = re.compile(rf"^\[{re.escape(path)}\][ \t]*(?:#.*)?\n?", re.MULTILINE)
        if header.search(config):
            config = header.sub(f"[{path}]\n{lines}".replace("\\", r"\\"), config, count=1)
        elif written is None:
            config = f"{config.rstrip()}\n[{path}]\n{lines}"
        else:
            raise ValueError(f"[{path}] is not written as a table of its own")
    return config


def _table_of(document: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    """The table at a dotted path, None without one."""
    found: Any = document
    for name in path.split("."):
        if name not in found:
            return None
        found = found[name]
    return found
