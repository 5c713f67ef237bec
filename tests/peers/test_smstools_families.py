"""smsd of the SMS Server Tools on a simulated modem of each family, all served by one daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.peers import program
from support.simulation import PATIENCE_S, Modem, running
from support.waiting import eventually_sync

from drivers.sim import SIM_PROFILES

# It reads slot by slot, of which an EC25 has 255.
pytestmark = [pytest.mark.peer("smsd"), pytest.mark.long]

NUMBER, TEXT = "33612345678", "Hello from smstools"
FOLDERS = ("outgoing", "checked", "incoming", "sent", "failed")
SETTINGS = """\
devices = {names}
logfile = {folder}/smsd.log
infofile = {folder}/smsd.working
pidfile = {folder}/smsd.pid
delaytime = 1
delaytime_mainprocess = 1
terminal = yes
{folders}

[queues]
{queues}
{modems}
"""
MODEM = """
[{name}]
device = {device}
queues = {name}
incoming = yes
report = no
{more}
"""
#: What its manual has for a family: Siemens' modems receive into the memory that it does not read by default.
MORE = {"cinterion": 'init = AT+CPMS="SM","SM","SM"'}
LONG_S = 4 * PATIENCE_S


@pytest.fixture(scope="module")
def folder(families: dict[str, Modem], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the daemon that runs keeps its files."""
    folder = tmp_path_factory.mktemp("smstools-families")
    for name in (*FOLDERS, *(f"queue-{name}" for name in families)):
        (folder / name).mkdir()
    settings = folder / "smsd.conf"
    settings.write_text(
        SETTINGS.format(
            names=", ".join(families),
            folder=folder,
            folders="\n".join(f"{name} = {folder}/{name}" for name in FOLDERS),
            queues="\n".join(f"{name} = {folder}/queue-{name}" for name in families),
            modems="".join(
                MODEM.format(name=name, device=modem.device, more=MORE.get(name, ""))
                for name, modem in families.items()
            ),
        )
    )
    for name, modem in families.items():
        (folder / "outgoing" / name).write_text(f"To: {NUMBER}\nQueue: {name}\n\n{TEXT} on {name}")
        modem.arrive(f"+{NUMBER}", f"In on {name}")
    with running([program("smsd") or "smsd", f"-c{settings}"], folder / "words"):
        yield folder


@pytest.mark.parametrize("name", SIM_PROFILES)
def test_smstools_sends_and_receives_on_every_family(folder: Path, families: dict[str, Modem], name: str) -> None:
    eventually_sync((folder / "sent" / name).exists, LONG_S, f"what {name} sent")
    assert families[name].texts_sent() == {f"{TEXT} on {name}"}

    def received() -> bool:
        files = (folder / "incoming").glob(f"{name}.*")
        return any(file.read_text("latin-1").endswith(f"In on {name}") for file in files)

    eventually_sync(received, LONG_S, f"what {name} received")
    assert not (folder / "failed" / name).exists()
