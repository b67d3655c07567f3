"""Jobs, their steps and the wake-ups that announce them."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, identifier, line, reference, text_enum
from app.identity.models import Person
from app.jobs.lifecycle import UNFINISHED, JobStatus, StepStatus

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WATCHED = "watch_topic IS NOT NULL"
_FAILED = "status = 'failed'"
_UNFINISHED = "status IN (" + ", ".join(f"'{status}'" for status in UNFINISHED) + ")"


class Job(Base):
    """One provisioning run on a stack, made of steps.

    `lease_owner`, `lease_until` and `fence` say who may write: every write of a worker names the fence it was given,
    and a write under an old fence changes nothing. `attempts` counts claims that did not end by themselves.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index(
            "uq_job_one_unfinished_per_stack",
            "stack_id",
            unique=True,
            sqlite_where=text(_UNFINISHED),
            postgresql_where=text(_UNFINISHED),
        ),
        UniqueConstraint("requested_by_id", "idempotency_key", name="uq_job_idempotency_key_per_person"),
        Index("ix_job_runnable", "status", "next_run_at"),
        Index("ix_job_history", "template_id", "kind", "finished_at"),
        Index("ix_job_of_team", "team_id", "id"),
        Index("ix_job_stack_newest", "stack_id", "id"),
        Index(
            "ix_job_watched",
            "watch_topic",
            "next_run_at",
            sqlite_where=text(_WATCHED),
            postgresql_where=text(_WATCHED),
        ),
        Index(
            "ix_job_failures",
            "template_id",
            "kind",
            "finished_at",
            sqlite_where=text(_FAILED),
            postgresql_where=text(_FAILED),
        ),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
    )

    id: Mapped[identifier]
    ref: Mapped[reference]
    kind: Mapped[str] = mapped_column(String(32))
    status: Mapped[JobStatus] = mapped_column(text_enum(JobStatus, "status_is_known"), index=True)
    stack_id: Mapped[int] = mapped_column(ForeignKey("stack.id"))
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"))
    template_id: Mapped[int] = mapped_column(ForeignKey("template.id"))
    from_version_id: Mapped[int | None] = mapped_column(ForeignKey("version.id"))
    to_version_id: Mapped[int | None] = mapped_column(ForeignKey("version.id"))
    requested_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    via: Mapped[str] = mapped_column(String(16))
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    request_digest: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
    # What the API answered when it accepted the request; the same key gets the same answer.
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    # Secret answers, encrypted, only until the cloud has them.
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSON)

    lease_owner: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime] = mapped_column(default=EPOCH)
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    next_run_at: Mapped[datetime]
    # What the job waits for, besides its time: whoever watches the topic wakes the jobs whose keys have news.
    watch_topic: Mapped[str | None] = mapped_column(String(200))
    watch_key: Mapped[str | None] = mapped_column(String(300))
    cancel_requested_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime]

    created_at: Mapped[datetime] = mapped_column(index=True)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)

    requested_by: Mapped[Person] = relationship()
    steps: Mapped[list["JobStep"]] = relationship(back_populates="job", order_by="JobStep.position")

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED

    @property
    def seconds(self) -> float | None:
        return length_of_run(self.created_at, self.finished_at)


def length_of_run(created_at: datetime, finished_at: datetime | None) -> float | None:
    """Return how long a run took, in seconds, from its request to its end; None while it moves."""
    return (finished_at - created_at).total_seconds() if finished_at else None


class JobStep(Base):
    """One stage of a job: `intent_at` is committed before the outside is called, `done_at` after it answered."""

    __tablename__ = "job_step"
    __table_args__ = (UniqueConstraint("job_id", "position", name="uq_job_step_position_per_job"),)

    id: Mapped[identifier]
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"))
    position: Mapped[int]
    key: Mapped[str] = mapped_column(String(32))
    status: Mapped[StepStatus] = mapped_column(text_enum(StepStatus, "status_is_known"))
    attempt: Mapped[int] = mapped_column(default=0)
    note: Mapped[line] = mapped_column(default="")
    output: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    intent_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]

    job: Mapped[Job] = relationship(back_populates="steps")


class JobTally(Base):
    """How many jobs of one kind on one template ended well or badly on one day (UTC), counted by triggers.

    A success rate over 90 days would otherwise read every job of them, on a page that is opened all day.
    """

    __tablename__ = "job_tally"

    template_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    succeeded: Mapped[int]
    failed: Mapped[int]


class Outbox(Base):
    """A wake-up to send: written with the fact it announces, deleted once sent. Sending twice is harmless."""

    __tablename__ = "outbox"

    id: Mapped[identifier]
    job_id: Mapped[int]
    created_at: Mapped[datetime]


class WorkerSeen(Base):
    """A worker process and when it last said that it lives."""

    __tablename__ = "worker_seen"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Duty(Base):
    """A chore that one worker at a time has, under a lease and a fence as a job's."""

    __tablename__ = "duty"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    lease_owner: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime] = mapped_column(default=EPOCH)
    fence: Mapped[int] = mapped_column(default=0)
    next_run_at: Mapped[datetime] = mapped_column(default=EPOCH)
