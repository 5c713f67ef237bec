"""Categories: the four that are built in, and reading `[categories.NAME]` over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from gateway.clock import SECOND_US
from gateway.config.country_files import profile_key
from gateway.config.replies import reply_text
from gateway.config.settings import Category
from gateway.config.shapes import (
    Shape,
    Wrong,
    any_text,
    boolean,
    integer,
    listed,
    matching,
    one_of,
    suggestion,
    template,
    text,
)
from gateway.config.table import Table
from gateway.config.times import cap, duration, span
from gateway.config.undress import bare

T = TypeVar("T")

DEFAULT_CATEGORY = "transactional"
MOST_PARTS = 255  # one octet counts them (23.040, 9.2.3.24.1)

_MINUTE_US = 60 * SECOND_US
_HOUR_US = 60 * _MINUTE_US
_DAY_US = 24 * _HOUR_US
_YEAR_S = 366 * 86_400
_LONGEST_WORD = 20
_LONGEST_LABEL = 60

BUILT_IN: Mapping[str, Category] = {
    category.name: category
    for category in (
        Category(
            "emergency",
            priority=9,
            sim_limits="ignore",
            consent="none",
            stoppable=False,
            on_uncertain="resend",
            expires_after_us=6 * _HOUR_US,
            sender_prefix="{sender_name}: ",
        ),
        Category(
            "authentication",
            priority=8,
            caps=("6/1h",),
            on_cap="refuse",
            on_uncertain="never",
            expires_after_us=10 * _MINUTE_US,
            keep_text_us=0,
        ),
        Category(
            "transactional",
            quiet_hours=("21:00-08:00",),
            caps=("10/24h", "40/30d"),
            on_cap="refuse",
            expires_after_us=24 * _HOUR_US,
        ),
        Category(
            "promotional",
            priority=1,
            profile="{country}",
            quiet_hours=("20:00-10:00", "sun", "holidays"),
            preferred=("mon-fri 17:00-20:00", "fri-sat 10:00-20:00"),
            caps=("1/24h", "10/30d"),
            consent="opt_in",
            on_uncertain="never",
            expires_after_us=14 * _DAY_US,
            stop_notice=" STOP au {modem_number}",
            stop_notice_when="always",
            sender_prefix="{sender_name}: ",
        ),
    )
}

category_name: Shape[str] = matching(
    r"[a-z][a-z0-9_-]{0,31}", "must be 1 to 32 small letters, digits, - or _, beginning with a letter"
)


def read_categories(root: Table) -> dict[str, Category]:
    """All categories: the built-in ones with what is written over them, and the file's own."""
    found = dict(BUILT_IN)
    for name, table in root.table("categories").each(category_name):
        with table:
            found[name] = _read(table, BUILT_IN.get(name, Category(name)))
    return found


def _read(table: Table, base: Category) -> Category:
    """The category with the written keys over `base`."""
    spans, caps = listed(span), listed(cap)
    ruled = replace(
        base,
        label=table.take("label", _label, base.label),
        priority=table.take("priority", integer(0, 9), base.priority),
        profile=table.take("profile", _profile, base.profile) or None,
        quiet_hours=table.take("quiet_hours", spans, base.quiet_hours),
        windows=table.take("windows", spans, base.windows),
        preferred=table.take("preferred", spans, base.preferred),
        caps=table.take("caps", caps, base.caps),
        on_cap=table.take("on_cap", one_of("refuse", "defer"), base.on_cap),
        sim_limits=table.take("sim_limits", one_of("hold", "ignore"), base.sim_limits),
        consent=table.take("consent", one_of("none", "implied", "opt_in"), base.consent),
        stoppable=table.take("stoppable", boolean, base.stoppable),
    )
    return _read_joining(table, _read_sending(table, ruled))


def _read_joining(table: Table, base: Category) -> Category:
    """The keys about how people join by a word of the owner's."""
    joining = replace(
        base,
        join_words=table.take("join_words", listed(_join_word), base.join_words),
        join_wording=table.take("join_wording", text, base.join_wording),
        welcome=table.take("welcome", reply_text(), base.welcome),
        double_opt_in=table.take("double_opt_in", boolean, base.double_opt_in),
    )
    if joining.join_words and joining.consent == "none":
        table.problem("join_words", 'lead nowhere: with consent = "none" nobody is asked')
    return joining


def _read_sending(table: Table, base: Category) -> Category:
    """The keys about how a message leaves and what it looks like."""
    return replace(
        base,
        on_uncertain=table.take("on_uncertain", one_of("resend", "hold", "never"), base.on_uncertain),
        resend_after_us=table.take("resend_after", duration(most_s=86_400), base.resend_after_us),
        expires_after_us=table.take("expires_after", duration(most_s=_YEAR_S), base.expires_after_us),
        sender_prefix=table.take("sender_prefix", template("sender_name"), base.sender_prefix) or None,
        stop_notice=table.take("stop_notice", template("modem_number", "sender_name"), base.stop_notice) or None,
        stop_notice_when=table.take("stop_notice_when", one_of("always", "first", "never"), base.stop_notice_when),
        max_parts=table.take("max_parts", integer(1, MOST_PARTS), base.max_parts),
        smart_encoding=table.take("smart_encoding", boolean, base.smart_encoding),
        national_tables=table.take("national_tables", boolean, base.national_tables),
        keep_text_us=table.take("keep_text", duration(least_s=0), base.keep_text_us),
    )


def _label(value: object) -> str:
    found = text(value)
    if len(found) > _LONGEST_LABEL:
        raise Wrong(f"is longer than {_LONGEST_LABEL} characters")
    return found


def _join_word(value: object) -> str:
    word = text(value)
    if not 2 <= len(bare(word)) <= _LONGEST_WORD:
        raise Wrong(f"must be a word of 2 to {_LONGEST_WORD} letters and digits")
    return word


def _profile(value: object) -> str:
    """The key of a profile whose rules apply; `{country}` is the recipient's; empty is none."""
    if value in ("", "{country}"):
        return any_text(value)
    try:
        return profile_key(value)
    except Wrong as wrong:
        raise Wrong(f'{wrong}; or write "{{country}}"' + suggestion(value, ["{country}"])) from None
