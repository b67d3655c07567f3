"""Stacks, their plans, resources and events."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.catalog.models import Template, Version
from app.db import Base, identifier, line, prose, reference, text_enum
from app.environments.models import Environment
from app.identity.models import Person, Team
from app.services.models import Service
from app.stacks.lifecycle import StackStatus

_LIVE = "status <> 'deleted'"


class Stack(Base):
    """A launched version in one environment, owned by one team: one CloudFormation stack.

    `version` and `answers` are what was asked for, `running_version` and `running_answers` what last came up.
    `status` is ours; `cloud_status` is CloudFormation's, as received, read at `observed_at`.
    """

    __tablename__ = "stack"
    __table_args__ = (
        Index(
            "uq_stack_name_while_live",
            "environment_id",
            "name",
            unique=True,
            sqlite_where=text(_LIVE),
            postgresql_where=text(_LIVE),
        ),
        # Read backwards: worst first, newest first, the order of every list, so that a page needs no sorting.
        Index("ix_stack_worst_first", "rank", "id"),
        Index("ix_stack_of_team", "team_id", "rank", "id"),
        Index("ix_stack_in_environment", "environment_id", "rank", "id"),
        Index("ix_stack_of_template", "template_id", "rank", "id"),
        # Names are searched by any part of them: SQLite reads through this index, PostgreSQL keeps every three letters.
        Index("ix_stack_name", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
        Index(
            "ix_stack_observed",
            "environment_id",
            "observed_at",
            sqlite_where=text(_LIVE),
            postgresql_where=text(_LIVE),
        ),
    )

    id: Mapped[identifier]
    ref: Mapped[reference]
    name: Mapped[str] = mapped_column(String(100))
    cloud_name: Mapped[str] = mapped_column(String(128), unique=True)
    cloud_id: Mapped[str | None] = mapped_column(String(300), index=True)
    environment_id: Mapped[int] = mapped_column(ForeignKey("environment.id"))
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"))
    service_id: Mapped[int | None] = mapped_column(ForeignKey("service.id"), index=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("version.id"), index=True)
    running_version_id: Mapped[int | None] = mapped_column(ForeignKey("version.id"))
    answers: Mapped[dict[str, str]] = mapped_column(JSON)
    running_answers: Mapped[dict[str, str] | None] = mapped_column(JSON)
    status: Mapped[StackStatus] = mapped_column(text_enum(StackStatus, "status_is_known"))
    # The worse the higher: lists sort by it, so it lives beside the status it follows.
    rank: Mapped[int]
    status_reason: Mapped[line] = mapped_column(default="")
    cloud_status: Mapped[str | None] = mapped_column(String(64))
    cloud_reason: Mapped[prose] = mapped_column(default="")
    outputs: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    is_protected: Mapped[bool] = mapped_column(default=False)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(index=True)
    ready_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    observed_at: Mapped[datetime | None]

    environment: Mapped[Environment] = relationship()
    team: Mapped[Team] = relationship()
    service: Mapped[Service | None] = relationship()
    template: Mapped[Template] = relationship()
    version: Mapped[Version] = relationship(foreign_keys=[version_id])
    running_version: Mapped[Version | None] = relationship(foreign_keys=[running_version_id])
    created_by: Mapped[Person] = relationship()


def running_answers(stack: Stack) -> dict[str, str]:
    """Return the answers of what runs, or of what was last asked for where nothing ever ran."""
    return stack.answers if stack.running_answers is None else stack.running_answers


class Grain(StrEnum):
    """What a row of the tally counts by; columns it does not count by are empty."""

    EVERY = "every"
    TEAM = "team"
    ENVIRONMENT = "environment"
    TEMPLATE = "template"


class StackTally(Base):
    """How many stacks there are of each kind, as differences that triggers append and the worker folds together.

    Counting 100,000 rows for every facet would cost more than the page; appending never waits for another writer.
    Each difference is written at four grains: by team, environment and template together, and by each alone, so that
    an unfiltered page reads few rows and a filtered one only those of its team, environment or template.
    """

    __tablename__ = "stack_tally"
    __table_args__ = (
        Index("ix_stack_tally_team", "grain", "team_id"),
        Index("ix_stack_tally_environment", "grain", "environment_id"),
        Index("ix_stack_tally_template", "grain", "template_id"),
    )

    id: Mapped[identifier]
    grain: Mapped[str] = mapped_column(String(16))
    team_id: Mapped[int | None]
    environment_id: Mapped[int | None]
    template_id: Mapped[int | None]
    status: Mapped[str] = mapped_column(String(32))
    n: Mapped[int]


class Plan(Base):
    """The change set a job will execute, in plain words; `digest` binds a yes to exactly what was shown."""

    __tablename__ = "plan"
    __table_args__ = (CheckConstraint("length(digest) = 64", name="digest_is_sha256"),)

    id: Mapped[identifier]
    ref: Mapped[reference]
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), unique=True)
    change_set_id: Mapped[str] = mapped_column(String(500))
    digest: Mapped[str] = mapped_column(String(64))
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    answer_changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    untouched: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    confirmed_by: Mapped[Person | None] = relationship()


class Resource(Base):
    """What CloudFormation says a stack holds, with the clock of the last job that touched it."""

    __tablename__ = "resource"
    __table_args__ = (UniqueConstraint("stack_id", "logical_id", name="uq_resource_logical_id_per_stack"),)

    id: Mapped[identifier]
    stack_id: Mapped[int] = mapped_column(ForeignKey("stack.id"))
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    logical_id: Mapped[str] = mapped_column(String(255))
    physical_id: Mapped[str | None] = mapped_column(String(2048))
    type: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(64))
    reason: Mapped[prose] = mapped_column(default="")
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class StackEvent(Base):
    """One event of a stack as CloudFormation reported it, in its order."""

    __tablename__ = "stack_event"
    __table_args__ = (
        UniqueConstraint("stack_id", "event_id", name="uq_stack_event_once"),
        Index("ix_stack_event_of_job", "job_id", "id"),
    )

    id: Mapped[identifier]
    stack_id: Mapped[int] = mapped_column(ForeignKey("stack.id"))
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"))
    event_id: Mapped[str] = mapped_column(String(300))
    logical_id: Mapped[str] = mapped_column(String(255))
    physical_id: Mapped[str] = mapped_column(String(2048), default="")
    type: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(64))
    reason: Mapped[prose] = mapped_column(default="")
    occurred_at: Mapped[datetime]


class Duration(Base):
    """How long one resource, or (logical id empty) a whole job took when it went well: what forecasts are made of."""

    __tablename__ = "duration"
    __table_args__ = (
        Index("ix_duration_newest", "template_id", "kind", "id"),
        # Whole jobs only, with the value itself: what fifty templates usually take is then read from the index alone.
        Index(
            "ix_duration_of_jobs",
            "template_id",
            "kind",
            "id",
            "seconds",
            sqlite_where=text("logical_id = ''"),
            postgresql_where=text("logical_id = ''"),
        ),
    )

    id: Mapped[identifier]
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id"))
    kind: Mapped[str] = mapped_column(String(32))
    logical_id: Mapped[str] = mapped_column(String(255))
    type: Mapped[str] = mapped_column(String(255))
    seconds: Mapped[float]
    at: Mapped[datetime]


class Orphan(Base):
    """A stack in the cloud that carries our mark and that no row stands for; open until it is settled.

    `ref` is what its mark says, `reason` why Slipway does not take it over by itself. `tried_at`: when that was tried.
    """

    __tablename__ = "orphan"
    __table_args__ = (
        Index(
            "ix_orphan_open",
            "place",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
    )

    id: Mapped[identifier]
    place: Mapped[str] = mapped_column(String(64))
    cloud_id: Mapped[str] = mapped_column(String(300), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    ref: Mapped[str] = mapped_column(String(300))
    status: Mapped[str] = mapped_column(String(64))
    tags: Mapped[dict[str, str]] = mapped_column(JSON)
    reason: Mapped[line]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    tried_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    settled_as: Mapped[str] = mapped_column(String(32), default="")


class PlaceSeen(Base):
    """When all stacks of a place (account and region) were last compared with the cloud, and why not since."""

    __tablename__ = "place_seen"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    seen_at: Mapped[datetime | None]
    tried_at: Mapped[datetime]
    problem: Mapped[line] = mapped_column(default="")
