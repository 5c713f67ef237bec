"""gammu on a simulated modem of each family: a client that knows most of the real ones."""

from __future__ import annotations

import contextlib

import pytest
from support.long_run import mostly_long
from support.peers import program
from support.simulation import PATIENCE_S, Modem, running

from drivers.sim import SIM_PROFILES

pytestmark = pytest.mark.peer("gammu")

NUMBER, TEXT = "+33612345678", "Hello, it is {10:30} & 5€"
RUNS = {"identify": ["identify"], "send": ["sendsms", "TEXT", NUMBER, "-text", TEXT], "read": ["geteachsms"]}
#: What gammu calls the maker, where it does not repeat what the modem says.
MAKERS = {"huawei": "Huawei", "zte": "ZTE", "wavecom": "Wavecom"}


@pytest.fixture(scope="module")
def said(families: dict[str, Modem], tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """What gammu said of each family in each run: one run after the other, the families side by side."""
    folder = tmp_path_factory.mktemp("gammu")
    for modem in families.values():
        modem.arrive(NUMBER, TEXT)
        settings = folder / f"{modem.name}.conf"
        settings.write_text(f"[gammu]\ndevice = {modem.device}\nconnection = at\n")
    words: dict[tuple[str, str], str] = {}
    for run, arguments in RUNS.items():
        with contextlib.ExitStack() as stack:
            processes = [
                stack.enter_context(
                    running(
                        [program("gammu") or "gammu", "-c", str(folder / f"{modem.name}.conf"), *arguments],
                        folder / f"{name}-{run}.log",
                    )
                )
                for name, modem in families.items()
            ]
            for process in processes:
                process.wait(PATIENCE_S)
        words.update({(name, run): (folder / f"{name}-{run}.log").read_text() for name in families})
    return words


@pytest.mark.parametrize("name", mostly_long(SIM_PROFILES, "generic", "huawei"))
def test_gammu_is_at_home_on_every_family(said: dict[tuple[str, str], str], families: dict[str, Modem], name: str):
    fields = {
        field.strip(): value.strip()
        for field, _, value in (line.partition(":") for line in said[name, "identify"].splitlines())
    }
    profile = SIM_PROFILES[name]
    assert fields["Manufacturer"] == MAKERS.get(name, profile.manufacturer)
    assert profile.model.strip() in fields["Model"]
    assert fields["IMEI"].startswith("35000000")
    assert "OK, message reference=" in said[name, "send"], said[name, "send"]
    assert families[name].texts_sent() == {TEXT}
    assert TEXT in said[name, "read"].splitlines(), said[name, "read"]
