"""The simulated modem: a mobile station behind an AT link.

Bytes come in by `receive_data` and leave through the function given to `attach`; which wire carries them is for the
ends (`drivers.sim.ends`). It needs a running event loop only for answers that are put off and for reports.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from drivers.at.codes import CmeError, CmsError
from drivers.at.equipment import CommandReceived, Equipment, EquipmentEvent, PayloadReceived
from drivers.at.equipment_grammar import Command, Form
from drivers.sim.alarm import ALARM, Call
from drivers.sim.answers import OK, Answer, Information, Later, Prompt, RefusedError, Silence
from drivers.sim.commands import MESSAGE_COMMANDS, SERVED_WHEN_READY, card_commands_of, commands_of
from drivers.sim.ledger import Ledger, Submission
from drivers.sim.network import SimulatedNetwork
from drivers.sim.network_commands import SIM_COMMANDS
from drivers.sim.settings import SimSettings, wall_clock
from drivers.sim.state import ABSENT
from drivers.sim.station import MobileStation

#: So long an answer takes to leave, before a restart takes the port away.
ANSWER_SECONDS = 0.05


class SimulatedModem:
    """One modem with its SIM on `network`, or on a network of its own.

    `now` gives the service centre's time as an aware datetime; it is used only when no network is given.
    """

    def __init__(
        self,
        settings: SimSettings | None = None,
        network: SimulatedNetwork | None = None,
        *,
        now: Callable[[], datetime] = wall_clock,
    ) -> None:
        self.settings = settings or SimSettings()
        self.network = network or SimulatedNetwork(now)
        self.station = MobileStation(self.settings, self.network, self._notify)
        self._profile = self.station.profile
        self._commands, self._card_commands = commands_of(self._profile.name), card_commands_of(self._profile.name)
        self._equipment = self._new_link()
        self._started = self._off = False
        self._starting: asyncio.TimerHandle | None = None
        self.restarting: Callable[[float], object] | None = None
        """Told when a restart takes the port away, and for how many seconds; set by the end that it is plugged into."""
        self.absent_until = 0.0
        """Until when, by the loop's clock, the port cannot be opened."""
        self._write: Callable[[bytes], object] | None = None
        self._prompted: Callable[[bytes], Answer] | None = None
        self._timer: Call | None = None

    # --- the radio side

    @property
    def ledger(self) -> Ledger:
        """What this modem has really sent."""
        return self.station.ledger

    @property
    def submissions(self) -> tuple[Submission, ...]:
        """The ledger's entries, oldest first."""
        return self.station.ledger.entries

    @property
    def waiting(self) -> int:
        """How many messages the network holds because the modem has no room, no service or no acknowledgement."""
        return self.station.reception.waiting

    def inject_sms(self, sender: str, text: str) -> int:
        """Let an SMS arrive; a long text comes as concatenated parts. Returns the number of parts.

        `sender` is a number or an alphanumeric name; ValueError (TpduError is one) when it can be neither.
        """
        return self.network.inject(self.station, sender, text)

    def inject_pdu(self, pdu: bytes) -> None:
        """Let a PDU arrive octet by octet: the service centre field, which may be `00`, and a TPDU as networks send it.

        TpduError when the service centre field is none or nothing follows it; the TPDU itself may be anything.
        """
        self.network.inject_pdu(self.station, pdu)

    def call(self, number: str | None) -> bool:
        """Let somebody call, None from a withheld number; it rings until it is rejected or the caller gives up.

        False when there is no service or it rings already. Needs a running event loop.
        """
        return self.station.call.begin(number)

    def remove_sim(self) -> None:
        """Take the SIM out; ValueError when there is none. Messages to it wait with the network."""
        self.station.remove_sim()

    def insert_sim(self, iccid: str | None = None, number: str | None = None, pin: str | None = None) -> None:
        """Put a SIM in; ValueError when that is not possible.

        Without `iccid` the one that was taken out last comes back; with the ICCID of another card of this network that
        card comes, with its number, PIN, tries and messages; any other ICCID is a new card.
        """
        self.station.insert_sim(iccid, number, pin)

    def restart(self) -> None:
        """Start anew, as after a reset command or a dip of the power. Needs a running event loop."""
        self._off = True
        self._forget_work()
        self.station.power_off()
        seconds, told, loop = self.settings.restart_seconds, self.restarting, asyncio.get_running_loop()
        if told and self._profile.port_leaves:
            self.absent_until = loop.time() + seconds
            told(seconds)
        else:
            self._starting = loop.call_later(seconds, self._start)

    # --- the wire side

    def attach(self, write: Callable[[bytes], object]) -> None:
        """Everything that the modem says goes to `write` from now on; settings and echo stay as they are."""
        self._write = write
        if not self._started or (self._off and not self._starting):
            self._start()

    def detach(self, write: Callable[[bytes], object] | None = None) -> None:
        """Nobody listens any more: what the modem says is lost, as on a closed port.

        With `write`, only if it is the one that listens: an end that closes late must not unplug its successor.
        """
        if write is None or write == self._write:
            self._write = None

    def receive_data(self, data: bytes) -> None:
        """Octets that the terminal has sent, cut anywhere; nobody hears them while the modem starts."""
        if self._off:
            return
        self._equipment.receive_data(data)
        self._advance()

    def close(self) -> None:
        """Leave the network and stop every timer."""
        self.detach()
        self._forget_work()
        self.station.power_off()
        self.network.leave(self.station.card)

    def _forget_work(self) -> None:
        for timer in (self._timer, self._starting):
            if timer:
                timer.cancel()
        self._timer = self._starting = None

    def _start(self) -> None:
        """The power comes on: at first when somebody listens."""
        self._starting = None
        self._started, self._off = True, False
        self._equipment = self._new_link()
        self.station.power_on()

    def _new_link(self) -> Equipment:
        chosen = self.settings.echo
        return Equipment(echo=self._profile.echo if chosen is None else chosen)

    # --- commands

    def _advance(self) -> None:
        while (event := self._equipment.next_event()) is not None:
            self._handle(event)
        self._flush()

    def _handle(self, event: EquipmentEvent) -> None:
        if isinstance(event, CommandReceived):
            command = event.command
            self._give(lambda: self._execute(command))
        elif isinstance(event, PayloadReceived) and self._prompted:
            then, data = self._prompted, event.data
            self._give(lambda: then(data))
        else:
            self._equipment.succeed()

    def _execute(self, command: Command) -> Answer:
        name, profile, equipment = command.name, self._profile, self.station.equipment
        if profile.resets and _written(command) in profile.resets:
            self._starting = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self.restart)
            return OK
        handler = self._commands.get((name, command.form))
        if handler is None:
            raise RefusedError(profile.unknown)
        if (word := equipment.pin_word) != "READY":
            self._require_sim(name, word)
        if not equipment.messages_ready and name in SERVED_WHEN_READY:
            raise RefusedError(profile.unready)
        if name == profile.silenced_by:
            self.station.start_up.silence()
        return handler(self.station, command)

    def _require_sim(self, name: str, word: str) -> None:
        if word == ABSENT and name in self._card_commands:
            raise RefusedError(self._profile.sim_absent)
        if name in MESSAGE_COMMANDS:
            raise RefusedError(_WITHOUT_SIM[word][0])
        if name in SIM_COMMANDS:
            raise RefusedError(_WITHOUT_SIM[word][1])

    def _give(self, produce: Callable[[], Answer]) -> None:
        try:
            answer = produce()
        except RefusedError as refusal:
            self._equipment.fail(refusal.result(self.station.equipment.command_settings.cmee))
            return
        match answer:
            case Information(blocks, ends):
                for block in blocks:
                    self._equipment.respond(*block)
                if ends:
                    self._equipment.succeed()
                else:
                    self._equipment.give_up()
            case Prompt(then):
                self._prompted = then
                self._equipment.prompt()
            case Silence():
                self._equipment.give_up()
            case Later(delay, then):
                self._timer = ALARM.call_later(delay, partial(self._give_late, then))

    def _give_late(self, produce: Callable[[], Answer]) -> None:
        self._give(produce)
        self._advance()

    # --- writing

    def _notify(self, *lines: str) -> None:
        self._equipment.notify(*lines)
        # What is told while a command executes goes out with its answer, in the order in which it was said.
        self._flush()

    def _flush(self) -> None:
        data = self._equipment.data_to_send()
        if data and self._write:
            self._write(data)


#: By the word of +CPIN: how commands about messages fail, and how other commands do.
_WITHOUT_SIM = {
    "SIM PIN": (CmsError.SIM_PIN_REQUIRED, CmeError.SIM_PIN_REQUIRED),
    "SIM PUK": (CmsError.SIM_PUK_REQUIRED, CmeError.SIM_PUK_REQUIRED),
    ABSENT: (CmsError.SIM_NOT_INSERTED, CmeError.SIM_NOT_INSERTED),
}


def _written(command: Command) -> str:
    """A command as it was typed, without AT."""
    return f"{command.name}={command.value}" if command.form is Form.SET else command.name
