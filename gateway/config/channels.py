"""Reading `[channels]`, and what goes through them: `[inbound]` and `[alarms]`. Servers' addresses hold passwords, so
they stand in files of their own."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection
from importlib.util import find_spec
from pathlib import Path

from gateway.config.addresses import PUSH, alarm_target, target
from gateway.config.settings import ChannelSettings, InboundSettings
from gateway.config.shapes import Wrong, known, listed, text
from gateway.config.table import Table

_MOST_OCTETS = 64 * 1024
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_MAIL = re.compile(r"mailtos?://\S+", re.IGNORECASE)


def read_channels(root: Table, folder: Path) -> ChannelSettings:
    """Table `[channels]`; relative paths count from `folder`."""
    with root.table("channels") as table:
        mail, push = _lines(table, "email_file", folder, _one_mail), _lines(table, "push_file", folder, _pushes)
        if ("email_file" in table or "push_file" in table) and find_spec("apprise") is None:
            key = "email_file" if "email_file" in table else "push_file"
            table.problem(key, "needs the package apprise: install tocsin[channels]")
        return ChannelSettings(mail[0] if mail else None, push)


def read_inbound(root: Table, channels: ChannelSettings, categories: Collection[str]) -> InboundSettings:
    """Table `[inbound]`."""
    base = InboundSettings()
    with root.table("inbound") as table:
        forward = table.take("forward", listed(target), base.forward)
        _check_reached(table, "forward", forward, channels)
        return InboundSettings(forward, table.take("category", known(categories, "category"), base.category))


def read_alarms(root: Table, channels: ChannelSettings) -> tuple[str, ...]:
    """Table `[alarms]`: whom to tell."""
    with root.table("alarms") as table:
        to = table.take("to", listed(alarm_target), ())
        _check_reached(table, "to", to, channels)
    return tuple(dict.fromkeys(to))


def _check_reached(table: Table, key: str, goals: Collection[str], channels: ChannelSettings) -> None:
    if channels.mail is None and any(each.startswith("mailto:") for each in goals):
        table.problem(key, "names a mail address: write the mail server into a file, and that as channels.email_file")
    if not channels.push and PUSH in goals:
        table.problem(key, "names push: write its addresses into a file, and that as channels.push_file")


def _lines(
    table: Table, key: str, folder: Path, check: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> tuple[str, ...]:
    """What a file of addresses holds, never shown; empty lines and such that begin with # are left out."""
    file = table.take(key, text, None)
    if file is None:
        return ()
    try:
        content, mode = _content(folder / file)
        written = (line.strip() for line in content.splitlines())
        found = check(tuple(line for line in written if line and not line.startswith("#")))
    except Wrong as wrong:
        table.problem(key, str(wrong))
        return ()
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        table.findings.warning(table.path_of(key), "can be read by others: chmod 600 it")
    return found


def _content(path: Path) -> tuple[str, int]:
    try:
        if path.exists() and not path.is_file():
            raise Wrong("is not an ordinary file")
        with path.open("rb") as file:
            octets, mode = file.read(_MOST_OCTETS + 1), os.fstat(file.fileno()).st_mode
        if len(octets) > _MOST_OCTETS:
            raise Wrong("names a file that is longer than 64 KiB")
        return octets.decode("utf-8"), mode
    except FileNotFoundError:
        raise Wrong("names a file that does not exist") from None
    except OSError as error:
        raise Wrong(f"names a file that cannot be read: {(error.strerror or 'error').lower()}") from None
    except UnicodeDecodeError:
        raise Wrong("names a file that is not UTF-8 text") from None


def _one_mail(lines: tuple[str, ...]) -> tuple[str, ...]:
    if len(lines) != 1 or not _MAIL.fullmatch(lines[0]):
        raise Wrong("names a file that does not hold one line such as mailtos://user:password@host:587?from=sms@host")
    return lines


def _pushes(lines: tuple[str, ...]) -> tuple[str, ...]:
    if not lines or not all(_URL.fullmatch(line) for line in lines):
        raise Wrong("names a file that does not hold addresses of Apprise, one a line, such as ntfys://host/topic")
    return lines
