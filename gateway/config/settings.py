"""Frozen settings, one class per table of the file. No reading, no defaults that depend on the machine.

Durations are microseconds (`_us`); secrets are held as values here and never printed (`repr=False`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.config.limits import NO_LIMITS, SimLimits


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Table `[gateway]`."""

    node: str
    country: str | None
    holiday_region: str
    timezone: str
    language: str
    sender_name: str | None
    state_dir: Path
    max_parts: int


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Table `[store]`: a URL; for SQLite also the path of its file, for PostgreSQL the password if it needs one."""

    url: str
    path: Path | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """One address of `[api] listen`."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Table `[api]`."""

    listen: tuple[ListenAddress, ...]
    allowed_hosts: tuple[str, ...]
    allowed_countries: tuple[str, ...]
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class BalanceSettings:
    """Table `[modems.NAME.balance]`: the code that asks, how often, and below which amount somebody is told."""

    code: str
    every_us: int
    warn_below: float | None = None


@dataclass(frozen=True, slots=True)
class ModemConfig:
    """Table `[modems.NAME]`."""

    name: str
    port: str
    number: str | None
    pin: str | None = field(repr=False)
    smsc: str | None
    categories: tuple[str, ...]
    prefixes: tuple[str, ...]
    limits: SimLimits = NO_LIMITS
    pin_without_counter: bool = False
    iccid: str | None = field(default=None, repr=False)
    self_test_us: int | None = None
    balance: BalanceSettings | None = None

    @property
    def simulated(self) -> bool:
        """Whether it is the built-in simulated modem."""
        return self.port.startswith("simulated:")


@dataclass(frozen=True, slots=True)
class Category:
    """Table `[categories.NAME]`, every key of contract section 4.

    In force now: `priority`, `stoppable`, `on_uncertain`, `sim_limits`, `resend_after_us`, `expires_after_us`,
    `max_parts`, `national_tables`. The others are read and checked; `pending_keys` of the loader tells which were set.
    """

    name: str
    priority: int = 5
    profile: str | None = None
    quiet_hours: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    preferred: tuple[str, ...] = ()
    caps: tuple[str, ...] = ()
    on_cap: str = "defer"
    sim_limits: str = "hold"
    consent: str = "implied"
    stoppable: bool = True
    on_uncertain: str = "hold"
    resend_after_us: int = 20_000_000
    expires_after_us: int = 24 * 3600 * 1_000_000
    sender_prefix: str | None = None
    stop_notice: str | None = None
    stop_notice_when: str = "never"
    max_parts: int | None = None
    smart_encoding: bool = False
    national_tables: bool = False
    keep_text_us: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration."""

    gateway: GatewaySettings
    store: StoreSettings
    api: ApiSettings
    modems: Mapping[str, ModemConfig]
    categories: Mapping[str, Category]
    stop_scope: str = "stoppable"
    replies: Mapping[str, str] = field(default_factory=dict[str, str])
