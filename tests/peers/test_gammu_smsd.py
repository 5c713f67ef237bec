"""gammu-smsd with its files backend: a daemon that sends what lies in a folder and writes what arrives into another."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.peers import program
from support.simulation import ENVIRONMENT, PATIENCE_S, Modem, running
from support.waiting import eventually_sync

pytestmark = pytest.mark.peer("gammu-smsd")

NUMBER = "+33612345678"
SHORT = "Hello from gammu-smsd"
LONG = "A long text, part after part. " * 11 + "End"
UNICODE = "Żółć 你好 😀"
SETTINGS = """\
[gammu]
device = {device}
connection = at

[smsd]
service = files
logfile = {folder}/smsd.log
inboxpath = {folder}/inbox/
outboxpath = {folder}/outbox/
sentsmspath = {folder}/sent/
errorsmspath = {folder}/errors/
inboxformat = unicode
checksecurity = 0
checkbattery = 0
checksignal = 0
checknetwork = 0
commtimeout = 1
receivefrequency = 1
loopsleep = 1
deliveryreport = log
"""


@dataclass(frozen=True)
class Smsd:
    """The daemon that runs, by its folder."""

    folder: Path

    def send(self, *words: str) -> None:
        """Queue a message by the daemon's own tool."""
        inject = program("gammu-smsd-inject") or "gammu-smsd-inject"
        command = [inject, "-c", str(self.folder / "smsdrc"), "TEXT", NUMBER, *words]
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT, timeout=PATIENCE_S)

    def sent(self) -> int:
        """How many messages it believes to have sent."""
        return len(list((self.folder / "sent").iterdir()))

    def received(self) -> dict[str, str]:
        """Texts by sender; the parts of a long one lie in files with one name and rising numbers."""
        texts: dict[str, str] = {}
        for file in sorted((self.folder / "inbox").iterdir()):
            sender = file.stem.split("_")[3]
            # For each surrogate pair it counts one unit too many, and writes what follows the text in its memory.
            text, _, _beyond = file.read_bytes().decode("utf-16", "ignore").partition("\0")
            texts[sender] = texts.get(sender, "") + text
        return texts


@pytest.fixture(scope="module")
def smsd(modems: list[Modem], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Smsd]:
    folder = tmp_path_factory.mktemp("gammu-smsd")
    for name in ("inbox", "outbox", "sent", "errors"):
        (folder / name).mkdir()
    settings = folder / "smsdrc"
    settings.write_text(SETTINGS.format(device=modems[5].device, folder=folder))
    daemon = Smsd(folder)
    # Queued and arrived before it starts: one start is then enough for everything.
    daemon.send("-text", SHORT)
    daemon.send("-autolen", "1000", "-text", LONG)
    daemon.send("-unicode", "-text", UNICODE)
    for sender, text in (("+33612345601", SHORT), ("+33612345602", LONG), ("+33612345603", UNICODE)):
        modems[5].arrive(sender, text)
    with running([program("gammu-smsd") or "gammu-smsd", "-c", str(settings)], folder / "words"):
        yield daemon


def test_it_receives(smsd: Smsd):
    expected = {"+33612345601": SHORT, "+33612345602": LONG, "+33612345603": UNICODE}
    eventually_sync(lambda: smsd.received() == expected, PATIENCE_S)


def test_it_sends(smsd: Smsd, modems: list[Modem]):
    eventually_sync(lambda: smsd.sent() == 3, PATIENCE_S)
    assert modems[5].texts_sent() == {SHORT, LONG, UNICODE}
    assert {submit.tp_da.text for submit in modems[5].submits()} == {NUMBER}
    assert list((smsd.folder / "errors").iterdir()) == []
