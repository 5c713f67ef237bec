"""Imports of contacts: what was asked for, how far each has come, and the rows that were not taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Integer, bindparam, delete, insert, select, update

from gateway.store.prepared import Prepared
from gateway.store.schema import AnyRow, contact_import, import_rejection

RUNNING, FINISHED, FAILED = "running", "finished", "failed"

_i = contact_import.c
_r = import_rejection.c
_get = Prepared(select(contact_import).where(_i.id == bindparam("which")))
_step = Prepared(
    update(contact_import)
    .where(_i.id == bindparam("which"), _i.lines == bindparam("old_lines"), _i.status == RUNNING)
    .values(
        lines=bindparam("new_lines", type_=Integer),
        added=_i.added + bindparam("more_added", type_=Integer),
        changed=_i.changed + bindparam("more_changed", type_=Integer),
        rejected=_i.rejected + bindparam("more_rejected", type_=Integer),
        consents=_i.consents + bindparam("more_consents", type_=Integer),
        withheld=_i.withheld + bindparam("more_withheld", type_=Integer),
        updated_us=bindparam("now_us"),
    )
)
_reject = Prepared(
    insert(import_rejection).values(
        import_id=bindparam("which"), line=bindparam("number"), code=bindparam("word"), reason=bindparam("sentence")
    )
)


@dataclass(slots=True)
class Step:
    """What one group of rows came to: from which line on, up to which, and how many of each."""

    before: int
    after: int
    added: int = 0
    changed: int = 0
    rejected: int = 0
    consents: int = 0
    withheld: int = 0


def add(
    connection: Connection, import_id: str, wanted: str, fingerprint: str, now_us: int, *, token_id: int | None
) -> None:
    """A new one, which runs."""
    connection.execute(
        insert(contact_import).values(
            id=import_id,
            token_id=token_id,
            status=RUNNING,
            wanted=wanted,
            fingerprint=fingerprint,
            created_us=now_us,
            updated_us=now_us,
        )
    )


def get(connection: Connection, import_id: str) -> AnyRow | None:
    """One of them."""
    return _get.first(connection, which=import_id)


def unfinished(connection: Connection, fingerprint: str) -> AnyRow | None:
    """The one of this file and these wishes that runs, or was broken off."""
    query = select(contact_import).where(_i.fingerprint == fingerprint, _i.status == RUNNING)
    return connection.execute(query.order_by(_i.id.desc()).limit(1)).first()


def running(connection: Connection) -> Sequence[AnyRow]:
    """All that run or were broken off, the oldest first."""
    return connection.execute(select(contact_import).where(_i.status == RUNNING).order_by(_i.id)).all()


def page(connection: Connection, *, limit: int, before: str | None) -> tuple[Sequence[AnyRow], str | None]:
    """Imports, newest first, and the cursor behind them."""
    query = select(contact_import).order_by(_i.id.desc()).limit(limit + 1)
    rows = connection.execute(query if before is None else query.where(_i.id < before)).all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def rejections(
    connection: Connection, import_id: str, *, limit: int, after: int
) -> tuple[Sequence[AnyRow], str | None]:
    """Rows that were not taken, in the order of the file, and the cursor behind them."""
    query = select(_r.line, _r.code, _r.reason).where(_r.import_id == import_id, _r.line > after)
    rows = connection.execute(query.order_by(_r.line).limit(limit + 1)).all()
    return rows[:limit], str(rows[limit - 1].line) if len(rows) > limit else None


def step(connection: Connection, import_id: str, step: Step, now_us: int) -> bool:
    """Go on; False if it stands elsewhere by now: another host works at it, or it was ended."""
    return bool(
        _step.change(
            connection,
            which=import_id,
            old_lines=step.before,
            new_lines=step.after,
            more_added=step.added,
            more_changed=step.changed,
            more_rejected=step.rejected,
            more_consents=step.consents,
            more_withheld=step.withheld,
            now_us=now_us,
        )
    )


def reject(connection: Connection, import_id: str, rows: Iterable[tuple[int, str, str]]) -> None:
    """Write down rows that are not taken: line, word, sentence."""
    values = [{"which": import_id, "number": line, "word": word, "sentence": said} for line, word, said in rows]
    if values:
        _reject.write_many(connection, values)


def surveyed(connection: Connection, import_id: str, wanted: str, total: int, now_us: int) -> None:
    """Its columns are known, and how many lines it has."""
    values = {"wanted": wanted, "total": total, "updated_us": now_us}
    connection.execute(update(contact_import).where(_i.id == import_id).values(**values))


def end(connection: Connection, import_id: str, now_us: int, problem: str | None = None) -> None:
    """It is finished, or failed of this problem."""
    status = FINISHED if problem is None else FAILED
    values = {"status": status, "problem": problem, "updated_us": now_us}
    connection.execute(update(contact_import).where(_i.id == import_id, _i.status == RUNNING).values(**values))


def forget_before(connection: Connection, before_us: int, most: int) -> int:
    """Forget imports that ended before this instant, with their rejections; at most so many; how many."""
    query = select(_i.id).where(_i.status != RUNNING, _i.updated_us < before_us).limit(most)
    ids = connection.execute(query).scalars().all()
    if ids:
        connection.execute(delete(import_rejection).where(_r.import_id.in_(ids)))
        connection.execute(delete(contact_import).where(_i.id.in_(ids)))
    return len(ids)
