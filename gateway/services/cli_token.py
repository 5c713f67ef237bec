"""The token of this machine's command line, and the file that it stands in."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from gateway.config.settings import Settings
from gateway.errors import Conflict
from gateway.requests import NewToken
from gateway.services.tokens import MAX_NAME, Tokens
from gateway.store.opening import write_secret

CLI_TOKEN = "cli.token"  # noqa: S105 - the name of a file
_CLI_NAME = "cli"


def _cli_name(node: str) -> str:
    """Each host has a token of its own: one that another makes anew must not end this one's."""
    name = f"{_CLI_NAME}.{node}"
    return name if len(name) <= MAX_NAME else f"{_CLI_NAME}.{hashlib.sha256(node.encode()).hexdigest()}"[:MAX_NAME]


async def cli_token(tokens: Tokens, settings: Settings, *, shared: bool) -> str:
    """The token of this machine's command line, made at the first start and whenever its file is gone."""
    path = settings.gateway.state_dir / CLI_TOKEN
    known = await asyncio.to_thread(_read_secret, path)
    if known is not None and tokens.knows(known):
        return known
    name = _cli_name(settings.gateway.node) if shared else _CLI_NAME
    new = NewToken(name, ("admin",))
    try:
        _, secret = await tokens.create(None, new)
    except Conflict:
        await tokens.revoke(None, name)
        _, secret = await tokens.create(None, new)
    await asyncio.to_thread(write_secret, path, secret.encode() + b"\n")
    return secret


def _read_secret(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
