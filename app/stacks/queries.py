"""Reads of stacks: one for a person, lists with their facets, a stack's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute, joinedload, load_only, selectinload

from app import audit, db
from app.catalog.models import Template, Version
from app.environments.models import Environment
from app.errors import NotFound
from app.identity.models import Person, Team
from app.jobs.lifecycle import UNFINISHED
from app.jobs.models import Job
from app.stacks.facets import Filters, count_stacks, statuses_of
from app.stacks.lifecycle import RANK, StackStatus
from app.stacks.models import Plan, Resource, Stack, StackEvent

PAGE = 50
MOST_EVENTS = 400
# A search that fits more names than this says too little to be ordered.
MOST_NAMED = 1000


@dataclass(frozen=True)
class StackPage:
    """One page of a list: its rows worst first, the cursor of the next, and how many there are in all."""

    rows: Sequence[Stack]
    next: str | None
    total: int | None
    jobs: Mapping[int, Job]


def with_names(query: Select[Any]) -> Select[Any]:
    """Load with a stack what every list prints of it."""
    return query.options(
        joinedload(Stack.environment).joinedload(Environment.account),
        joinedload(Stack.team),
        joinedload(Stack.service),
        joinedload(Stack.template).load_only(Template.slug, Template.name, Template.icon, Template.support),
        joinedload(Stack.version).load_only(Version.number, Version.status, Version.digest, Version.template_id),
        joinedload(Stack.running_version).load_only(
            Version.number, Version.status, Version.digest, Version.template_id
        ),
    )


def for_list(query: Select[Any]) -> Select[Any]:
    """Load of a stack only what a row of a list prints: answers and outputs would be most of the work."""
    return query.options(
        load_only(
            Stack.ref, Stack.name, Stack.status, Stack.rank, Stack.status_reason, Stack.observed_at,
            Stack.version_id, Stack.running_version_id,
        ),
        joinedload(Stack.environment).load_only(Environment.slug),
        joinedload(Stack.team).load_only(Team.slug),
        joinedload(Stack.template).load_only(Template.slug),
        joinedload(Stack.version).load_only(Version.number),
        joinedload(Stack.running_version).load_only(Version.number),
    )  # fmt: skip


def access_stack(person: Person, ref: str) -> Stack:
    """Return the stack for this person; missing and hidden look the same."""
    stack = db.session.scalar(with_names(select(Stack).where(Stack.ref == ref)).options(joinedload(Stack.created_by)))
    if stack is None:
        raise NotFound
    return stack


def access_job(person: Person, ref: str) -> tuple[Job, Stack]:
    """Return a job and its stack for this person."""
    job = db.session.scalar(
        select(Job).where(Job.ref == ref).options(selectinload(Job.steps), joinedload(Job.requested_by))
    )
    if job is None:
        raise NotFound
    stack = db.session.scalar(with_names(select(Stack).where(Stack.id == job.stack_id)))
    if stack is None:
        raise NotFound
    return job, stack


def find_active_job(stack: Stack) -> Job | None:
    """Return the job that has not finished, if there is one."""
    query = select(Job).where(Job.stack_id == stack.id, Job.status.in_(UNFINISHED))
    return db.session.scalar(query.options(selectinload(Job.steps), joinedload(Job.requested_by)))


def find_last_job(stack: Stack) -> Job | None:
    query = select(Job).where(Job.stack_id == stack.id).order_by(Job.id.desc()).limit(1)
    return db.session.scalar(query.options(selectinload(Job.steps), joinedload(Job.requested_by)))


def plan_of(job: Job) -> Plan | None:
    return db.session.scalar(select(Plan).where(Plan.job_id == job.id).options(joinedload(Plan.confirmed_by)))


def events_of(job: Job, most: int = MOST_EVENTS) -> list[StackEvent]:
    """Return the job's newest events, oldest first."""
    query = select(StackEvent).where(StackEvent.job_id == job.id).order_by(StackEvent.id.desc()).limit(most)
    return list(db.session.scalars(query))[::-1]


def events_of_stack(stack: Stack, most: int = MOST_EVENTS) -> list[StackEvent]:
    query = select(StackEvent).where(StackEvent.stack_id == stack.id).order_by(StackEvent.id.desc()).limit(most)
    return list(db.session.scalars(query))


def resources_of(stack: Stack) -> list[Resource]:
    query = select(Resource).where(Resource.stack_id == stack.id).order_by(Resource.logical_id)
    return list(db.session.scalars(query))


def jobs_of(stack: Stack, most: int = 50) -> list[Job]:
    query = select(Job).where(Job.stack_id == stack.id).order_by(Job.id.desc()).limit(most)
    return list(db.session.scalars(query.options(joinedload(Job.requested_by))))


def timeline_of(stack: Stack, most: int = 12) -> list[audit.AuditEntry]:
    entry = audit.AuditEntry
    query = select(entry).where(entry.subject_type == "stack", entry.subject_ref == stack.ref)
    return list(db.session.scalars(query.order_by(entry.id.desc()).limit(most)))


def newer_version(stack: Stack) -> Version | None:
    """Return the version new stacks get, when it is newer than what this one runs or was asked to run."""
    query = (
        select(Version)
        .join(Version.template)
        .where(Version.template_id == stack.template_id, Version.is_recommended)
        .options(load_only(Version.number, Version.position, Version.status, Version.digest, Version.template_id))
    )
    recommended = db.session.scalar(query)
    if recommended is None or recommended.id == stack.version_id:
        return None
    position = db.session.scalar(select(Version.position).where(Version.id == stack.version_id)) or 0
    return recommended if recommended.position > position else None


def list_stacks(filters: Filters, after: str | None = None, limit: int = PAGE) -> StackPage:
    """Return one page, worst first. The cursor is `rank.id` of the last row, so a page costs the same however deep."""
    query = for_list(narrowed(select(Stack), filters)).order_by(Stack.rank.desc(), Stack.id.desc())
    if after and (place := _place(after)):
        query = query.where(tuple_(Stack.rank, Stack.id) < place)
    rows = list(db.session.scalars(query.limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    return StackPage(
        rows,
        f"{rows[-1].rank}.{rows[-1].id}" if more else None,
        None if filters.words else count_stacks(filters),
        _active_jobs(rows),
    )


def _place(cursor: str) -> tuple[int, int] | None:
    rank, _, last = cursor.partition(".")
    if not (rank.isdecimal() and last.isdecimal()):
        return None
    # Larger numbers than the database knows are nobody's place.
    return (int(rank), int(last)) if len(rank) < 4 and len(last) < 19 else None


def narrowed(query: Select[Any], filters: Filters, *, along_ids: bool = False) -> Select[Any]:
    """Narrow a query of stacks to what the filters let through.

    `along_ids` keeps the database from collecting all matches by another index, only to sort them by id afterwards:
    where many match, the next page of them is never far along the ids. Adding 0 to a column hides its indexes.
    """
    rank = Stack.rank + 0 if along_ids else Stack.rank
    query = query.where(_has_status(statuses_of(filters), rank))
    for wanted, model, column in (
        (filters.teams, Team, Stack.team_id),
        (filters.environments, Environment, Stack.environment_id),
        (filters.templates, Template, Stack.template_id),
    ):
        if wanted:
            ids = list(db.session.scalars(select(model.id).where(model.slug.in_(wanted))))
            # One id and a rank are a place in the index, already in order; several have to be sorted.
            searched = column + 0 if along_ids else column
            query = query.where(searched == ids[0] if len(ids) == 1 else searched.in_(ids))
    if filters.words:
        query = query.where(matches(filters.words))
    return query


def _has_status(statuses: Sequence[str], rank: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Say a set of statuses as a stretch of ranks, which the index is ordered by, wherever it is one."""
    ranks = sorted(RANK[StackStatus(status)] for status in statuses if status in list(StackStatus))
    if not ranks:
        return false()
    stretch = rank.between(ranks[0], ranks[-1])
    return stretch if len(ranks) == ranks[-1] - ranks[0] + 1 else and_(stretch, Stack.status.in_(statuses))


def matches(words: str) -> Any:
    """Match names and ids; the person's % and _ are letters.

    Names are looked through in their own index, which is a tenth of the table.
    """
    pattern = "%" + words.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    named = select(Stack.id).where(Stack.name.like(pattern, escape="\\")).limit(MOST_NAMED).subquery()
    given = select(Stack.id).where(or_(Stack.ref == _as_ref(words), Stack.cloud_name == words, Stack.cloud_id == words))
    return Stack.id.in_(union_all(select(named.c.id), given))


def _as_ref(words: str) -> str:
    """Return a public id as it is written: people type it in any case."""
    prefix, _, rest = words.strip().partition("_")
    return f"{prefix.lower()}_{rest.upper()}"


def _active_jobs(rows: Sequence[Stack]) -> dict[int, Job]:
    moving = [row.id for row in rows]
    query = select(Job).where(Job.stack_id.in_(moving), Job.status.in_(UNFINISHED))
    query = query.options(load_only(Job.stack_id, Job.status, Job.kind))
    return {job.stack_id: job for job in db.session.scalars(query)}
