"""Stacks in the cloud with our mark that no row stands for: adopted where that is certain, else kept for a person."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app import db
from app.aws.clients import Place
from app.aws.cloudformation import StackState
from app.aws.errors import CloudProblem
from app.logs import log
from app.stacks import adopting
from app.stacks.adopting import NotAdoptable
from app.stacks.case import MARK
from app.stacks.cloud import place_name
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Orphan, Stack

# Somebody may have loaded the missing team or version meanwhile.
TRY_AGAIN = timedelta(hours=1)
# A deletion that ended this lately may still be listed as it stood before.
LAG = timedelta(minutes=2)


class Known(NamedTuple):
    """The row whose ref a found stack carries, though the stack is not the row's."""

    ref: str
    name: str
    cloud_name: str
    status: StackStatus
    deleted_at: datetime | None


def note(cloud: Any, place: Place, strange: Sequence[StackState], began: datetime) -> None:
    """Take over what can be, write down what cannot, and settle what is no longer there or no longer strange.

    `strange`: what a whole listing of the place, begun at `began`, holds and no row of the place stands for.
    """
    name = place_name(place.account, place.region)
    before = {orphan.cloud_id: orphan for orphan in db.session.scalars(select(Orphan).where(Orphan.place == name))}
    rows = _rows_of({state.tags[MARK] for state in strange})
    db.release()
    seen = []
    for state in strange:
        row = rows.get(state.tags[MARK])
        if row is not None and row.deleted_at is not None and row.deleted_at > began - LAG:
            continue
        seen.append(state.cloud_id)
        if row is not None:
            _keep(name, state, _why_not(row, state))
        elif _is_due(before.get(state.cloud_id), state, began):
            _try(cloud, place, state)
        else:
            _keep(name, state)
    _settle_others(name, seen)


def _rows_of(refs: Collection[str]) -> dict[str, Known]:
    query = select(Stack.ref, Stack.name, Stack.cloud_name, Stack.status, Stack.deleted_at).where(Stack.ref.in_(refs))
    return {row.ref: Known(*row) for row in db.session.execute(query)}


def _why_not(row: Known, state: StackState) -> str:
    if state.name != row.cloud_name:
        return f"It carries the mark of {row.ref}, which is another stack ({row.cloud_name}): somebody copied the tags."
    if row.status is StackStatus.DELETED:
        return f"Slipway believes {row.name} ({row.ref}) deleted, and it is there."
    return f"{row.name} ({row.ref}) belongs into another account or region: somebody copied it here."


def _is_due(orphan: Orphan | None, state: StackState, began: datetime) -> bool:
    """Say whether to try now: it is new, has moved, or was tried long ago. Trying costs calls."""
    if orphan is None or orphan.tried_at is None or orphan.settled_at is not None:
        return True
    return orphan.status != state.status or orphan.tried_at < began - TRY_AGAIN


def _try(cloud: Any, place: Place, state: StackState) -> None:
    name = place_name(place.account, place.region)
    try:
        adopting.adopt(cloud, place, state)
    except (NotAdoptable, CloudProblem) as problem:
        db.session.rollback()
        _keep(name, state, problem.sentence, is_tried=True)
    except IntegrityError:
        # Another worker has just taken it over.
        db.session.rollback()
    else:
        _settle(Orphan.cloud_id == state.cloud_id, "adopted")


def _keep(place: str, state: StackState, reason: str | None = None, *, is_tried: bool = False) -> None:
    """Write down that it is there; without a reason the one given before holds."""
    values: dict[str, Any] = {"status": state.status, "tags": state.tags, "last_seen_at": db.now(), "settled_at": None}
    values |= {"settled_as": ""}
    values |= {"reason": reason[:500]} if reason is not None else {}
    values |= {"tried_at": db.now()} if is_tried else {}
    known = update(Orphan).where(Orphan.cloud_id == state.cloud_id).values(**values)
    if db.count_changed(db.session.execute(known)) == 0:
        kept = {"place": place, "cloud_id": state.cloud_id, "name": state.name, "ref": state.tags[MARK][:300]}
        db.session.add(Orphan(**kept, **{"reason": ""} | values, first_seen_at=db.now()))
        log.warning("orphan_found", place=place, cloud_id=state.cloud_id, reason=reason)
    db.session.commit()


def _settle_others(place: str, seen: Collection[str]) -> None:
    """What a whole listing does not hold any more, or what a row stands for by now, is no orphan."""
    _settle((Orphan.place == place) & Orphan.cloud_id.not_in(seen), "gone or known")


def _settle(which: Any, settled_as: str) -> None:
    query = update(Orphan).where(which, Orphan.settled_at.is_(None))
    values = query.values(settled_at=db.now(), settled_as=settled_as)
    db.session.execute(values, execution_options={"synchronize_session": False})
    db.session.commit()


def count_orphans() -> int:
    """Return how many stacks lie in the cloud that nobody knows."""
    query = select(func.count()).select_from(Orphan).where(Orphan.settled_at.is_(None))
    return db.session.scalar(query) or 0


def list_orphans(most: int = 200) -> list[Orphan]:
    """Return the orphans that are not settled, those found first first."""
    query = select(Orphan).where(Orphan.settled_at.is_(None)).order_by(Orphan.id).limit(most)
    return list(db.session.scalars(query))
