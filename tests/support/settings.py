"""Settings for tests: one simulated modem, the built-in categories, everything in a temporary folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gateway.config.categories import BUILT_IN
from gateway.config.settings import (
    ApiSettings,
    Category,
    GatewaySettings,
    ListenAddress,
    ModemConfig,
    Settings,
    StoreSettings,
)


def settings_in(
    folder: Path,
    *,
    ports: dict[str, str] | None = None,
    categories: tuple[Category, ...] = (),
    language: str = "fr",
    stop_scope: str = "stoppable",
) -> Settings:
    """Settings as `config.example.toml` gives them, listening on a free port. `ports` are modem names and ports."""
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
        categories=dict(BUILT_IN) | {category.name: category for category in categories},
        stop_scope=stop_scope,
    )


def category(name: str, **keys: object) -> Category:
    """A category of the owner's own."""
    return replace(Category(name), **keys)  # pyright: ignore[reportArgumentType]
