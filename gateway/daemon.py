"""The composition root: the one module that sees all three packages. Builds, starts in order, stops in reverse.

Start: addresses → state directory → lock → store → what a crash left → tokens → modems → tasks → HTTP → `ready`.
Stop: HTTP takes nothing new → submits in flight are finished and written → modems → tasks → store → lock.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
import os
import resource
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from api.app import create_app
from api.server import ApiRunner
from drivers.catalogue import is_still_port, let_go
from drivers.gsm.supervisor import ModemSupervisor
from gateway.clock import SECOND_US, Clock, SystemClock, boot_id
from gateway.config.settings import ListenAddress, ModemConfig, Settings
from gateway.crew import Crew
from gateway.descriptors import DescriptorStore
from gateway.errors import Conflict, StoreInUse
from gateway.fleet import fleet
from gateway.ids import IdSource
from gateway.membership import Membership, membership
from gateway.outbound.door import numbers_of
from gateway.outbound.gate import Gate
from gateway.outbound.intake import Intake
from gateway.outbound.journal import Journals, WireJournal
from gateway.outbound.recovery import answerable, recover
from gateway.outbound.watch import SubmitWatch
from gateway.requests import NewToken
from gateway.services import Health, Inbox, Messages, Modems, OptOuts, Queue, Services, Tokens, Traces
from gateway.services.messages import Nudge
from gateway.services.modems import Fleet
from gateway.services.tokens import MAX_NAME
from gateway.services.traces import recording
from gateway.store import sim_counts
from gateway.store.database import Store
from gateway.store.opening import LOCK_NAME, StoreLock, StoreUnusable, holder_of, open_configured, write_secret
from gateway.store.schema import AnyRow

log = logging.getLogger(__name__)

CLI_TOKEN = "cli.token"  # noqa: S105 - the name of a file
_CLI_NAME = "cli"
_BACKLOG = 1024
_NEW_OBJECTS = 5000
# What is being answered when the gateway stops may finish.
_HTTP_PATIENCE_S = 5.0


class AddressInUse(Exception):
    """An address of `[api] listen` cannot be bound; the message names it and says why."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs: its services, the address of its HTTP interface, the command line's token."""

    services: Services
    url: str
    admin_token: str
    failed: asyncio.Event


@asynccontextmanager
async def running_gateway(
    settings: Settings, clock: Clock | None = None, ports: DescriptorStore | None = None
) -> AsyncGenerator[Gateway]:
    """Start everything, and stop it in reverse order at the end. `ports` were left open by the process before."""
    clock = clock or SystemClock()
    ports = ports or DescriptorStore(None, {})
    ids = IdSource(clock)
    gate = Gate(settings.categories, settings.modems, settings.gateway.timezone, numbers_of(settings))
    async with AsyncExitStack() as stack:
        if await asyncio.to_thread(holder_of, settings.gateway.state_dir) is not None:
            raise StoreInUse(f"another process holds {settings.gateway.state_dir / LOCK_NAME}")
        sockets = stack.enter_context(_bound(settings))
        lock, store = await stack.enter_async_context(_held_store(settings))
        journals = Journals(settings.gateway.state_dir, settings.gateway.node, boot_id())
        member = await stack.enter_async_context(membership(settings, store, clock, gate))
        _drop_stale(ports, settings.modems)
        waited = await answerable(store, settings.gateway.node, journals, ports.names)
        await recover(store, gate, clock, settings.gateway.node, journals, leave={mark.id for mark in waited})
        await _forget_counts(store, settings)
        opened = stack.enter_context(_opened(journals, settings.modems, {mark.modem for mark in waited}))
        traces = await stack.enter_async_context(recording(clock, settings, os.environ))
        modems = await stack.enter_async_context(fleet(settings, store, clock, ports, traces))
        _expect_answers(waited, modems, opened, clock)
        crew = Crew(settings, store, clock, ids, gate=gate, modems=modems, journals=opened, elsewhere=member.elsewhere)
        services = _services(
            settings, store, clock, ids, modems=modems, nudge=crew.dispatcher.nudge, member=member, traces=traces
        )
        await services.tokens.load()
        secret = await _cli_token(services.tokens, settings, shared=store.engine.shared)
        stack.push_async_callback(crew.stop)
        crew.start()
        member.join(crew, services, modems)
        for modem in modems.values():
            await modem.start()
            stack.push_async_callback(modem.stop)
        stack.push_async_callback(crew.drain)
        url = await stack.enter_async_context(_http(services, settings, sockets))
        lock.publish(url)
        member.tell_url(url)
        yield Gateway(services, url, secret, crew.failed)


@asynccontextmanager
async def offline_services(settings: Settings, clock: Clock | None = None) -> AsyncGenerator[Services]:
    """The services on the store alone, for commands that write while no daemon runs.

    Raises `StoreInUse` while a daemon holds the store.
    """
    clock = clock or SystemClock()
    async with _held_store(settings) as (_, store):
        services = _services(settings, store, clock, IdSource(clock), modems={}, nudge=lambda _earliest_us=None: None)
        await services.tokens.load()
        yield services


async def serve(settings: Settings, *, ready: Callable[[str], None], clock: Clock | None = None) -> bool:
    """Run until SIGTERM or SIGINT; False when a task died and the gateway ended because of it.

    A second signal does not wait for submits in flight; what becomes of them is then uncertain at the next start.
    """
    ports = DescriptorStore.of_process(os.environ)
    _allow_descriptors()
    _leave_no_core()
    _spare_what_stays()
    asked = asyncio.Event()
    main = asyncio.current_task()
    assert main is not None
    with _signals(asked, main):
        try:
            async with running_gateway(settings, clock, ports) as gateway:
                _spare_what_stays()
                ready(gateway.url)
                failed = await _first_of(asked, gateway.failed)
                log.info("stopping", extra={"action": "stopping"})
        except asyncio.CancelledError:
            if not asked.is_set():
                raise
            log.warning("stopped without draining", extra={"action": "stopped_hard"})
            return True
    return not failed


async def _forget_counts(store: Store, settings: Settings) -> None:
    """A SIM whose limits were taken away is not counted any more: should they come back, the attempts are counted."""
    limited = [name for name, modem in settings.modems.items() if modem.limits]
    await store.write(lambda connection: sim_counts.forget_others(connection, settings.gateway.node, limited))


def _allow_descriptors() -> None:
    """As many open connections as the system lets this process have: the usual soft limit is made for shells."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _leave_no_core() -> None:
    """A dump of this process would hold PINs, tokens and texts. `ulimit -c` of a developer's shell is not obeyed."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _spare_what_stays() -> None:
    """What lives as long as the process is not looked through for garbage again and again.

    A full look at all modules and tables takes 0.2 s on a fast machine, in which no modem is answered. More between two
    looks at what is new: a request leaves little behind that counting references does not find.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


def _services(
    settings: Settings,
    store: Store,
    clock: Clock,
    ids: IdSource,
    *,
    modems: Mapping[str, ModemSupervisor],
    nudge: Nudge,
    member: Membership | None = None,
    traces: Traces | None = None,
) -> Services:
    simulators = {name: modem.simulator for name, modem in modems.items() if modem.simulator is not None}
    fleet = Fleet(modems, simulators)
    gateway = settings.gateway
    intake = Intake(settings, store, clock, ids, member and member.elsewhere)
    return Services(
        messages=Messages(store, clock, intake, nudge, settings=settings),
        inbox=Inbox(store, gateway.country),
        optouts=OptOuts(store, clock, settings),
        modems=Modems(store, clock, fleet, settings),
        queue=Queue(store, clock, nudge, settings.categories),
        tokens=Tokens(store, clock, settings.categories),
        health=Health(store, fleet, lambda: member.differing if member else ()),
        traces=traces or Traces(clock, settings),
    )


def _expect_answers(
    waited: Sequence[AnyRow], modems: Mapping[str, ModemSupervisor], opened: Mapping[str, WireJournal], clock: Clock
) -> None:
    """Let the modems hear the answers that may still come out of ports which the process before left open."""
    for mark in waited:
        age = (clock.now_us() - mark.marked_us) / SECOND_US
        watch = SubmitWatch(opened[mark.modem], clock, mark.id, 0)
        modems[mark.modem].expect_answer(watch, bytes(mark.octets), age)


@contextmanager
def _opened(
    journals: Journals, modems: Collection[str], answerable: Collection[str]
) -> Generator[dict[str, WireJournal]]:
    """The journal of each modem. What the last process left in them must have been read; in those of `answerable` it
    stays."""
    with ExitStack() as stack:
        try:
            opened = {name: (journals.go_on if name in answerable else journals.open)(name) for name in modems}
        except OSError as error:
            raise StoreUnusable(f"the wire journal cannot be opened: {error.strerror}: {error.filename}") from None
        for journal in opened.values():
            stack.callback(journal.close)
        yield opened


def _drop_stale(ports: DescriptorStore, modems: Mapping[str, ModemConfig]) -> None:
    """Close what was left open and is no port of ours any more: unplugged, another device, another configuration."""
    for name in ports.names:
        descriptor = ports.peek(name)
        if descriptor is None or (name in modems and is_still_port(descriptor, modems[name].port)):
            continue
        ports.take(name)
        let_go(descriptor)
        ports.forget(name)


@asynccontextmanager
async def _held_store(settings: Settings) -> AsyncGenerator[tuple[StoreLock, Store]]:
    """The store, opened under its lock."""
    folder = settings.gateway.state_dir
    try:
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(f"the state directory {folder} cannot be made: {error.strerror}") from None
    beside = folder if settings.store.path is None else settings.store.path.parent
    lock, beside_lock = StoreLock(folder), StoreLock(beside)
    lock.acquire()
    try:
        # A file may lie elsewhere than the state; it too has one holder.
        if beside.resolve() != folder.resolve():
            beside_lock.acquire()
        store = await asyncio.to_thread(open_configured, settings)
        try:
            yield lock, store
        finally:
            await store.close()
    finally:
        beside_lock.release()
        lock.release()


def _cli_name(node: str) -> str:
    """Each host has a token of its own: one that another makes anew must not end this one's."""
    name = f"{_CLI_NAME}.{node}"
    return name if len(name) <= MAX_NAME else f"{_CLI_NAME}.{hashlib.sha256(node.encode()).hexdigest()}"[:MAX_NAME]


async def _cli_token(tokens: Tokens, settings: Settings, *, shared: bool) -> str:
    """The token of this machine's command line, made at the first start and whenever its file is gone."""
    path = settings.gateway.state_dir / CLI_TOKEN
    known = await asyncio.to_thread(_read_secret, path)
    if known is not None and tokens.knows(known):
        return known
    name = _cli_name(settings.gateway.node) if shared else _CLI_NAME
    new = NewToken(name, ("admin",))
    try:
        _, secret = await tokens.create(None, new)
    except Conflict:
        await tokens.revoke(None, name)
        _, secret = await tokens.create(None, new)
    await asyncio.to_thread(write_secret, path, secret.encode() + b"\n")
    return secret


def _read_secret(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


@contextmanager
def _bound(settings: Settings) -> Generator[list[socket.socket]]:
    """A socket for every listen address, bound and not yet listening: what cannot be had is known before all else."""
    sockets: list[socket.socket] = []
    try:
        for address in settings.api.listen:
            try:
                sockets.append(_bind(address))
            except OSError as error:
                where = f"{address.host}:{address.port}"
                raise AddressInUse(f"cannot listen on {where}: {error.strerror or error}") from error
        yield sockets
    finally:
        for each in sockets:
            each.close()


def _bind(address: ListenAddress) -> socket.socket:
    family, kind, protocol, _, where = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    try:
        # A restart must not wait for connections of the one before to be forgotten.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(where)
    except OSError:
        made.close()
        raise
    return made


@asynccontextmanager
async def _http(services: Services, settings: Settings, sockets: Sequence[socket.socket]) -> AsyncGenerator[str]:
    """The HTTP interface; yields the first address as a URL."""
    app = create_app(services, settings.api)
    runner = ApiRunner(app, access_log=None, shutdown_timeout=_HTTP_PATIENCE_S, handle_signals=False)
    await runner.setup()
    try:
        for each in sockets:
            await web.SockSite(runner, each, backlog=_BACKLOG).start()
        host, port = sockets[0].getsockname()[:2]
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class _signals:  # noqa: N801 - used as a statement
    """SIGINT and SIGTERM set `asked`; a second one cancels `main`. SIGHUP is told and changes nothing."""

    def __init__(self, asked: asyncio.Event, main: asyncio.Task[object]) -> None:
        self._asked = asked
        self._main = main
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._handle)
        # Its default would end the gateway in the middle of a submit, when a terminal is closed for instance.
        self._loop.add_signal_handler(signal.SIGHUP, _decline_reload)

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._loop.remove_signal_handler(number)

    def _handle(self) -> None:
        if self._asked.is_set():
            self._main.cancel()
        self._asked.set()


def _decline_reload() -> None:
    log.warning("reload is not supported by this version: restart to change the configuration")


async def _first_of(asked: asyncio.Event, failed: asyncio.Event) -> bool:
    """Wait for either; True when it was `failed`."""
    waits = [asyncio.ensure_future(each.wait()) for each in (asked, failed)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return failed.is_set()
