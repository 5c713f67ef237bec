"""The whole daemon at work for as long as there is time: what goes on the air is what was accepted, once, in order.

Two simulated modems on pseudo-terminals, the store on disk, real HTTP. In every round the gateway is stopped while it
is busy and started again on what it left.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from support.long_run import LongRun
from support.waiting import eventually

from bench.rules_off import rules_off
from drivers.sim import SimSettings, Simulation, SimulationOptions, Submission
from drivers.tpdu import SmsSubmit, join_text
from gateway.config.loader import load_settings
from gateway.daemon import running_gateway

pytestmark = pytest.mark.long

SHORT_S = 15.0
MESSAGES = 24
NUMBERS = [f"+3363998010{digit}" for digit in range(1, 7)]
SETTLED_S = 60.0
TEXTS = ("Closed tomorrow", "Fermé demain : travaux, 9 h – 17 h ☎", "€" * 90, "🎉 " * 40, "a" * 459)

CONFIGURATION = """
[gateway]
node = "soak"
state_dir = "state"
[api]
listen = ["127.0.0.1:0"]
"""


class Api:
    """A caller of one running gateway."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def send(self, to: str, text: str) -> str:
        """Post one message; its id."""
        async with self._session.post(f"{self._url}/v1/messages", json={"to": to, "text": text}) as answer:
            assert answer.status == 202, await answer.text()
            return (await answer.json())["id"]

    async def status(self, message_id: str) -> str:
        """The status word of a message."""
        async with self._session.get(f"{self._url}/v1/messages/{message_id}") as answer:
            assert answer.status == 200, await answer.text()
            return (await answer.json())["status"]


@asynccontextmanager
async def _gateway(folder: Path, ports: Sequence[str]) -> AsyncIterator[Api]:
    modems = "".join(f'[modems.m{index}]\nport = "{port}"\n' for index, port in enumerate(ports))
    file = folder / "config.toml"
    file.write_text(rules_off(CONFIGURATION + modems))
    async with running_gateway(load_settings(file, {})) as gateway:
        header = {"Authorization": f"Bearer {gateway.admin_token}"}
        async with aiohttp.ClientSession(headers=header) as session:
            yield Api(session, gateway.url)


@pytest.fixture
async def simulation(tmp_path: Path) -> AsyncIterator[Simulation]:
    settings = SimSettings(latency=0.002, report_delay=0.01)
    simulation = Simulation(SimulationOptions(count=2, directory=tmp_path / "modems", settings=settings))
    await simulation.open()
    yield simulation
    await simulation.close()


def _texts_by_number(submissions: Sequence[Submission]) -> dict[str, list[str]]:
    """What each phone shows: parts joined by concatenation reference."""
    shown: dict[str, list[str]] = defaultdict(list)
    unfinished: dict[str, list[SmsSubmit]] = defaultdict(list)
    for submission in submissions:
        submit = SmsSubmit.from_bytes(submission.tpdu)
        parts = unfinished[submission.destination]
        parts.append(submit)
        concatenation = submit.tp_ud.concatenation
        if concatenation is None or concatenation.sequence == concatenation.total:
            shown[submission.destination].append(join_text(parts))
            parts.clear()
    assert not any(unfinished.values()), "a message was begun and not finished"
    return shown


async def test_what_was_accepted_is_sent_once_and_in_order(
    long_run: LongRun, simulation: Simulation, seeded: random.Random, tmp_path: Path
):
    on_the_air: list[Submission] = []
    for modem in simulation.modems:
        modem.ledger.listeners.append(on_the_air.append)
    while long_run.goes_on(SHORT_S):
        on_the_air.clear()
        async with _gateway(tmp_path, simulation.ports) as api:
            accepted, ids = await _send_some(api, seeded)
        # The gateway was stopped with most of them waiting. Nothing of that is lost.
        async with _gateway(tmp_path, simulation.ports) as api:
            await _all_become(api, ids, "delivered")
        assert _texts_by_number(on_the_air) == accepted


async def _send_some(api: Api, chance: random.Random) -> tuple[dict[str, list[str]], list[str]]:
    """What was accepted, by number, and the ids."""
    accepted: dict[str, list[str]] = defaultdict(list)
    ids: list[str] = []
    for number in range(MESSAGES):
        to, text = chance.choice(NUMBERS), f"{number} {chance.choice(TEXTS)}"
        ids.append(await api.send(to, text))
        accepted[to].append(text)
    return accepted, ids


async def _all_become(api: Api, ids: Sequence[str], word: str) -> None:
    waiting = list(ids)

    async def done() -> bool:
        waiting[:] = [one for one in waiting if await api.status(one) != word]
        return not waiting

    await eventually(done, SETTLED_S, f"all are {word}")
