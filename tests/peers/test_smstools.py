"""smsd of the SMS Server Tools: a daemon on plain files that asks the modem with +CMGR and sends with +CMGS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.peers import program
from support.simulation import PATIENCE_S, Modem, running
from support.waiting import eventually_sync

pytestmark = pytest.mark.peer("smsd")

NUMBER = "33612345678"
SHORT = "Hello from smstools, it is {10:30}"
LONG = "A long text, part after part. " * 11 + "End"
UNICODE = "Żółć 你好"
# Version 3.1.21 drops what lies beyond the basic plane when it sends; what it receives it writes whole.
UNICODE_RECEIVED = "Żółć 你好 😀"
FOLDERS = ("outgoing", "checked", "incoming", "report", "sent", "failed")
SETTINGS = """\
devices = {name}
logfile = {folder}/smsd.log
infofile = {folder}/smsd.working
pidfile = {folder}/smsd.pid
delaytime = 1
delaytime_mainprocess = 1
autosplit = 3
incoming_utf8 = yes
terminal = yes
{folders}

[{name}]
device = {device}
incoming = yes
report = yes
"""


@dataclass(frozen=True)
class Smsd:
    """The daemon that runs, by its folder."""

    folder: Path

    def sent(self) -> set[str]:
        """The messages it believes to have sent, by the names of their files."""
        return {file.name for file in (self.folder / "sent").iterdir()}

    def received(self) -> dict[str, str]:
        """Texts by sender: a file has a head, an empty line and the text in the alphabet that the head names."""
        texts = {}
        for file in (self.folder / "incoming").iterdir():
            head, end_of_head, text = file.read_bytes().partition(b"\n\n")
            if not end_of_head:  # the daemon is still writing the file
                continue
            fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
            texts[fields["From"]] = text.decode("utf-16-be" if fields["Alphabet"] == "UCS2" else "utf-8", "replace")
        return texts


@pytest.fixture(scope="module")
def smsd(modems: list[Modem], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Smsd]:
    folder, modem = tmp_path_factory.mktemp("smstools"), modems[6]
    for name in FOLDERS:
        (folder / name).mkdir()
    folders = "\n".join(f"{name} = {folder}/{name}" for name in FOLDERS)
    settings = folder / "smsd.conf"
    settings.write_text(SETTINGS.format(name=modem.name, device=modem.device, folder=folder, folders=folders))
    for name, text in (("short", SHORT), ("long", LONG), ("unicode", UNICODE)):
        (folder / "outgoing" / name).write_text(f"To: {NUMBER}\nAlphabet: UTF-8\n\n{text}", encoding="utf-8")
    for sender, text in (("33612345601", SHORT), ("33612345602", LONG), ("33612345603", UNICODE_RECEIVED)):
        modem.arrive(f"+{sender}", text)
    with running([program("smsd") or "smsd", f"-c{settings}"], folder / "words"):
        yield Smsd(folder)


def test_it_receives(smsd: Smsd):
    expected = {"33612345601": SHORT, "33612345602": LONG, "33612345603": UNICODE_RECEIVED}
    eventually_sync(lambda: smsd.received() == expected, PATIENCE_S)


def test_it_sends(smsd: Smsd, modems: list[Modem]):
    eventually_sync(lambda: smsd.sent() == {"short", "long", "unicode"}, PATIENCE_S)
    assert modems[6].texts_sent() == {SHORT, LONG, UNICODE}
    assert {submit.tp_da.text for submit in modems[6].submits()} == {f"+{NUMBER}"}
    assert all(submit.tp_srr for submit in modems[6].submits())
    assert list((smsd.folder / "failed").iterdir()) == []
