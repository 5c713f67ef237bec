"""The modems of this host, made from the configuration and from what the store keeps of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from drivers.catalogue import ModemSettings, build_modem
from drivers.gsm.supervisor import ModemSupervisor
from gateway.clock import Clock
from gateway.config.settings import ModemConfig, Settings
from gateway.config.test_network import RECIPIENTS
from gateway.descriptors import DescriptorStore
from gateway.services.pins import Pins
from gateway.services.traces import Traces
from gateway.store import modem_pauses
from gateway.store.database import Store


@asynccontextmanager
async def fleet(
    settings: Settings, store: Store, clock: Clock, ports: DescriptorStore, traces: Traces
) -> AsyncGenerator[dict[str, ModemSupervisor]]:
    """Every configured modem by name, to be started and stopped by the caller; what was paused is paused."""
    node = settings.gateway.node
    pins = Pins(store, clock, node)
    modems = {
        name: build_modem(
            _settings_of(modem), ports.port(name), pins, traces.tap(name), RECIPIENTS if modem.built_in else None
        )
        for name, modem in settings.modems.items()
    }
    for row in await store.read(modem_pauses.standing):
        if row.node == node and row.modem in modems:
            modems[row.modem].set_paused(True)
    try:
        yield modems
    finally:
        await pins.close()


def _settings_of(modem: ModemConfig) -> ModemSettings:
    return ModemSettings(
        name=modem.name,
        port=modem.port,
        pin=modem.pin,
        smsc=modem.smsc,
        number=modem.number,
        pin_without_counter=modem.pin_without_counter,
        iccid=modem.iccid,
    )
