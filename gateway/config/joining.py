"""Checking the words by which people join: none means something else already, and none joins two categories."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.config.settings import Category
from gateway.config.table import Findings
from gateway.config.undress import bare
from gateway.config.vocabulary import YES, Vocabulary


def check_join_words(findings: Findings, categories: Mapping[str, Category], heard: Vocabulary) -> None:
    """A problem for every word that could not be told from another; `heard` are the words of replies."""
    taken = {**dict.fromkeys(heard.yes, YES), **heard.words}
    used: dict[str, str] = {}
    for name, category in categories.items():
        for place, word in enumerate(category.join_words):
            key, path = bare(word), f"categories.{name}.join_words[{place}]"
            if key in taken:
                findings.problem(path, f"is a word of the family {taken[key].upper()}")
            elif key in used:
                findings.problem(path, f"is used twice: also in {used[key]}")
            used.setdefault(key, path)
