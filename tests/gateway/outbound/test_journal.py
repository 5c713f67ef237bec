"""The wire journal: what it says, what it never says, and that a damaged one is no evidence of anything (P07)."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from support.clock import ManualClock

from drivers.errors import ModemNotReady
from drivers.events import WireStage
from gateway.clock import SECOND_US, boot_id
from gateway.outbound.journal import FOLDER, SIZE, Journals, Trace, WireJournal
from gateway.outbound.watch import SubmitWatch

BOOT = "6c2d1f3e-0000-4000-8000-000000000000"


@pytest.fixture
def journals(tmp_path: Path) -> Journals:
    return Journals(tmp_path, "test-1", BOOT)


def path_in(folder: Path) -> Path:
    return folder / FOLDER / "sim1.wire"


def ended(journals: Journals) -> WireJournal:
    journal = journals.open("sim1")
    journal.begin(7, 1)
    journal.end_next(2)
    return journal


def test_a_journal_tells_how_far_a_submit_came(journals: Journals) -> None:
    assert journals.trace("sim1") is None
    journal = journals.open("sim1")
    assert journals.trace("sim1") == Trace(journal.id, None, ended=False, lines=())
    journal.begin(7, 1)
    assert journals.trace("sim1") == Trace(journal.id, 7, ended=False, lines=())
    journal.end_next(2)
    assert journals.trace("sim1") == Trace(journal.id, 7, ended=True, lines=())
    journal.answered("+CMGS: 5")
    journal.answered("OK")
    assert journals.trace("sim1") == Trace(journal.id, 7, ended=True, lines=("+CMGS: 5", "OK"))
    journal.begin(8, 3)
    assert journals.trace("sim1") == Trace(journal.id, 8, ended=False, lines=())
    journal.close()


def test_another_opening_is_another_journal(journals: Journals) -> None:
    first = ended(journals)
    first.close()
    second = journals.open("sim1")
    assert second.id != first.id
    assert journals.trace("sim1") == Trace(second.id, None, ended=False, lines=())
    second.close()


def test_lines_that_are_no_outcome_are_left_out(journals: Journals, tmp_path: Path) -> None:
    journal = ended(journals)
    journal.answered('+CMT: "+33639980142",,"26/01/05,10:00:00+04"')
    journal.answered("07913336990800F0040B913336998041F2")
    journal.close()
    content = path_in(tmp_path).read_bytes()
    assert b"+CMT" not in content
    assert b"0791" not in content
    found = journals.trace("sim1")
    assert found is not None
    assert found.lines == ()


def test_the_file_is_its_owners_and_never_grows(journals: Journals, tmp_path: Path) -> None:
    journal = journals.open("sim1")
    for attempt in range(1, 200):
        journal.begin(attempt, attempt)
        journal.end_next(attempt)
        journal.answered("+CMGS: 5")
    assert path_in(tmp_path).stat().st_size == SIZE
    assert stat.S_IMODE(path_in(tmp_path).stat().st_mode) == 0o600
    with pytest.raises(OSError, match="full"):
        list(map(journal.answered, ["OK"] * SIZE))
    found = journals.trace("sim1")
    assert found is not None
    assert found.attempt_id == 199
    journal.close()


@pytest.mark.parametrize("size", [0, 1, 40, *range(100, 330, 7), SIZE - 1])
def test_cut_anywhere_it_says_nothing(journals: Journals, tmp_path: Path, size: int) -> None:
    ended(journals).close()
    whole = path_in(tmp_path).read_bytes()
    path_in(tmp_path).write_bytes(whole[:size])
    assert journals.trace("sim1") is None
    # As a file system may leave it: the size is there, the end is not.
    torn = whole[:size].ljust(SIZE, b"\0")
    path_in(tmp_path).write_bytes(torn)
    found = journals.trace("sim1")
    assert found is None or torn[:size].rstrip(b"\0").endswith(b"\n")


@pytest.mark.parametrize("spoilt", [b"{", b"[1]\n", b"\n", b"\xff\xfe\n", b'{"attempt":"x"}\n'])
def test_what_cannot_be_read_says_nothing(journals: Journals, tmp_path: Path, spoilt: bytes) -> None:
    journals.open("sim1").close()
    whole = path_in(tmp_path).read_bytes()
    path_in(tmp_path).write_bytes((whole.rstrip(b"\0") + spoilt).ljust(SIZE, b"\0"))
    assert journals.trace("sim1") is None
    path_in(tmp_path).write_bytes((spoilt + whole)[:SIZE])
    assert journals.trace("sim1") is None
    path_in(tmp_path).write_bytes(whole + b"\0")
    assert journals.trace("sim1") is None
    path_in(tmp_path).write_bytes(b"\0" * SIZE)
    assert journals.trace("sim1") is None


def test_of_another_boot_or_modem_it_says_nothing(journals: Journals, tmp_path: Path) -> None:
    ended(journals).close()
    assert Journals(tmp_path, "test-1", "another").trace("sim1") is None
    path_in(tmp_path).rename(path_in(tmp_path).with_name("sim2.wire"))
    assert journals.trace("sim2") is None
    assert journals.trace("sim1") is None


def test_where_the_boot_is_not_known_nothing_is_proved(tmp_path: Path) -> None:
    journals = Journals(tmp_path, "test-1", None)
    ended(journals).close()
    assert journals.trace("sim1") is None


def test_the_kernel_names_this_boot() -> None:
    assert boot_id() == boot_id()
    assert boot_id() is None or len(boot_id() or "") == 36


def test_a_link_in_its_place_is_not_followed(journals: Journals, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    path_in(tmp_path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        journals.open("sim1")


# --- the watch over one submit


@pytest.mark.parametrize(("waited_s", "late"), [(0, False), (5, False), (5.001, True), (3 * 3600, True)])
def test_a_mark_that_has_grown_old_is_taken_back(
    journals: Journals, waited_s: float, late: bool, tell: Callable[[str], None]
) -> None:
    clock, journal = ManualClock(), journals.open("sim1")
    watch = SubmitWatch(journal, clock, 7, clock.boottime_us())
    watch.begin()
    watch.on_wire(WireStage.PROMPTED)
    clock.sleep_us(round(waited_s * SECOND_US))
    if late:
        with pytest.raises(ModemNotReady, match="too old"):
            watch.on_wire(WireStage.TYPED)
    else:
        watch.on_wire(WireStage.TYPED)
    assert journals.trace("sim1") == Trace(journal.id, 7, ended=not late, lines=())
    journal.close()
    tell("T06: the machine sleeps up to 3 h between a mark and Ctrl-Z: stale Ctrl-Z 0")


def test_nothing_leaves_that_cannot_be_written_down(journals: Journals) -> None:
    clock, journal = ManualClock(), journals.open("sim1")
    watch = SubmitWatch(journal, clock, 7, clock.boottime_us())
    journal.close()
    for step in (watch.begin, lambda: watch.on_wire(WireStage.TYPED)):
        with pytest.raises(ModemNotReady, match="journal"):
            step()
    # An answer that cannot be written is missing evidence, and no reason to lose the answer itself.
    watch.on_line("+CMGS: 5")
