"""Frozen settings, one class per table of the file. No reading, no defaults that depend on the machine.

Durations are microseconds (`_us`); secrets are held as values here and never printed (`repr=False`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.config.category import Category
from gateway.config.country import ProfileSettings
from gateway.config.hook_settings import USUAL_HOOKS, HookSettings
from gateway.config.limits import (
    NO_LIMITS,
    USUAL_RECIPIENTS,
    USUAL_STORMS,
    USUAL_TRAFFIC,
    RecipientSettings,
    SimLimits,
    StormSettings,
    TrafficSettings,
)
from gateway.config.vocabulary import EVERY_WORD, WordSettings


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
class UnixAddress:
    """A socket in the file system, as an address of `[api] listen`."""

    path: Path


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """`tls_cert_file` and `tls_key_file` of a table: PEM, the certificate first in its chain."""

    cert: Path
    key: Path
    table: str = "api"


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Table `[api]`."""

    listen: tuple[ListenAddress | UnixAddress, ...]
    allowed_hosts: tuple[str, ...]
    allowed_countries: tuple[str, ...]
    insecure: bool = False
    #: Of every address that is no socket in the file system; None where those speak plain HTTP.
    tls: TlsFiles | None = None
    #: Numbers, beginnings of numbers (both with +) and short codes that are written to although they would be refused.
    allowed_numbers: tuple[str, ...] = ()
    #: Whether `GET /metrics` answers.
    metrics: bool = True

    @property
    def internet(self) -> tuple[ListenAddress, ...]:
        """The listen addresses that have a host and a port."""
        return tuple(address for address in self.listen if isinstance(address, ListenAddress))


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Table `[links]`: where short links begin (None: links stay as they are), and where whoever follows them is
    listened to."""

    address: str | None = None
    listen: tuple[ListenAddress | UnixAddress, ...] = ()
    insecure: bool = False
    #: Of every address that is no socket in the file system; None where those speak plain HTTP.
    tls: TlsFiles | None = None


@dataclass(frozen=True, slots=True)
class CampaignSettings:
    """Table `[campaigns]`: for how long after a message what somebody does is taken to have come of it."""

    conversion_window_us: int = 7 * 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """Table `[email]`: where SMTP is listened to, None for nowhere; whether the subject stands in front of the text;
    whether passwords may cross a network as they are."""

    listen: ListenAddress | None = None
    with_subject: bool = False
    insecure: bool = False

    @property
    def addresses(self) -> tuple[ListenAddress, ...]:
        """Where it is listened to."""
        return () if self.listen is None else (self.listen,)


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
    #: Part of the network of test tokens (`gateway.config.test_network`), which nobody writes into a file.
    built_in: bool = False

    @property
    def simulated(self) -> bool:
        """Whether it is the built-in simulated modem."""
        return self.port.startswith("simulated:")


@dataclass(frozen=True, slots=True)
class ReplySettings:
    """Table `[replies]`. `texts` are the owner's own, by language and kind (`gateway.config.reply_texts.KINDS`)."""

    stop_scope: str = "stoppable"
    #: How long the question of a double opt-in waits for its answer, in microseconds.
    confirm_within_us: int = 7 * 24 * 3600 * 1_000_000
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    #: What an ordinary text is answered, that nobody reads; None for nothing.
    unread: str | None = None


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """Table `[channels]`: Apprise URLs of the mail server and of push services. They hold passwords."""

    mail: str | None = field(default=None, repr=False)
    push: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class InboundSettings:
    """Table `[inbound]`: where replies and missed calls are forwarded to, and as what a forwarding SMS leaves."""

    forward: tuple[str, ...] = ()
    category: str = "transactional"


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration."""

    gateway: GatewaySettings
    store: StoreSettings
    api: ApiSettings
    modems: Mapping[str, ModemConfig]
    categories: Mapping[str, Category]
    replies: ReplySettings = field(default_factory=ReplySettings)
    storms: StormSettings = USUAL_STORMS
    recipients: RecipientSettings = USUAL_RECIPIENTS
    traffic: TrafficSettings = USUAL_TRAFFIC
    #: By the key of a country profile; what is not there is as shipped.
    profiles: Mapping[str, ProfileSettings] = field(default_factory=dict[str, ProfileSettings])
    #: `[webhooks] allow`: networks that may be reached at a caller's wish although they are not public.
    webhook_networks: tuple[str, ...] = ()
    words: WordSettings = EVERY_WORD
    hooks: HookSettings = USUAL_HOOKS
    email: EmailSettings = field(default_factory=EmailSettings)
    channels: ChannelSettings = field(default_factory=ChannelSettings)
    inbound: InboundSettings = field(default_factory=InboundSettings)
    links: LinkSettings = field(default_factory=LinkSettings)
    campaigns: CampaignSettings = field(default_factory=CampaignSettings)
    #: `[alarms] to`: "sms:+…", "mailto:…", "push".
    alarms: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[ListenAddress | UnixAddress, ...]:
        """Everything that is listened to, in the order of `gateway.front`."""
        return (*self.api.listen, *self.links.listen, *self.email.addresses)
