"""What a modem says of itself: while it starts, when its SIM is ready, and now and then.

Needs a running event loop for the families that say something; the generic one says nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from drivers.sim.state import MobileEquipment

SIM_READY = "+CPIN: READY"


class StartUp:
    """One modem's own words. `notify` writes one unsolicited result."""

    def __init__(self, equipment: MobileEquipment, notify: Callable[..., None]) -> None:
        self._equipment = equipment
        self._notify = notify
        self._ready: asyncio.TimerHandle | None = None
        self._chatter: asyncio.TimerHandle | None = None
        self._said = 0

    @property
    def over(self) -> bool:
        """Whether nothing is to come but chatter."""
        return self._ready is None

    @property
    def chats(self) -> bool:
        """Whether it says something now and then."""
        return self._chatter is not None

    def begin(self) -> None:
        """The power comes on."""
        profile = self._equipment.profile
        self._tell(profile.boot)
        if self._equipment.pin_word.startswith("SIM") and SIM_READY in profile.ready:
            self._notify(f"+CPIN: {self._equipment.pin_word}")
        self.await_ready()
        self._continue()

    def await_ready(self) -> None:
        """The SIM is there and perhaps unlocked: in a while the modem is ready, if it can be."""
        profile = self._equipment.profile
        self._equipment.messages_ready = profile.unready is None
        if profile.ready:
            self._forget_ready()
            delay = self._equipment.settings.start_seconds
            self._ready = asyncio.get_running_loop().call_later(delay, self._become_ready)

    def silence(self) -> None:
        """No more chatter, until the next start."""
        if self._chatter:
            self._chatter.cancel()
        self._chatter = None

    def stop(self) -> None:
        """The power goes."""
        self.silence()
        self._forget_ready()

    def sim_out(self) -> None:
        """The SIM has been taken out."""
        self._forget_ready()
        self._equipment.messages_ready = self._equipment.profile.unready is None
        self._tell_of_sim(self._equipment.profile.sim_out)

    def sim_in(self) -> None:
        """The modem has seen a SIM."""
        profile = self._equipment.profile
        self._tell_of_sim(profile.sim_in)
        if profile.unready is not None:
            self.await_ready()

    def _become_ready(self) -> None:
        self._ready = None
        if self._equipment.pin_word == "READY":
            self._equipment.messages_ready = True
            self._tell(self._equipment.profile.ready)

    def _continue(self) -> None:
        seconds = self._equipment.settings.chatter_every
        if self._equipment.profile.chatter and seconds > 0:
            self._chatter = asyncio.get_running_loop().call_later(seconds, self._chat)

    def _chat(self) -> None:
        chatter = self._equipment.profile.chatter
        self._notify(chatter[self._said % len(chatter)])
        self._said += 1
        self._continue()

    def _tell(self, texts: tuple[str, ...]) -> None:
        for text in texts:
            self._notify(text)

    def _tell_of_sim(self, texts: tuple[str, ...]) -> None:
        switch = self._equipment.profile.sim_news
        if switch is None or switch in self._equipment.command_settings.news:
            self._tell(texts)

    def _forget_ready(self) -> None:
        if self._ready:
            self._ready.cancel()
        self._ready = None
