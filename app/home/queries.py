"""Reads of the start page and of search."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, load_only

from app import db
from app.catalog.models import Template
from app.environments.models import Environment
from app.identity import policy
from app.identity.models import Person, Team
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job
from app.stacks.facets import Filters
from app.stacks.lifecycle import IN_TROUBLE, RANK
from app.stacks.lists import StackPage, list_stacks, matches
from app.stacks.models import Plan, Stack

MOST_NEEDS = 8
LEAST_TROUBLE = min(RANK[status] for status in IN_TROUBLE)
MOST_STACKS = 10
MOST_JOBS = 6
MOST_FOUND = 12


@dataclass(frozen=True)
class Need:
    """One thing that waits for the person: a title that leads to it, a sentence, and one button."""

    title: str
    href: str
    words: str
    status: str
    at: datetime | None
    action: tuple[str, str]


def teams_of_home(person: Person) -> list[Team]:
    """Return the teams whose things belong on the person's start page: their own, or those they answer for."""
    return list(person.teams) or policy.visible_teams(person)


def needs(teams: Sequence[Team]) -> list[Need]:
    """Return what needs somebody: plans that wait first, then stacks in trouble, worst first."""
    ids = [team.id for team in teams]
    waiting = (
        select(Job.ref, Job.kind, Job.status, Job.failure, Job.created_at, Stack.name, Plan.ref, Person.name)
        .join(Stack, Stack.id == Job.stack_id)
        .join(Person, Person.id == Job.requested_by_id)
        .outerjoin(Plan, Plan.job_id == Job.id)
        .where(Job.team_id.in_(ids), Job.status.in_([JobStatus.WAITING, JobStatus.NEEDS_ATTENTION]))
        .order_by(Job.id.desc())
        .limit(MOST_NEEDS)
    )
    found = [_of_job(*row) for row in db.session.execute(waiting)]
    trouble = (
        select(Stack.ref, Stack.name, Stack.status, Stack.status_reason, Stack.observed_at)
        .where(Stack.team_id.in_(ids), Stack.rank >= LEAST_TROUBLE)
        .order_by(Stack.rank.desc(), Stack.id.desc())
        .limit(MOST_NEEDS)
    )
    return [*found, *(_of_stack(*row) for row in db.session.execute(trouble))][:MOST_NEEDS]


def _of_job(
    ref: str, kind: str, status: str, failure: Any, created_at: datetime, stack: str, plan: str | None, asked_by: str
) -> Need:
    if status == JobStatus.WAITING and plan:
        words = f"{asked_by} asked for a change. Nothing happens until the plan is confirmed."
        return Need(f"A plan for {stack} waits", f"/plans/{plan}", words, "waiting", created_at,
                    ("Read the plan", f"/plans/{plan}"))  # fmt: skip
    words = (failure or {}).get("sentence", "Slipway could not finish this job by itself.")
    return Need(f"{kind} of {stack} needs attention", f"/jobs/{ref}", words, "needs_attention",
                created_at, ("See why", f"/jobs/{ref}"))  # fmt: skip


_WORDS = {
    "failed": ("did not come up", "See the fix"),
    "delete_failed": ("could not be deleted", "See why"),
    "degraded": ("is degraded", "See why"),
    "tainted": ("is not what was asked", "Plan again"),
    "lost": ("is gone from the cloud", "See why"),
}


def _of_stack(ref: str, name: str, status: str, reason: str, observed_at: datetime | None) -> Need:
    title, action = _WORDS[status]
    return Need(f"{name} {title}", f"/stacks/{ref}", reason, status, observed_at, (action, f"/stacks/{ref}"))


def stacks_of(teams: Sequence[Team]) -> StackPage:
    """Return the teams' stacks, worst first."""
    return list_stacks(Filters(teams=tuple(team.slug for team in teams)), limit=MOST_STACKS)


@dataclass(frozen=True)
class Found:
    """One thing search found."""

    kind: str
    name: str
    href: str
    words: str
    icon: str


def search(words: str) -> list[Found]:
    """Return what matches by name, slug, id or ARN: templates, stacks, environments, jobs."""
    words = words.strip()[:200]
    if not words:
        return []
    return [*_templates(words), *_stacks(words), *_environments(words), *_jobs(words)]


def _like(words: str) -> str:
    return "%" + words.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _templates(words: str) -> list[Found]:
    pattern = _like(words)
    query = select(Template).where(
        or_(
            Template.slug.like(pattern, escape="\\"),
            func.lower(Template.name).like(pattern, escape="\\"),
            func.lower(Template.summary).like(pattern, escape="\\"),
        )
    )
    rows = db.session.scalars(query.order_by(Template.slug).limit(MOST_FOUND))
    return [Found("template", row.slug, f"/catalog/{row.slug}", row.summary, row.icon) for row in rows]


def _stacks(words: str) -> list[Found]:
    query = (
        select(Stack)
        .where(matches(words))
        .options(
            load_only(Stack.ref, Stack.name),
            joinedload(Stack.environment).load_only(Environment.slug),
            joinedload(Stack.template).load_only(Template.slug),
        )
        .order_by(Stack.rank.desc(), Stack.id.desc())
        .limit(MOST_FOUND)
    )
    return [
        Found("stack", row.name, f"/stacks/{row.ref}", f"{row.template.slug} in {row.environment.slug}", "stack-2")
        for row in db.session.scalars(query)
    ]


def _environments(words: str) -> list[Found]:
    query = select(Environment).where(Environment.slug.like(_like(words), escape="\\"))
    query = query.options(joinedload(Environment.account)).order_by(Environment.slug).limit(MOST_FOUND)
    return [
        Found("environment", row.slug, f"/environments/{row.slug}", f"{row.account.name}, {row.region}", "server-2")
        for row in db.session.scalars(query)
    ]


def _jobs(words: str) -> list[Found]:
    query = select(Job, Stack.name).join(Stack, Stack.id == Job.stack_id).where(Job.ref == words)
    return [
        Found("job", job.ref, f"/jobs/{job.ref}", f"{job.kind} {name}", "gauge")
        for job, name in db.session.execute(query)
    ]
