"""Starting a modem anew, and taking it off the network and back: in the words of its family (TS 27.007, 8.2)."""

from __future__ import annotations

import logging

from drivers.at.commands import FULL_FUNCTIONALITY, AtCommand
from drivers.errors import CommandFailed, CommandTimeout, TransportError
from drivers.gsm.channel import AtChannel
from drivers.gsm.initialisation import first_taken
from drivers.gsm.profiles import Profile

log = logging.getLogger(__name__)


async def start_anew(channel: AtChannel, profile: Profile) -> None:
    """Give the command that starts the modem anew; it may be gone before it says OK."""
    for command in profile.reset:
        try:
            await channel.execute(AtCommand(command))
        except CommandFailed:
            continue
        except (CommandTimeout, TransportError):
            return
        else:
            return
    log.warning("the modem takes no command to start anew")


async def cycle_radio(channel: AtChannel, profile: Profile) -> None:
    """Off and on; on is tried whatever became of off. Raises `CommandFailed` if one of them was refused."""
    off = await first_taken(channel, profile.radio_off)
    on = await first_taken(channel, profile.radio_on)
    if not off or not on:
        raise CommandFailed(FULL_FUNCTIONALITY.text, "ERROR")
