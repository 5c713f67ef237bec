"""The process beside the gateway: reads jobs from standard input and writes what came of them to standard output."""

from __future__ import annotations

import os
import pickle
import resource
import sys
from typing import Any, BinaryIO, Final

from gateway.people.aside import told

_LENGTH: Final = 8
# What one job may take beyond what the program itself needs.
_MEMORY: Final = 512 * 1024 * 1024


def main() -> None:
    """Do jobs until the gateway is gone."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    # What a job prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while (job := _next(sys.stdin.buffer)) is not None:
        answer = pickle.dumps(_done(job))
        answers.write(len(answer).to_bytes(_LENGTH) + answer)
        answers.flush()


def _next(source: BinaryIO) -> bytes | None:
    length = source.read(_LENGTH)
    return source.read(int.from_bytes(length)) if len(length) == _LENGTH else None


def _done(job: bytes) -> tuple[bool, Any]:
    try:
        function, args, kwargs = pickle.loads(job)  # noqa: S301 - the other end is this program
        return True, function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told to whoever asked
        return False, told(error)


if __name__ == "__main__":
    main()
