"""Simulated modems in a process of their own, and other programs beside them, for tests that need both."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.tpdu import SmsSubmit, join_text

PATIENCE_S = 30
# The programs write and read their terminal in UTF-8 and look for no settings of the person who runs the tests.
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}


@contextlib.contextmanager
def running(arguments: Sequence[str], log: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program in the foreground of its own, its words in `log`, ended by SIGTERM when the block is left."""
    with log.open("wb") as words:
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT, env=ENVIRONMENT | environ
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


@dataclass(frozen=True)
class Modem:
    """One simulated modem as a test needs it."""

    name: str
    folder: Path

    @property
    def device(self) -> Path:
        """What a client opens."""
        return self.folder / self.name

    def arrive(self, sender: str, text: str) -> None:
        """Let a message arrive."""
        with (self.folder / "control").open("w", encoding="utf-8") as control:
            control.write(f"{self.name} {sender} {text}\n")

    def submits(self) -> list[SmsSubmit]:
        """What has been sent, in its order."""
        entries = map(json.loads, (self.folder / "ledger").read_text().split("\n")[:-1])
        return [SmsSubmit.from_bytes(bytes.fromhex(one["tpdu"])) for one in entries if one["modem"] == self.name]

    def texts_sent(self) -> set[str]:
        """The whole texts that have been sent, long ones joined."""
        wholes: dict[object, list[SmsSubmit]] = {}
        for number, submit in enumerate(self.submits()):
            concatenation = submit.tp_ud.concatenation
            wholes.setdefault(concatenation.reference if concatenation else f"single {number}", []).append(submit)
        return {
            join_text(parts)
            for parts in wholes.values()
            if parts[0].tp_ud.concatenation is None or len(parts) == parts[0].tp_ud.concatenation.total
        }
