"""Makes a store again and again, killed at its first statement, at its second, and so on: in FOLDER/1, FOLDER/2, ….

`python -m support.dying_migration FOLDER FIRST STEP` begins at its statement FIRST and goes on by STEP; it prints the
number of the first store that was made whole.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, event

from gateway.store.opening import open_store


def _die_at(number: int) -> None:
    reached = count(1)

    def before(*_: object) -> None:
        if next(reached) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", before)


def _killed(folder: Path, number: int) -> bool:
    """Open a store in a child of ours that dies at this statement; whether it got there."""
    folder.mkdir()
    child = os.fork()
    if child == 0:
        _die_at(number)
        asyncio.run(open_store(folder / "tocsin.db").close())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def main() -> None:
    folder, first, step = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    print(next(number for number in count(first, step) if not _killed(folder / str(number), number)))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
