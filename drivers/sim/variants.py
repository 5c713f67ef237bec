"""Models that differ from their family in what clients stumble over. They are played by name like a family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from drivers.at.equipment_grammar import Form
from drivers.sim.profile import Asked, Calls, Routing, SimProfile, Storages, own_commands, ranges
from drivers.sim.profiles import CINTERION, GENERIC, SIM_PROFILES, SIMCOM

# SIMCom's later modules, with Qualcomm's or ASR's firmware, share their start and their names for the SIM's numbers.
_SIM7600 = replace(
    SIMCOM,
    name="sim7600",
    manufacturer="SIMCOM INCORPORATED",
    model="SIMCOM_SIM7600E",
    revision="+CGMR: LE11B14SIM7600M22",
    identification=(
        "Manufacturer: SIMCOM INCORPORATED",
        "Model: SIMCOM_SIM7600E",
        "Revision: SIM7600M22_V2.0",
        "IMEI: {imei}",
        "+GCAP: +CGSM",
    ),
    boot=("RDY",),
    ready=("+CPIN: READY", "SMS DONE", "PB DONE"),
    chatter=("+CSQ: 21,99", "+CNSMOD: 8"),
    sim_in=("+CPIN: READY", "SMS DONE", "PB DONE"),
    sim_needs_radio=False,
    storages=Storages(
        sizes={"SM": 50, "ME": 23, "SR": 20},
        first_index=0,
        known=(("ME", "MT", "SM", "SR"),) * 3,
        first=("ME", "ME", "ME"),
    ),
    routing=Routing("(0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)", ranges("012", "0123", "02", "012", "01")),
    asked=own_commands(
        Asked("+CICCID", Form.EXECUTE, ("+ICCID: {iccid}",)),
        Asked("+SPIC", Form.EXECUTE, ("+SPIC: {pin},{puk},3,10",)),
    ),
    resets=("+CRESET", "+CFUN=1,1"),
    port_leaves=True,
    calls=Calls(
        caller='+CLIP: "{number}",{type},,,,0', lost=("VOICE CALL: END: 000000", "MISSED_CALL: 10:00AM {number}")
    ),
)

_ALL = (
    _SIM7600,
    replace(
        _SIM7600,
        name="a7670",
        model="A7670E-FASE",
        revision="A7670M7_V1.11.1",
        identification=("Manufacturer: SIMCOM INCORPORATED", "Model: A7670E-FASE", "Revision: A7670M7_V1.11.1"),
        routing=Routing(
            "(0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)",
            ranges("012", "0123", "02", "012", "01"),
            refused=frozenset({(2, 2, 0, 1, 0)}),
        ),
    ),
    # Told of a message that it has no room for, it names neither storage nor slot; the message stays with the network.
    replace(
        _SIM7600,
        name="sim7000",
        model="SIMCOM_SIM7000G",
        revision="Revision:1529B07SIM7000G",
        identification=("SIM7000G R1529",),
        boot=("RDY", "+CFUN: 1"),
        ready=("+CPIN: READY", "SMS Ready"),
        storages=Storages(sizes={"SM": 20, "ME": 0}, known=(("SM", "ME"),) * 3, reports="", full=("+CMTI: ,-1",)),
        port_leaves=False,
    ),
    replace(
        CINTERION,
        name="tc35",
        manufacturer="SIEMENS",
        model="TC35",
        revision="REVISION 04.00",
        identification=("SIEMENS", "TC35", "REVISION 04.00"),
        chatter=(),
        storages=replace(
            CINTERION.storages, sizes={"SM": 20}, known=(("SM",),) * 3, first=("SM", "SM", "SM"), values=1
        ),
        deletes_by_flag=False,
    ),
    # Of the family with a chip of MediaTek; the radio is off until it is switched on.
    replace(
        GENERIC,
        name="dwm157",
        manufacturer="MediaTek Inc",
        model="DWM-157",
        revision="MOLY.WR8",
        identification=("D-Link,DWM-157,MOLY.WR8",),
        functionality=4,
    ),
)

VARIANTS: Mapping[str, SimProfile] = MappingProxyType({profile.name: profile for profile in _ALL})


def profile_named(name: str) -> SimProfile:
    """A family or a variant; ValueError for any other name."""
    profile = SIM_PROFILES.get(name) or VARIANTS.get(name)
    if profile is None:
        known = ", ".join((*SIM_PROFILES, *VARIANTS))
        raise ValueError(f"{name!r} is no modem that can be played: {known}")
    return profile
