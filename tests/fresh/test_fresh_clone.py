"""The first minute of somebody new: clone, `make run`, the README's line, Ctrl-C, and once more.

Installs everything into an environment of its own, so it needs the package registry and some minutes: `make fresh`.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.markdown import page
from support.tree import ROOT
from support.waiting import eventually_sync

pytestmark = pytest.mark.fresh

INSTALL_S = 600
START_S = 20
STOP_S = 20
NUMBER = "+33639980101"


def _environment() -> dict[str, str]:
    """Ours without what would lead the clone back here."""
    theirs = (
        "VIRTUAL_ENV",
        "PYTHONPATH",
        "STATE_DIRECTORY",
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
        "COVERAGE_PROCESS_START",
    )
    return {key: value for key, value in os.environ.items() if key not in theirs and not key.startswith("TOCSIN_")}


@contextmanager
def _make_run(clone: Path, ready_within_s: float) -> Iterator[subprocess.Popen[bytes]]:
    """`make run` in a session of its own, from its `ready` line on; killed if the test fails."""
    log = clone.parent / "make-run.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "run"], cwd=clone, env=_environment(), stdout=output, stderr=output, start_new_session=True
        )
    try:
        eventually_sync(
            lambda: "ready http://" in log.read_text() or process.poll() is not None,
            ready_within_s,
            "make run is ready",
        )
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        if _alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _press_ctrl_c(process: subprocess.Popen[bytes]) -> None:
    """What a terminal does: SIGINT to every process of the group; none of them may be left."""
    os.killpg(process.pid, signal.SIGINT)
    process.wait(STOP_S)
    eventually_sync(lambda: not _alive(process.pid), STOP_S, "no process is left")


def _tocsin(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [".venv/bin/tocsin", *arguments, "--config", "config.example.toml"]
    return subprocess.run(
        command, cwd=clone, env=_environment(), capture_output=True, text=True, timeout=60, check=False
    )


def _listed(clone: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in _tocsin(clone, "messages", "--json").stdout.splitlines()]


def _readme_line() -> list[str]:
    """The second command of the README, the one for the second terminal."""
    return shlex.split(list(page("README.md").blocks("sh"))[1])


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    target = tmp_path / "a folder" / "tocsin"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(target)], check=True)
    return target


def test_clone_run_send_stop_and_run_again(clone: Path):
    with _make_run(clone, INSTALL_S) as process:
        sent = subprocess.run(
            _readme_line(), cwd=clone, env=_environment(), capture_output=True, text=True, timeout=60, check=False
        )
        assert (sent.returncode, "delivered" in sent.stdout) == (0, True), sent
        for text in ("a" * 161, "b" * 70 + "🎉"):
            # As the README's line does: at any hour.
            assert _tocsin(clone, "send", NUMBER, text, "--category", "emergency", "--wait").returncode == 0
        before = _listed(clone)
        assert [(one["status"], one["parts"]) for one in before] == [
            ("delivered", 2),
            ("delivered", 2),
            ("delivered", 1),
        ]
        _press_ctrl_c(process)
    with _make_run(clone, START_S) as process:
        assert _listed(clone) == before
        _press_ctrl_c(process)
    status = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True)
    assert status.stdout == ""
