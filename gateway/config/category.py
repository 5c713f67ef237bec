"""What a category of messages says, as a frozen value. Durations are microseconds (`_us`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Category:
    """Table `[categories.NAME]`: every key of contract section 4."""

    name: str
    #: What its messages are called where people are told of them; a technical name is shown to nobody.
    label: str | None = None
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
    #: The owner's own words by which people join, what was said of them where they were published, and the answer.
    join_words: tuple[str, ...] = ()
    join_wording: str | None = None
    welcome: str | None = None
    double_opt_in: bool = False
