"""Settings for tests: one simulated modem, the built-in categories, everything in a temporary folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gateway.config.categories import BUILT_IN
from gateway.config.settings import (
    ApiSettings,
    Category,
    GatewaySettings,
    ListenAddress,
    ModemConfig,
    RecipientSettings,
    ReplySettings,
    Settings,
    StoreSettings,
    StormSettings,
)

#: Nothing is held, refused, joined or added to for any of this: what most tests look at has nothing to do with it.
NO_RULES: Mapping[str, object] = {
    "profile": None,
    "quiet_hours": (),
    "windows": (),
    "preferred": (),
    "caps": (),
    "consent": "none",
    "sender_prefix": None,
    "stop_notice": None,
    "stop_notice_when": "never",
}


def settings_in(
    folder: Path,
    *,
    ports: dict[str, str] | None = None,
    categories: tuple[Category, ...] = (),
    language: str = "fr",
    stop_scope: str = "stoppable",
) -> Settings:
    """Settings like those of `config.example.toml`, listening on a free port. `ports` are modem names and ports.

    The built-in categories keep none of their rules, and nothing is joined: `categories` and `replace` give a test the
    rules it is about, `BUILT_IN` those that people have.
    """
    modems = {
        name: ModemConfig(name, port, None, None, None, (), ())
        for name, port in (ports or {"sim1": "simulated:"}).items()
    }
    return Settings(
        gateway=GatewaySettings(
            node="test-1",
            country="FR",
            holiday_region="",
            timezone="Europe/Paris",
            language=language,
            sender_name=None,
            state_dir=folder,
            max_parts=10,
        ),
        store=StoreSettings(f"sqlite:///{folder}/tocsin.db", folder / "tocsin.db"),
        api=ApiSettings((ListenAddress("127.0.0.1", 0),), (), ()),
        modems=modems,
        categories={name: _without_rules(each) for name, each in BUILT_IN.items()}
        | {category.name: category for category in categories},
        replies=ReplySettings(stop_scope),
        storms=StormSettings(identical_us=None),
        recipients=RecipientSettings(caps=()),
    )


def _without_rules(category: Category) -> Category:
    return replace(category, **NO_RULES)  # pyright: ignore[reportArgumentType]


def category(name: str, **keys: object) -> Category:
    """A category of the owner's own."""
    return replace(Category(name), **keys)  # pyright: ignore[reportArgumentType]
