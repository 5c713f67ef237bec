"""Which keys are checked and do nothing yet, and which are refused: the one place that says so."""

from __future__ import annotations

from gateway.config.table import Findings

#: Patterns of key paths; a table stands for all its keys. Everything that is not listed is in force.
NOT_YET_IN_FORCE: tuple[str, ...] = (
    "categories.*.keep_text",
    "retention",
)

#: Known so that they can be refused with a sentence instead of as a slip of the pen.
NOT_SUPPORTED: frozenset[str] = frozenset()


def is_in_force(pattern: str) -> bool:
    """Whether a key, given as a pattern such as `categories.*.caps`, has an effect."""
    return not any(pattern == entry or pattern.startswith(entry + ".") for entry in NOT_YET_IN_FORCE)


def warn_of_pending(findings: Findings) -> None:
    """A warning for every written key without effect; a table is named instead of each of its keys."""
    for path, pattern in findings.written:
        if pattern in NOT_YET_IN_FORCE:
            findings.warning(path, "is checked, but not yet in force in this version")
