"""A way to the database that comes and goes, and clients who send at both hosts all the while."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
from support.checker import Sent
from support.crash import POLICIES
from support.daemon import Client, client_of
from support.database_proxy import Cut, Proxy
from support.hosts import Hosts

#: From one cut to the next, and how long one lasts, in seconds.
PERIOD_S, SHORTEST_S, LONGEST_S = 3.0, 0.4, 2.8
#: How long a client waits for an answer before it asks again, perhaps at the other host.
PATIENCE_S = 4.0
CLIENTS = 4
# With the modems' latency this keeps both hosts at work and leaves them a little to do.
PAUSE_S = 0.4
NUMBERS = [f"+336399848{each:02}" for each in range(40)]
_SLOW_S = 0.15


class Nemesis:
    """Cuts a host off its database, in another way each time, and heals it."""

    def __init__(self, proxy: Proxy, chance: random.Random) -> None:
        self._proxy = proxy
        self._chance = chance
        self._ways: dict[str, Callable[[], object]] = {
            "hung up on": proxy.shut,
            "a commit cut before the server heard of it": lambda: proxy.cut_next_commit(Cut.BEFORE, shut=True),
            "the answer of a commit lost": lambda: proxy.cut_next_commit(Cut.AFTER, shut=True),
            "sessions left behind": self._leave_behind,
            "nothing goes through, and nobody is told": proxy.freeze,
            "slow": lambda: proxy.be_slow(_SLOW_S),
        }
        #: What was done, counted.
        self.done: Counter[str] = Counter()

    async def run(self, seconds: float) -> None:
        """Flap for so long. The order is drawn, and no way is left out for long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        drawn: list[str] = []
        while loop.time() < end:
            drawn = drawn or self._chance.sample(sorted(self._ways), len(self._ways))
            way, lasts_s = drawn.pop(), self._chance.uniform(SHORTEST_S, LONGEST_S)
            self._ways[way]()
            self.done[way] += 1
            await asyncio.sleep(lasts_s)
            self._proxy.heal()
            await asyncio.sleep(PERIOD_S - lasts_s)

    def _leave_behind(self) -> None:
        self._proxy.lets_in.clear()
        self._proxy.strand()


@dataclass
class Senders:
    """Clients who persist: each message has a key, and is asked for at either host until one has accepted it."""

    hosts: Hosts
    chance: random.Random
    sent: list[Sent] = field(default_factory=list)
    #: Answers 202, by host; and requests that were refused, broken off or not answered.
    accepted: Counter[str] = field(default_factory=Counter)
    in_vain: int = 0

    async def run(self, until: asyncio.Future[None]) -> None:
        """Send until then, and finish what was begun."""
        await asyncio.gather(*[self._client(until) for _ in range(CLIENTS)])

    async def _client(self, until: asyncio.Future[None]) -> None:
        a, b = self.hosts["a"].gateway, self.hosts["b"].gateway
        # A key counts within its token.
        async with client_of(a.url, a.token) as at_a, client_of(b.url, a.token) as at_b:
            while not until.done():
                number = len(self.sent)
                to, policy = self.chance.choice(NUMBERS), self.chance.choice(POLICIES)
                each = Sent(to, f"message {number}", policy, key=f"key {number}")
                self.sent.append(each)
                while each.id is None:
                    await self._ask(each, *self.chance.choice((("a", at_a), ("b", at_b))))
                await asyncio.sleep(self.chance.random() * PAUSE_S)

    async def _ask(self, each: Sent, node: str, client: Client) -> None:
        client.key = each.key
        body = {"to": each.to, "text": each.text, "category": "emergency", "on_uncertain": each.policy}
        try:
            async with asyncio.timeout(PATIENCE_S):
                status, answer = await client.call("POST", "/v1/messages", body)
        except (TimeoutError, aiohttp.ClientError):
            self.in_vain += 1
            return
        assert status in {202, 503}, answer
        if status == 202:
            each.id = answer["id"]
            self.accepted[node] += 1
        else:
            self.in_vain += 1
            await asyncio.sleep(self.chance.random() * PAUSE_S)
