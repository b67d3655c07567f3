"""The reconciler: compares what lies in the cloud with what Slipway believes, one place (account and region) at a time.

It looks and writes rows; it never creates, changes or deletes anything in the cloud. A place that cannot be listed to
the end changes nothing: a stack is lost only when the cloud, asked for it by its id, says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import exists, select, update

from app import audit, db
from app.aws import cloudformation as cfn
from app.aws import inventory
from app.aws.clients import Place, client
from app.aws.cloudformation import StackState
from app.aws.errors import CloudProblem
from app.environments.models import Account, Environment
from app.jobs import duties
from app.jobs.chores import Shift
from app.jobs.lifecycle import UNFINISHED
from app.jobs.models import Job
from app.logs import log
from app.stacks import adopting, lifecycle, orphans, sightings
from app.stacks.adopting import Found, NotAdoptable
from app.stacks.case import MARK
from app.stacks.cloud import place_name
from app.stacks.lifecycle import MEANINGS, StackStatus
from app.stacks.models import Stack

SESSION = "slipway-reconcile"
# A listing lags behind: of a stack that a job has seen this lately, the job knows more.
QUIET_SECONDS = 60
# A stack that stands as we noted it is noted as seen no more often than this.
SEEN_SECONDS = 300
GONE = "It is gone from the cloud, and no job of Slipway removed it."


class Row(NamedTuple):
    """What we believe of one stack; `is_busy`: a job on it has not ended, and knows more."""

    id: int
    ref: str
    cloud_name: str
    cloud_id: str | None
    status: StackStatus
    cloud_status: str | None
    observed_at: datetime | None
    is_busy: bool


@dataclass(frozen=True)
class Comparison:
    """What a whole listing says about our rows.

    `missing`: not listed, so perhaps gone. `moved`: stands otherwise than we noted. `strange`: no row stands for it.
    """

    missing: Sequence[Row]
    moved: Sequence[tuple[Row, StackState]]
    same: Sequence[Row]
    strange: Sequence[StackState]


def reconcile(shift: Shift) -> None:
    """Compare every place that is due and that no other worker compares."""
    every = current_app.extensions["config"].number("RECONCILE_SECONDS")
    for place in places():
        name = place_name(place.account, place.region)
        held = duties.take(f"reconcile:{name}", shift.worker.name, shift.worker.lease_seconds)
        if held is not None:
            _reconcile_one(place)
            duties.give_back(held, every * 0.9)


def _reconcile_one(place: Place) -> None:
    try:
        reconcile_place(place)
    except Exception as error:  # noqa: BLE001 - a place that breaks must not keep the others from being looked at
        db.session.rollback()
        log.exception("reconcile_failed", place=place_name(place.account, place.region), error=type(error).__name__)


def places() -> list[Place]:
    """Return every account and region that an environment lies in."""
    query = select(Account.number, Account.role_arn, Environment.region).join(
        Environment, Environment.account_id == Account.id
    )
    found = [Place(*row) for row in db.session.execute(query.distinct()).all()]
    db.release()
    return sorted(found, key=lambda place: (place.account, place.region))


def reconcile_place(place: Place) -> None:
    """Compare one place. Calls: the pages of one listing, and one look for each stack that seems gone."""
    name, began = place_name(place.account, place.region), _now()
    try:
        cloud = client("cloudformation", place, SESSION)
        listed = [each for each in inventory.all_stacks(cloud) if MARK in each.tags and not each.root_id]
    except CloudProblem as problem:
        # What was listed so far proves nothing: what is missing from it may be on the next page.
        log.warning("reconcile_blind", place=name, reason=problem.sentence)
        sightings.note_blind(name, problem.sentence)
        return
    # Rows are read after the listing: a row is committed before its stack is asked for, so none is missed.
    found = compare(_rows(place), listed, began - timedelta(seconds=QUIET_SECONDS))
    problems = [_settle(cloud, row) for row in found.missing]
    for row, state in found.moved:
        _note_move(row, state, _look_into(cloud, place, row, state))
    _note_same(found.same)
    orphans.note(cloud, place, found.strange, began)
    sightings.note_seen(name, next((problem for problem in problems if problem), ""))


def _now() -> datetime:
    at = db.session.scalars(select(db.now())).one()
    db.release()
    return at


def _rows(place: Place) -> list[Row]:
    is_busy = exists().where(Job.stack_id == Stack.id, Job.status.in_(UNFINISHED))
    query = (
        select(
            Stack.id, Stack.ref, Stack.cloud_name, Stack.cloud_id, Stack.status, Stack.cloud_status,
            Stack.observed_at, is_busy,
        )
        .join(Environment, Environment.id == Stack.environment_id)
        .join(Account, Account.id == Environment.account_id)
        .where(Account.number == place.account, Environment.region == place.region)
        .where(Stack.status != StackStatus.DELETED)
    )  # fmt: skip
    rows = [Row(*row) for row in db.session.execute(query)]
    db.release()
    return rows


def compare(rows: Sequence[Row], listed: Sequence[StackState], quiet_since: datetime) -> Comparison:
    """Sort a whole listing out against our rows. Rows with a job, or seen since `quiet_since`, are left alone."""
    by_name = {row.cloud_name: row for row in rows}
    states = {state.name: state for state in listed if _is_of(by_name.get(state.name), state)}
    quiet = [row for row in rows if not row.is_busy and (row.observed_at is None or row.observed_at < quiet_since)]
    known = [(row, states[row.cloud_name]) for row in quiet if row.cloud_name in states]
    return Comparison(
        missing=[row for row in quiet if row.cloud_name not in states and _may_be_lost(row)],
        moved=[(row, state) for row, state in known if not _stands_as_noted(row, state)],
        same=[row for row, state in known if _stands_as_noted(row, state)],
        strange=[state for state in listed if state.name not in states],
    )


def _is_of(row: Row | None, state: StackState) -> bool:
    """A copy of our tags on another stack does not make it ours."""
    return row is not None and row.ref == state.tags[MARK]


def _may_be_lost(row: Row) -> bool:
    # What never came up cannot be lost: a failed stack stays one that may be tried again.
    return row.cloud_id is not None and row.status in lifecycle.LOSE.sources


def _stands_as_noted(row: Row, state: StackState) -> bool:
    is_noted = (row.cloud_status, row.cloud_id) == (state.status, state.cloud_id)
    return is_noted and row.status is not StackStatus.LOST and not _came_up_after_all(row, state)


def _came_up_after_all(row: Row, state: StackState) -> bool:
    meaning = MEANINGS.get(state.status)
    return row.status is StackStatus.FAILED and meaning is not None and meaning.status is StackStatus.READY


def _look_into(cloud: Any, place: Place, row: Row, state: StackState) -> Found | None:
    """Work out what a failed launch that is up after all holds; None for any other, and where that is not certain."""
    if not _came_up_after_all(row, state):
        return None
    try:
        return adopting.look_into(cloud, place, state)
    except (NotAdoptable, CloudProblem) as problem:
        log.info("not_recognised", stack=row.ref, reason=problem.sentence)
        return None


def _settle(cloud: Any, row: Row) -> str:
    """Ask for a stack that was not listed by its id, and lose it if the cloud has it no more; return what was wrong."""
    assert row.cloud_id is not None, "only what has an id may be lost"
    try:
        state = cfn.find_stack(cloud, row.cloud_id)
    except CloudProblem as problem:
        return problem.sentence
    if state is None or state.status == "DELETE_COMPLETE":
        _lose(row)
    elif state.status != row.cloud_status:
        _note_move(row, state)
    return ""


def _lose(row: Row) -> None:
    stack = _unchanged(row)
    if stack is not None:
        lifecycle.apply(stack, lifecycle.LOSE, GONE, cloud_status="DELETE_COMPLETE", observed_at=db.now())
        log.warning("stack_lost", stack=stack.ref, cloud_id=row.cloud_id)
    db.session.commit()


def _note_move(row: Row, state: StackState, found: Found | None = None) -> None:
    """Note how a stack stands now, and move ours with it where it would be untrue otherwise."""
    stack = _unchanged(row)
    if stack is not None:
        noted = {"cloud_status": state.status, "cloud_reason": state.reason, "cloud_id": state.cloud_id}
        db.session.execute(update(Stack).where(Stack.id == stack.id).values(**noted, observed_at=db.now()))
        _follow(stack, row, state, found)
        log.info("stack_moved", stack=stack.ref, cloud_status=state.status, before=row.cloud_status)
    db.session.commit()


def _follow(stack: Stack, row: Row, state: StackState, found: Found | None) -> None:
    meaning = MEANINGS.get(state.status)
    move = lifecycle.FINDS.get(meaning.status) if meaning and not meaning.moves else None
    sentence = f"It is {state.status} in the cloud; Slipway had noted {row.cloud_status or 'nothing'}."
    if found is not None:
        lifecycle.apply(stack, lifecycle.FIND_READY, sentence, **adopting.contents_of(state, found))
        adopting.fill(stack, state, found)
    elif move and row.status is not StackStatus.FAILED and lifecycle.can(stack, move):
        lifecycle.apply(stack, move, sentence)
    elif row.cloud_status != state.status:
        audit.record(
            "stack:observed", "stack", stack.ref, f"{stack.name}: {sentence}",
            before={"cloud_status": row.cloud_status}, after={"cloud_status": state.status},
        )  # fmt: skip


def _unchanged(row: Row) -> Stack | None:
    """Lock the stack; return it if nobody has touched it since it was read. Whoever starts a job waits for the lock."""
    db.session.execute(select(Stack.id).where(Stack.id == row.id).with_for_update())
    is_busy = exists().where(Job.stack_id == Stack.id, Job.status.in_(UNFINISHED))
    query = select(Stack).where(Stack.id == row.id, Stack.status == row.status, ~is_busy)
    stack = db.session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    is_same = stack is not None and (stack.cloud_id, stack.cloud_status) == (row.cloud_id, row.cloud_status)
    return stack if is_same else None


def _note_same(rows: Sequence[Row]) -> None:
    """Note that these were seen; rows say it every few minutes."""
    ids = [row.id for row in rows]
    for start in range(0, len(ids), 500):
        seen = (
            update(Stack)
            .where(Stack.id.in_(ids[start : start + 500]), Stack.observed_at < db.now(-SEEN_SECONDS))
            .values(observed_at=db.now())
        )
        db.session.execute(seen, execution_options={"synchronize_session": False})
        db.session.commit()
