"""File systems that belong to one test: a small one that can be filled, and one whose disk can be copied while it runs.

Mounting needs root, and the second a loop device. Where there is neither, the test is skipped and says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest

_CHUNK = 64 * 1024


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)


@cache
def why_not_mounted() -> str | None:
    """Why nothing can be mounted here, None where it can."""
    if os.geteuid() != 0:
        return "mounting needs root"
    with tempfile.TemporaryDirectory() as name:
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", name], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return f"nothing can be mounted here: {done.stderr.strip()}"
        _run("umount", name)
    return None


@cache
def why_no_image() -> str | None:
    """Why no image of a disk can be mounted here, None where it can."""
    if (reason := why_not_mounted()) is not None:
        return reason
    if shutil.which("mkfs.ext4") is None:
        return "install the package e2fsprogs to run it"
    with tempfile.TemporaryDirectory() as name:
        try:
            image = Image(Path(name))
            image.make()
            image.mount()
            image.unmount()
        except AssertionError as error:
            return f"no image can be mounted through a loop device here: {error}"
    return None


def needs(reason: str | None) -> None:
    """Skip the test for this reason, if there is one."""
    if reason is not None:
        pytest.skip(reason)


class Filler:
    """Takes every octet that is left on a file system, and gives them back."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "filler"

    def fill(self, *, leave: int = 0) -> None:
        """Write until nothing more goes on it, or until `leave` octets are left."""
        with self._path.open("ab", buffering=0) as file:
            if leave:
                left = os.statvfs(self._path.parent)
                file.write(b"\0" * (left.f_bavail * left.f_frsize - leave))
                return
            for size in (_CHUNK, 4096, 512, 1):
                with suppress(OSError):
                    while file.write(b"\0" * size) == size:
                        pass

    def free(self) -> None:
        """Give the space back."""
        self._path.unlink()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Filler]:
    """A file system of `size` in memory, mounted at `folder`."""
    needs(why_not_mounted())
    folder.mkdir(mode=0o700)
    _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder))
    try:
        yield Filler(folder)
    finally:
        _unmount(folder)


class Image:
    """A disk: an ext4 file system in a file, mounted at `folder/disk`."""

    def __init__(self, folder: Path, size: str = "64M", errors: str = "continue") -> None:
        self._file = folder / "disk.img"
        self._copy = folder / "disk.copy"
        self._size = size
        self._errors = errors
        self.folder = folder / "disk"

    def make(self) -> None:
        """An empty disk."""
        _run("truncate", "-s", self._size, str(self._file))
        # Neither tables nor a journal that is larger than it has to be: each copy of the disk costs time.
        _run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0", "-J", "size=4", str(self._file))

    def mount(self) -> None:
        """Put it where its folder is."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        _run("mount", "-o", f"loop,errors={self._errors}", str(self._file), str(self.folder))
        self.folder.chmod(0o700)

    def fail(self) -> None:
        """The kernel meets an error on it, and does what the mount says about errors."""
        source = subprocess.run(
            ["findmnt", "-n", "-o", "SOURCE", str(self.folder)], capture_output=True, text=True, check=True
        )
        device = Path(source.stdout.strip()).name
        Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("1\n", encoding="ascii")

    def repair(self) -> None:
        """Look it over, and mount it again."""
        self.unmount()
        done = subprocess.run(["fsck.ext4", "-f", "-y", str(self._file)], capture_output=True, text=True, check=False)
        assert done.returncode in {0, 1}, done.stdout
        self.mount()

    def copy(self) -> None:
        """What the disk holds at this moment: without everything that was written and not flushed."""
        _run("cp", "--sparse=always", str(self._file), str(self._copy))

    def cut(self) -> None:
        """The power goes: from now on the disk is what was copied last. Nobody may have a file on it open."""
        self.unmount()
        self._copy.replace(self._file)
        self.mount()

    def unmount(self) -> None:
        """Take it away, if it is there."""
        _unmount(self.folder)


def _unmount(folder: Path) -> None:
    if folder.is_mount():
        _run("umount", str(folder))


@contextmanager
def disk_image(folder: Path, *, size: str = "64M", errors: str = "continue") -> Iterator[Image]:
    """A disk that is mounted, and gone at the end. `errors` is what ext4 does when it meets one."""
    needs(why_no_image())
    image = Image(folder, size, errors)
    image.make()
    image.mount()
    try:
        yield image
    finally:
        image.unmount()
