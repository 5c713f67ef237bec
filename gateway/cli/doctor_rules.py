"""What `tocsin doctor` makes of what it has seen: facts in, findings out. It reads nothing and asks nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import ConfigProblem


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `check` is a stable word; `mend` is what to do."""

    level: Level
    check: str
    message: str
    mend: str | None = None


# --- configuration and limits

_WITHOUT_LIMITS = "a real SIM without limits"


def of_configuration(path: str, problems: Sequence[ConfigProblem], warnings: Sequence[ConfigProblem]) -> list[Finding]:
    """What `check-config` says; a SIM without limits has a line of its own."""
    found = [
        Finding(Level.ERROR, "configuration", f"{path}: {one}", "tocsin check-config says more") for one in problems
    ]
    others = [one for one in warnings if not one.message.startswith(_WITHOUT_LIMITS)]
    found += [Finding(Level.WARNING, "configuration", f"{path}: {one}") for one in others]
    if not found:
        found.append(Finding(Level.OK, "configuration", f"{path} has no problem"))
    for one in warnings:
        if one not in others:
            mend = f"write limits = {{ per_day = 200 }} under [{one.key}], as the tariff allows"
            found.append(Finding(Level.WARNING, "limits", f"{one.key}: {one.message}", mend))
    return found


def of_alarms(told: Sequence[str], real_modems: Sequence[str]) -> list[Finding]:
    """That somebody hears of a modem that needs a hand."""
    if told or not real_modems:
        return []
    mend = 'write to = ["sms:+…", "mailto:…"] under [alarms]'
    return [Finding(Level.WARNING, "alarms", "nobody is told when a modem needs a hand", mend)]


# --- ports


@dataclass(frozen=True, slots=True)
class PortFact:
    """One configured modem. `device` is where its port is now, `kind` one of simulated, network, serial.

    `problem` is why it cannot be used (with the mend where the driver knows it), `missing` and `forbidden` say so
    apart. What the modem said is None when it was not asked.
    """

    modem: str
    port: str
    kind: str
    device: str | None = None
    missing: bool = False
    forbidden: bool = False
    problem: str | None = None
    answers: bool | None = None
    model: str | None = None
    sim: str | None = None
    has_pin: bool = False
    service_centre: bool | None = None
    signal_dbm: int | None = None
    group: str | None = None
    user: str = ""


_LOCKED = "asks for its PIN"


def of_port(fact: PortFact) -> Iterator[Finding]:
    """Port, SIM, service centre and signal of one modem."""
    where = f"{fact.modem}: {fact.port}" + (f" ({fact.device})" if fact.device and fact.device != fact.port else "")
    if fact.kind == "simulated":
        yield Finding(Level.OK, "port", f"{where} is the simulated modem")
        return
    if (bad := _port_trouble(fact, where)) is not None:
        yield bad
        return
    said = " answers" if fact.answers else " is there"
    yield Finding(Level.OK, "port", f"{where}{said}{f': {fact.model}' if fact.model else ''}")
    if fact.answers:
        yield _of_sim(fact)
        yield from _of_network(fact)


def _port_trouble(fact: PortFact, where: str) -> Finding | None:
    if fact.forbidden:
        group = fact.group or "dialout"
        mend = f"usermod -aG {group} {fact.user or 'USER'}, then log in again, or restart the service"
        return Finding(Level.ERROR, "port", f"{where}: {fact.user or 'this user'} may not open it", mend)
    if fact.missing:
        mend = "plug it in; tocsin modems probe shows what is there"
        return Finding(Level.ERROR, "port", f"{where}: {fact.problem or 'there is no such port'}", mend)
    if fact.problem is not None:
        return Finding(Level.ERROR, "port", f"{where}: {fact.problem}")
    if fact.answers is False:
        mend = "another port of the stick may be the one: tocsin modems probe finds out"
        return Finding(Level.ERROR, "port", f"{where} does not answer AT", mend)
    return None


def _of_sim(fact: PortFact) -> Finding:
    if fact.sim == "ready":
        return Finding(Level.OK, "sim", f"{fact.modem}: the SIM is ready")
    if fact.sim == _LOCKED and fact.has_pin:
        return Finding(Level.OK, "sim", f"{fact.modem}: the SIM asks for its PIN, and pin_file has one")
    if fact.sim == _LOCKED:
        mend = f"write it into a file and name that as pin_file under [modems.{fact.modem}]"
        return Finding(Level.ERROR, "sim", f"{fact.modem}: the SIM asks for its PIN and none is configured", mend)
    if fact.sim == "asks for its PUK":
        mend = "put the SIM into a telephone and enter the PUK of its letter there; the tenth wrong one ends it"
        return Finding(Level.ERROR, "sim", f"{fact.modem}: the SIM is blocked and asks for its PUK", mend)
    level = Level.WARNING if fact.sim in {None, "busy", "not ready"} else Level.ERROR
    return Finding(
        level, "sim", f"{fact.modem}: SIM: {fact.sim or 'no answer'}", "look whether it sits well in its tray"
    )


def _of_network(fact: PortFact) -> Iterator[Finding]:
    if fact.service_centre is False:
        mend = f'ask the operator for it and write smsc = "+…" under [modems.{fact.modem}]'
        yield Finding(Level.ERROR, "service_centre", f"{fact.modem}: the SIM names no service centre", mend)
    elif fact.service_centre:
        yield Finding(Level.OK, "service_centre", f"{fact.modem}: a service centre is set")
    if fact.signal_dbm is not None:
        weak = fact.signal_dbm < -105
        mend = "move the stick or its antenna" if weak else None
        level = Level.WARNING if weak else Level.OK
        yield Finding(level, "signal", f"{fact.modem}: {fact.signal_dbm} dBm", mend)


# --- what a running gateway says of a modem

_BAD_STATES = {"absent": Level.ERROR, "parked": Level.ERROR, "repairing": Level.WARNING, "starting": Level.WARNING}


def of_running_modem(name: str, state: str, reason: str | None, smsc: str | None, *, knows_smsc: bool) -> list[Finding]:
    """The gateway's own word; `knows_smsc` when it tells the service centre at all."""
    level = _BAD_STATES.get(state, Level.WARNING if state == "paused" else Level.OK)
    mends = {
        "parked": f"mend what it says, then: tocsin modems unlock {name}",
        "paused": f"tocsin modems resume {name}",
    }
    found = [Finding(level, "modem", f"{name} is {state}" + (f": {reason}" if reason else ""), mends.get(state))]
    if knows_smsc and not smsc and state in {"ready", "busy"}:
        mend = f'write smsc = "+…" under [modems.{name}]'
        found.append(Finding(Level.WARNING, "service_centre", f"{name}: no service centre is known", mend))
    return found


# --- the machine


def of_modem_manager(running: str | None, *, real_modems: bool, ignored: bool, mend: str) -> Finding:
    """ModemManager opens every modem that it is not told to leave alone."""
    if running is None:
        return Finding(Level.OK, "modemmanager", "ModemManager does not run")
    if not real_modems or ignored:
        why = "and leaves the configured sticks alone" if ignored else "and no port of ours could be in its way"
        return Finding(Level.OK, "modemmanager", f"{running} runs, {why}")
    return Finding(Level.WARNING, "modemmanager", f"{running} runs and takes any modem that it finds", mend)


def of_clock(
    now_year: int, *, synchronised: bool | None, doubt: str | None = None, floor: str | None = None
) -> Finding:
    """Hours, limits and reports go by the clock. `doubt` and `floor` are what the running gateway says of it."""
    mend = "timedatectl set-ntp true, or install chrony"
    if doubt is not None:
        known = f"{doubt}; it has been {floor}" if floor else doubt
        return Finding(Level.ERROR, "clock", known, f"{mend}; or look at the clock, then: tocsin clock confirm")
    if not 2025 <= now_year < 2100:
        return Finding(Level.ERROR, "clock", f"the clock says the year {now_year}", mend)
    if synchronised is False:
        return Finding(Level.WARNING, "clock", "the clock is not synchronised", mend)
    return Finding(Level.OK, "clock", "the clock is synchronised" if synchronised else "the clock is plausible")


@dataclass(frozen=True, slots=True)
class FolderFact:
    """The state directory. `flush_ms` is what writing a little and flushing it takes, None when it was not tried."""

    path: str
    exists: bool = True
    writable: bool = True
    open_to_others: bool = False
    free_octets: int = 0
    flush_ms: float | None = None
    problem: str | None = None

    @property
    def usable(self) -> bool:
        """Whether a gateway of this user could keep its files there."""
        return self.writable and self.problem is None


_LITTLE, _TOO_LITTLE = 1 << 30, 64 << 20
_SLOW_MS = 100.0


def of_folder(fact: FolderFact) -> Iterator[Finding]:
    """Rights, room and speed."""
    if not fact.usable:
        mend = "run as the gateway's user, or give the folder to it: chown -R tocsin FOLDER"
        told = fact.problem or "this user may not write there"
        yield Finding(Level.ERROR, "state", f"{fact.path}: {told}", mend)
        return
    if fact.open_to_others:
        yield Finding(Level.WARNING, "state", f"{fact.path} can be read by other users", f"chmod 700 {fact.path}")
    else:
        yield Finding(Level.OK, "state", f"{fact.path} " + ("is this user's alone" if fact.exists else "will be made"))
    yield _of_space(fact)
    if fact.flush_ms is not None:
        slow = fact.flush_ms > _SLOW_MS
        mend = "each message waits for it: take another disk, not a worn SD card" if slow else None
        yield Finding(Level.WARNING if slow else Level.OK, "disk", f"a flush takes {fact.flush_ms:.1f} ms", mend)


def _of_space(fact: FolderFact) -> Finding:
    free = f"{fact.free_octets / (1 << 30):.1f} GiB free"
    if fact.free_octets < _LITTLE:
        level = Level.ERROR if fact.free_octets < _TOO_LITTLE else Level.WARNING
        return Finding(level, "disk", f"{fact.path}: {free}", "make room: on a full disk nothing is accepted")
    return Finding(Level.OK, "disk", f"{fact.path}: {free}")


def of_store(
    place: str, revision: str | None, problem: str | None, *, current: bool, can_be_made: bool = True
) -> Finding:
    """Whether the store can be opened; one that is not there needs a state directory that can be used."""
    if problem is not None:
        return Finding(Level.ERROR, "store", f"{place} cannot be opened: {problem}")
    if revision is None and not can_be_made:
        return Finding(Level.ERROR, "store", f"{place} cannot be made: the state directory cannot be used")
    if revision is None:
        return Finding(Level.OK, "store", f"{place} will be made at the first start")
    if not current:
        return Finding(
            Level.WARNING, "store", f"{place} has another version's schema", "the next start brings it up to date"
        )
    return Finding(Level.OK, "store", f"{place} can be opened")


def of_stick(name: str, usb_id: str, place: str, what: str, mend: str) -> Finding:
    """A stick in the wrong mode."""
    return Finding(Level.ERROR, "stick", f"{name or 'a stick'} ({usb_id}) at {place} {what}", mend)
