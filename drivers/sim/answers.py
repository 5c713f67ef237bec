"""What a command of the simulated modem answers, as values; and how it refuses.

A handler returns information text, asks for a payload, or puts its answer off. Writing all this is for the modem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from drivers.at.codes import CmeError, CmsError
from drivers.at.equipment_grammar import Command
from drivers.at.results import ERROR, cme_result, cms_result

Lines: TypeAlias = tuple[str, ...]
"""One block of information text: the lines of an answer that belong together."""


@dataclass(frozen=True, slots=True)
class Information:
    """Blocks of information text, then OK; without `ends` nothing comes after them."""

    blocks: tuple[Lines, ...] = ()
    ends: bool = True


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt `> `; `then` gets what was typed up to Ctrl-Z."""

    then: Callable[[bytes], Answer]


@dataclass(frozen=True, slots=True)
class Later:
    """The answer comes after `delay` seconds, as it stands then."""

    delay: float
    then: Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Silence:
    """The answer never comes; the next command is taken all the same."""


Answer: TypeAlias = Information | Prompt | Later | Silence

OK = Information()


def lines(*texts: str) -> Information:
    """Information text of single lines."""
    return Information(tuple((text,) for text in texts))


class RefusedError(Exception):
    """The command ends with +CME ERROR, +CMS ERROR, a bare ERROR (code None) or the words of a family."""

    def __init__(self, code: CmeError | CmsError | str | None = None) -> None:
        super().__init__(code)
        self.code = code

    def result(self, cmee: int) -> str:
        """The final result under +CMEE (27.007, 9.1): 0 none, 1 numbers, 2 words.

        By 27.005, 3.2.5, +CMS ERROR does not depend on +CMEE; real equipment writes words for its number at 2.
        """
        if isinstance(self.code, str):
            return self.code
        if isinstance(self.code, CmsError):
            return cms_result(self.code, verbose=cmee == 2).line
        if self.code is None or cmee == 0:
            return ERROR.line
        return cme_result(self.code, verbose=cmee == 2).line


def integer(
    command: Command,
    position: int,
    allowed: range | tuple[int, ...],
    default: int | None = None,
    *,
    refusal: CmeError | CmsError = CmeError.INCORRECT_PARAMETERS,
) -> int:
    """A numeric parameter within `allowed`, `default` where it is left out; else RefusedError."""
    parameters = command.parameters
    text = parameters[position] if position < len(parameters) else None
    if text is None and default is not None:
        return default
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 6) or int(text) not in allowed:
        raise RefusedError(refusal)
    return int(text)
