"""Commands in the documentation are commands that exist."""

from __future__ import annotations

import re
import shlex
import tomllib

import click
import pytest
from support.markdown import Page, page, pages
from support.tree import ROOT

from gateway.cli.main import main

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
README = page("README.md")


def _shell_lines(source: Page) -> list[str]:
    """Commands of the shell blocks, continued lines joined."""
    text = "\n".join(source.blocks("sh"))
    return [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]


def _tocsin_calls(source: Page) -> list[list[str]]:
    """The arguments of each call of `tocsin`, up to a pipe or a redirection."""
    calls = []
    for line in _shell_lines(source):
        words = shlex.split(line, comments=True)
        for index, word in enumerate(words):
            if word == "tocsin" or word.endswith("/tocsin"):
                rest = words[index + 1 :]
                end = next((at for at, one in enumerate(rest) if one in {"|", ">", "<", "&&", "&", ";"}), len(rest))
                calls.append(rest[:end])
    return calls


def test_every_make_target_in_the_documentation_exists():
    named = {
        word
        for one in pages()
        for word in re.findall(r"\bmake ([a-z-]+)\b", "\n".join((*one.code, *_shell_lines(one))))
    }
    assert {"run", "test", "check"} <= named
    assert named <= TARGETS


def test_every_target_is_listed_by_help():
    phony = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())
    assert phony == set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))


def _parse(arguments: list[str]) -> click.Context:
    """The context of the command that the arguments reach; click's own complaint where they are wrong."""
    command, name, rest = main, "tocsin", list(arguments)
    # A group that lists may be called alone, with options.
    while isinstance(command, click.Group) and (rest or not command.invoke_without_command):
        if rest[0].startswith("-"):
            break
        name = rest.pop(0)
        command = command.commands[name]
    return command.make_context(name, rest)


@pytest.mark.parametrize(
    "arguments", [call for one in pages() for call in _tocsin_calls(one)], ids=lambda call: " ".join(call)[:60]
)
def test_every_call_of_tocsin_is_one_that_it_understands(arguments: list[str]):
    assert _parse(arguments).command.name


def test_the_readme_begins_with_make_run_and_a_message():
    lines = _shell_lines(README)
    assert lines[0] == "make run"
    assert lines[1].startswith(".venv/bin/tocsin send ")
    assert "--wait" in lines[1]


def test_the_configuration_of_the_readme_is_one():
    block = next(README.blocks("toml"))
    assert len(block.splitlines()) == 5
    assert set(tomllib.loads(block)) == {"gateway", "modems"}
