"""Warnings about what is added to texts: a notice that cannot be written as it is meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.config.settings import Category, ModemConfig
from gateway.config.table import Findings

_NUMBER = "{modem_number}"


def warn_of_notices(findings: Findings, categories: Mapping[str, Category], modems: Mapping[str, ModemConfig]) -> None:
    """Warn of a notice without a text, and of one that should name the number of a modem whose number is not written.

    Only of categories that somebody uses: with a table in the file, or named by a modem.
    """
    for category in categories.values():
        key = f"categories.{category.name}"
        is_written = any(path.startswith(f"{key}.") for path, _ in findings.written)
        if not category.stoppable or category.stop_notice_when == "never":
            continue
        if is_written and not category.stop_notice:
            findings.warning(f"{key}.stop_notice_when", "nothing is added: the category has no stop_notice")
        if _NUMBER in (category.stop_notice or ""):
            for name in _numberless(category, modems, is_written=is_written):
                findings.warning(
                    f"modems.{name}",
                    f"its number is not written, and the stop_notice of {category.name} names it: "
                    "a notice without a number is sent instead",
                )


def _numberless(category: Category, modems: Mapping[str, ModemConfig], *, is_written: bool) -> Iterator[str]:
    """Real modems without a number that may send the category."""
    for modem in modems.values():
        takes = category.name in modem.categories or (is_written and not modem.categories)
        if takes and modem.number is None and not modem.simulated:
            yield modem.name
