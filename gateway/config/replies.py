"""Reading `[replies]`: what a STOP covers, how long a question waits, and the owner's own texts."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.clock import SECOND_US
from gateway.config.reply_texts import KINDS, TEXTS
from gateway.config.reply_words import read_reply_words
from gateway.config.settings import GatewaySettings, ReplySettings
from gateway.config.shapes import Shape, Wrong, matching, one_of, template, text
from gateway.config.table import Table
from gateway.config.times import duration
from gateway.config.vocabulary import WordSettings

_MOST_REPLY = 306  # two parts of GSM-7
_CONFIRM_US = 7 * 86_400 * SECOND_US
_MOST_CONFIRM_S = 366 * 86_400

_language: Shape[str] = matching(r"[a-z]{2,3}", 'must be a language code such as "en" or "fr"')


def read_replies(root: Table, gateway: GatewaySettings) -> tuple[ReplySettings, WordSettings]:
    """Table `[replies]`, and in it a table for each language; and the words that are listened to."""
    with root.table("replies") as table:
        scope = table.take("stop_scope", one_of("stoppable", "category"), "stoppable")
        confirm_us = table.take("confirm_within", duration(most_s=_MOST_CONFIRM_S), _CONFIRM_US)
        words = read_reply_words(table)
        unread = table.take("unread", reply_text(), None)
        texts = {language: found for language, within in table.each(_language) if (found := _texts(within, language))}
    if gateway.language not in {*TEXTS, *texts}:
        root.findings.problem(
            "gateway.language",
            f"is not spoken: write {', '.join(TEXTS)}, or give its text as [replies.{gateway.language}] stop",
        )
    return ReplySettings(scope, confirm_us, texts, unread), words


def _texts(table: Table, language: str) -> Mapping[str, str]:
    with table:
        # What is not written in a language of its own is said in English.
        if language not in TEXTS and "stop" not in table:
            table.problem("stop", "is missing")
        written = {kind: table.take(kind, reply_text(*names), None) for kind, names in KINDS.items()}
    return {kind: said for kind, said in written.items() if said is not None}


def reply_text(*names: str) -> Shape[str]:
    """A text that is sent by itself: short, and with the named placeholders alone."""
    with_names = template(*names)

    def shape(value: object) -> str:
        found = text(with_names(value) if names else value)
        if len(found) > _MOST_REPLY:
            raise Wrong(f"is longer than {_MOST_REPLY} characters")
        return found

    return shape
