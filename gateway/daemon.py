"""The composition root: the one module that sees all three packages. Builds, starts in order, stops in reverse.

Start: addresses → state directory → lock → store → what a crash left → tokens → modems → tasks → HTTP → `ready`.
Stop: HTTP takes nothing new → submits in flight are finished and written → modems → tasks → store → lock.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from drivers.catalogue import is_still_port, let_go
from drivers.gsm.supervisor import ModemSupervisor
from gateway.certificate import Certificate
from gateway.clock import SECOND_US, Clock, SystemClock, boot_id
from gateway.config.settings import ModemConfig, Settings, TlsFiles
from gateway.config.test_network import with_test_network
from gateway.crew import Crew
from gateway.descriptors import DescriptorStore
from gateway.errors import StoreInUse
from gateway.fleet import fleet
from gateway.front import Certificates, front
from gateway.ids import IdSource
from gateway.listening import bound
from gateway.membership import membership
from gateway.outbound.clock_guard import ClockGuard
from gateway.outbound.gate import Gate
from gateway.outbound.journal import Journals, WireJournal
from gateway.outbound.recovery import answerable, recover
from gateway.outbound.watch import SubmitWatch
from gateway.rules.traffic import Ceilings
from gateway.services import Services
from gateway.services.cli_token import cli_token
from gateway.services.traces import recording
from gateway.store import sim_counts, traffic
from gateway.store.database import Store
from gateway.store.opening import LOCK_NAME, StoreLock, StoreUnusable, holder_of, open_configured
from gateway.store.schema import AnyRow
from gateway.wiring import begin, run_beside, services_of, start_modems

log = logging.getLogger(__name__)

_BACKLOG = 1024
_NEW_OBJECTS = 5000
# What is being answered when the gateway stops may finish.
_HTTP_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs: its services, the address of its HTTP interface, the command line's token."""

    services: Services
    url: str
    admin_token: str
    failed: asyncio.Event
    #: What SIGHUP asks for.
    reload: Callable[[], None]
    #: The first address where links are followed; None where nobody listens to that.
    links_url: str | None = None


@asynccontextmanager
async def running_gateway(
    settings: Settings, clock: Clock | None = None, ports: DescriptorStore | None = None
) -> AsyncGenerator[Gateway]:
    """Start everything, and stop it in reverse order at the end. `ports` were left open by the process before."""
    settings = with_test_network(settings)
    clock, ports = _guarded(clock, settings), ports or DescriptorStore(None, {})
    ids, gate = IdSource(clock), Gate(settings, clock)
    async with AsyncExitStack() as stack:
        if await asyncio.to_thread(holder_of, settings.gateway.state_dir) is not None:
            raise StoreInUse(f"another process holds {settings.gateway.state_dir / LOCK_NAME}")
        sockets = stack.enter_context(bound(settings.addresses))
        lock, store = await stack.enter_async_context(_held_store(settings))
        await clock.begin(store)
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
        shown, nudge = _shown(settings, modems), crew.dispatcher.nudge
        services = services_of(settings, store, clock, ids, modems=shown, nudge=nudge, member=member, traces=traces)
        await begin(services, stack)
        secret = await cli_token(services.tokens, settings, shared=store.engine.shared)
        stack.push_async_callback(crew.stop)
        crew.start()
        run_beside(crew, clock, services)
        member.join(crew, services, shown)
        await start_modems(modems, shown, services.tokens, stack)
        stack.push_async_callback(crew.drain)
        certificates = _certificates(settings, crew, clock)
        url, links_url = await stack.enter_async_context(front(services, settings, sockets, certificates))
        lock.publish(url)
        member.tell_url(url)
        yield Gateway(services, url, secret, crew.failed, partial(_reload, *certificates), links_url)


def _shown(settings: Settings, modems: Mapping[str, ModemSupervisor]) -> dict[str, ModemSupervisor]:
    return {name: modem for name, modem in modems.items() if not settings.modems[name].built_in}


@asynccontextmanager
async def offline_services(settings: Settings, clock: Clock | None = None) -> AsyncGenerator[Services]:
    """The services on the store alone, for commands that write while no daemon runs.

    Raises `StoreInUse` while a daemon holds the store.
    """
    settings = with_test_network(settings)
    guard = _guarded(clock, settings)
    async with _held_store(settings) as (_, store):
        await guard.begin(store)
        services = services_of(settings, store, guard, IdSource(guard), modems={}, nudge=lambda _earliest_us=None: None)
        await services.tokens.load()
        try:
            yield services
        finally:
            await services.segments.close()


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
    with _signals(asked, main) as signals:
        try:
            async with running_gateway(settings, clock, ports) as gateway:
                _spare_what_stays()
                signals.on_hangup = gateway.reload
                ready(gateway.url)
                failed = await _first_of(asked, gateway.failed)
                log.info("stopping", extra={"action": "stopping"})
        except asyncio.CancelledError:
            if not asked.is_set():
                raise
            log.warning("stopped without draining", extra={"action": "stopped_hard"})
            return True
    return not failed


def _guarded(clock: Clock | None, settings: Settings) -> ClockGuard:
    return ClockGuard(clock or SystemClock(), settings.gateway.node, settings.categories)


async def _forget_counts(store: Store, settings: Settings) -> None:
    """What has no limit or cap any more is not counted: should that come back, the attempts are counted."""
    limited = [name for name, modem in settings.modems.items() if modem.limits]
    await store.write(lambda connection: sim_counts.forget_others(connection, settings.gateway.node, limited))
    await store.write(lambda connection: traffic.forget_uncapped(connection, Ceilings(settings.traffic).names()))


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


def _certificates(settings: Settings, crew: Crew, clock: Clock) -> Certificates:
    """That of the interface, and that of links."""
    return (
        _certificate("certificate", settings.api.tls, crew, clock),
        _certificate("certificate of links", settings.links.tls, crew, clock),
    )


def _certificate(name: str, files: TlsFiles | None, crew: Crew, clock: Clock) -> Certificate | None:
    """What an interface shows of itself, followed from now on; None where it speaks plain HTTP."""
    certificate = Certificate(files) if files else None
    if certificate:
        crew.also(name, certificate.follow(clock))
    return certificate


class _signals:  # noqa: N801 - used as a statement
    """SIGINT and SIGTERM set `asked`; a second one cancels `main`. SIGHUP does what `on_hangup` says."""

    def __init__(self, asked: asyncio.Event, main: asyncio.Task[object]) -> None:
        self._asked = asked
        self._main = main
        self._loop = asyncio.get_running_loop()
        self.on_hangup: Callable[[], None] = _reload

    def __enter__(self) -> _signals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._handle)
        # Its default would end the gateway in the middle of a submit, when a terminal is closed for instance.
        self._loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._loop.remove_signal_handler(number)

    def _hang_up(self) -> None:
        self.on_hangup()

    def _handle(self) -> None:
        if self._asked.is_set():
            self._main.cancel()
        self._asked.set()


def _reload(*certificates: Certificate | None) -> None:
    for certificate in certificates:
        if certificate:
            certificate.ask()
    log.warning("reload of the configuration is not supported by this version: restart to change it")


async def _first_of(asked: asyncio.Event, failed: asyncio.Event) -> bool:
    """Wait for either; True when it was `failed`."""
    waits = [asyncio.ensure_future(each.wait()) for each in (asked, failed)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return failed.is_set()
