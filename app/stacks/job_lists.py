"""The list of jobs, newest first."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from app import db
from app.catalog.models import Template
from app.environments.models import Environment
from app.identity.models import Person, Team
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job, length_of_run
from app.stacks.lists import Selection
from app.stacks.models import Stack

PAGE = 50


class ListedJob(NamedTuple):
    """A row of a list of jobs: only what it prints, and the team whose members may read why it failed.

    `name` is that of the stack.
    """

    id: int
    ref: str
    kind: str
    status: JobStatus
    failure: dict[str, Any] | None
    created_at: datetime
    finished_at: datetime | None
    name: str
    environment: str
    template: str
    asked_by: str
    username: str
    team: Team

    @property
    def seconds(self) -> float | None:
        return length_of_run(self.created_at, self.finished_at)


_LISTED: Selection = (
    select(
        Job.id, Job.ref, Job.kind, Job.status, Job.failure, Job.created_at, Job.finished_at,
        Stack.name, Environment.slug, Template.slug, Person.name, Person.username, Team,
    )
    .join(Stack, Stack.id == Job.stack_id)
    .join(Environment, Environment.id == Stack.environment_id)
    .join(Template, Template.id == Stack.template_id)
    .join(Team, Team.id == Stack.team_id)
    .join(Person, Person.id == Job.requested_by_id)
    .order_by(Job.id.desc())
)  # fmt: skip


def list_jobs(statuses: Collection[JobStatus], before: int | None) -> tuple[Sequence[ListedJob], int | None]:
    """Return one page of the jobs of these statuses, or of all, and the id the next page lies before."""
    query = _LISTED.where(Job.status.in_(statuses)) if statuses else _LISTED
    if before is not None:
        query = query.where(Job.id < before)
    rows = _rows(query.limit(PAGE + 1))
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def newest_jobs(teams: Collection[Team], most: int) -> list[ListedJob]:
    """Return the newest jobs on the teams' stacks."""
    return _rows(_LISTED.where(Job.team_id.in_([team.id for team in teams])).limit(most))


def _rows(query: Selection) -> list[ListedJob]:
    return [ListedJob(*row) for row in db.session.execute(query)]
