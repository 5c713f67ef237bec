"""The page about words of replies says what is listened to, and how well the table of replies is read."""

from __future__ import annotations

from support.markdown import page
from support.replies import figures, word_tables

PAGE = page("docs/reference/reply-words.md")


def test_the_page_lists_every_word_with_its_source():
    assert word_tables() in PAGE.section("Words")


def test_the_page_shows_the_figures_of_the_table_of_replies():
    assert figures() in PAGE.section("How well they are read")
