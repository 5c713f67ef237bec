"""Gateways and simulated modems as processes that need not import everything anew, which is most of their start.

`python -m support.nursery FD` imports what they need, once for each kind, and forks a process of its own for each that
is asked for: with its own environment, standard output and standard error, and an end of its own. What the installed
command does from its first line on is for the tests that start that command (`tests/gateway/cli/test_serve.py`,
`tests/journeys/test_process.py`, `production` of `support.crash`).
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from support.tree import ROOT

#: What is read while modules are imported (`support.failing_daemon`): each set of values has a nursery of its own.
_AT_IMPORT = ("TOCSIN_SUBMIT_SECONDS", "TOCSIN_TRIP_SECONDS", "TOCSIN_LEASE_SECONDS", "TOCSIN_PATIENCE_SECONDS")
_IMPORTED = ("gateway.daemon", "gateway.cli.serve", "gateway.cli.simulate", "alembic.command", "alembic.config")
_LARGEST = 1 << 20
_STATUS = struct.Struct("i")


class Forked:
    """A process of a nursery: as much of `subprocess.Popen` as tests use."""

    def __init__(self, pid: int, status: int, stdout: IO[str]) -> None:
        self.pid = pid
        self.stdout: IO[str] | None = stdout
        self.returncode: int | None = None
        self._status = status
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """How it ended, as `Popen` says it; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ended."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        with self._lock:
            if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
                told = os.read(self._status, _STATUS.size)
                assert told, "the nursery died"
                (self.returncode,) = _STATUS.unpack(told)
                os.close(self._status)
            return self.returncode


class _Nursery:
    """This side of one."""

    def __init__(self, kind: str, environ: Mapping[str, str]) -> None:
        self._socket, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.nursery", kind, str(far.fileno())],
            cwd=ROOT,
            env={**os.environ, **environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
            pass_fds=[far.fileno()],
        )
        far.close()
        atexit.register(self.close)

    def start(self, arguments: Sequence[str], environ: Mapping[str, str], stderr: int) -> Forked:
        """A process that runs the command line with these arguments."""
        output, write = os.pipe()
        status, tell = os.pipe()
        asked = json.dumps([list(arguments), dict(environ), str(Path.cwd())]).encode()
        try:
            with self._lock:
                socket.send_fds(self._socket, [asked], [write, stderr, tell])
                pid = _STATUS.unpack(self._socket.recv(_STATUS.size))[0]
        finally:
            os.close(write)
            os.close(tell)
        return Forked(pid, status, os.fdopen(output, encoding="utf-8"))

    def close(self) -> None:
        """It ends, and ends what still runs."""
        self._socket.close()
        self._process.wait()


_nurseries: dict[tuple[str | None, ...], _Nursery] = {}
_making = threading.Lock()


def forked(kind: str, arguments: Sequence[str], environ: Mapping[str, str], stderr: int) -> Forked:
    """Start `tocsin` with these arguments; `kind` is `plain`, or `failing` for `support.failing_daemon`."""
    with _making:
        values = {name: environ[name] for name in _AT_IMPORT if name in environ}
        key = (kind, *(values.get(name) for name in _AT_IMPORT))
        if key not in _nurseries:
            _nurseries[key] = _Nursery(kind, values)
    return _nurseries[key].start(arguments, environ, stderr)


def _serve(kind: str, asked: socket.socket) -> None:
    """Fork for each request; return in the child."""
    wake, woken = os.pipe()
    for end in (wake, woken):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    # From a terminal this reaches everybody: whoever asked ends first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running: dict[int, int] = {}
    while True:
        ready = select.select([asked, wake], [], [])[0]
        if wake in ready:
            os.read(wake, 4096)
            _reap(running)
        if asked not in ready:
            continue
        request, given, _, _ = socket.recv_fds(asked, _LARGEST, 3)
        if not request:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
            os._exit(0)
        if (pid := os.fork()) == 0:
            arguments, environ, folder = json.loads(request)
            _become(kind, arguments, environ, Path(folder), given)
            return
        running[pid] = given[2]
        for each in given[:2]:
            os.close(each)
        asked.send(_STATUS.pack(pid))


def _reap(running: dict[int, int]) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            tell = running.pop(pid)
            with suppress(BrokenPipeError):
                os.write(tell, _STATUS.pack(os.waitstatus_to_exitcode(status)))
            os.close(tell)


def _become(kind: str, arguments: list[str], environ: dict[str, str], folder: Path, given: list[int]) -> None:
    """In the child: what a process has that was started in the usual way."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(given[0], 1)
    os.dup2(given[1], 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < _LARGEST else 1024)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    if "PYTHONFAULTHANDLER" in environ:
        faulthandler.enable()
    sys.argv[:] = ["tocsin", *arguments]
    if kind == "plain":
        # What else lists processes knows it by this name.
        with suppress(OSError):
            Path("/proc/self/comm").write_text("tocsin", encoding="ascii")


def _main() -> None:
    kind, number = sys.argv[1], int(sys.argv[2])
    from support import failing_daemon  # noqa: PLC0415 - in the nursery alone

    if kind == "failing":
        failing_daemon.prepare()
    for name in _IMPORTED:
        importlib.import_module(name)
    from gateway.cli.main import main  # noqa: PLC0415 - after what has to come before

    gc.collect()
    gc.freeze()
    asked = socket.socket(fileno=number)
    _serve(kind, asked)
    asked.detach()
    if kind == "failing":
        failing_daemon.run()
    else:
        main()


if __name__ == "__main__":
    _main()
