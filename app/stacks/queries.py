"""Reads of one stack and of one job: what their pages show."""

from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import joinedload, load_only, selectinload

from app import audit, db
from app.catalog.models import Template, Version
from app.environments.models import Environment
from app.errors import NotFound
from app.identity.models import Person
from app.jobs.models import Job
from app.stacks.models import Plan, Resource, Stack, StackEvent

MOST_EVENTS = 400


def with_names(query: Select[Any]) -> Select[Any]:
    """Load with a stack what every list prints of it."""
    return query.options(
        joinedload(Stack.environment).joinedload(Environment.account),
        joinedload(Stack.team),
        joinedload(Stack.service),
        joinedload(Stack.template).load_only(Template.slug, Template.name, Template.icon, Template.support),
        joinedload(Stack.version).load_only(
            Version.number, Version.position, Version.status, Version.digest, Version.template_id
        ),
        joinedload(Stack.running_version).load_only(
            Version.number, Version.status, Version.digest, Version.template_id
        ),
    )


# Written once, for every page of a stack or a job begins with them.
_STACK = with_names(select(Stack).where(Stack.ref == bindparam("ref"))).options(joinedload(Stack.created_by))
_STACK_OF_JOB = with_names(select(Stack).where(Stack.id == bindparam("stack_id")))
_JOB = select(Job).where(Job.ref == bindparam("ref")).options(selectinload(Job.steps), joinedload(Job.requested_by))
_NEWEST_JOB = (
    select(Job)
    .where(Job.stack_id == bindparam("stack_id"))
    .order_by(Job.id.desc())
    .limit(1)
    .options(joinedload(Job.requested_by))
)
_RECOMMENDED = (
    select(Version)
    .where(Version.template_id == bindparam("template_id"), Version.is_recommended)
    .options(load_only(Version.number, Version.position, Version.status, Version.digest, Version.template_id))
)


_PLAN = select(Plan).where(Plan.job_id == bindparam("job_id")).options(joinedload(Plan.confirmed_by))
_RESOURCES = select(Resource).where(Resource.stack_id == bindparam("stack_id")).order_by(Resource.logical_id)
_EVENTS = (
    select(StackEvent)
    .where(StackEvent.job_id == bindparam("job_id"))
    .order_by(StackEvent.id.desc())
    .limit(bindparam("most"))
)
_TIMELINE = (
    select(audit.AuditEntry)
    .where(audit.AuditEntry.subject_type == "stack", audit.AuditEntry.subject_ref == bindparam("ref"))
    .order_by(audit.AuditEntry.id.desc())
    .limit(bindparam("most"))
)


def access_stack(person: Person, ref: str) -> Stack:
    """Return the stack for this person; missing and hidden look the same."""
    stack = db.session.scalar(_STACK, {"ref": ref})
    if stack is None:
        raise NotFound
    return stack


def access_job(person: Person, ref: str) -> tuple[Job, Stack]:
    """Return a job and its stack for this person."""
    job = db.session.scalar(_JOB, {"ref": ref})
    if job is None:
        raise NotFound
    stack = db.session.scalar(_STACK_OF_JOB, {"stack_id": job.stack_id})
    if stack is None:
        raise NotFound
    return job, stack


def find_last_job(stack: Stack) -> Job | None:
    """Return the newest job on the stack. While one has not finished it is the newest: no other can begin."""
    return db.session.scalar(_NEWEST_JOB, {"stack_id": stack.id})


def find_active_job(stack: Stack) -> Job | None:
    """Return the job that has not finished, if there is one."""
    last = find_last_job(stack)
    return None if last is None or last.is_finished else last


def plan_of(job: Job) -> Plan | None:
    return db.session.scalar(_PLAN, {"job_id": job.id})


def events_of(job: Job, most: int = MOST_EVENTS) -> list[StackEvent]:
    """Return the job's newest events, oldest first."""
    return list(db.session.scalars(_EVENTS, {"job_id": job.id, "most": most}))[::-1]


def events_of_stack(stack: Stack, most: int = MOST_EVENTS) -> list[StackEvent]:
    query = select(StackEvent).where(StackEvent.stack_id == stack.id).order_by(StackEvent.id.desc()).limit(most)
    return list(db.session.scalars(query))


def resources_of(stack: Stack) -> list[Resource]:
    return list(db.session.scalars(_RESOURCES, {"stack_id": stack.id}))


def jobs_of(stack: Stack, most: int = 50) -> list[Job]:
    query = select(Job).where(Job.stack_id == stack.id).order_by(Job.id.desc()).limit(most)
    return list(db.session.scalars(query.options(joinedload(Job.requested_by))))


def timeline_of(stack: Stack, most: int = 12) -> list[audit.AuditEntry]:
    return list(db.session.scalars(_TIMELINE, {"ref": stack.ref, "most": most}))


def newer_version(stack: Stack) -> Version | None:
    """Return the version new stacks get, when it is newer than what this one runs or was asked to run."""
    recommended = db.session.scalar(_RECOMMENDED, {"template_id": stack.template_id})
    return recommended if recommended and recommended.position > stack.version.position else None
