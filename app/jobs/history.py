"""How jobs on a template ended lately: counts by outcome, and the reasons of the newest failures."""

import math
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, func, select

from app import clock, db
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job, JobTally

DAYS = 90
# Below this a rate says more about chance than about the template.
FEWEST = 5
UNNAMED = "Another reason, told on the stack's own page."
_Z80 = 1.2816


@dataclass(frozen=True)
class Outcomes:
    """How many jobs ended well and how many failed. Cancelled ones count as neither."""

    succeeded: int = 0
    failed: int = 0

    @property
    def n(self) -> int:
        return self.succeeded + self.failed

    @property
    def is_enough(self) -> bool:
        return self.n >= FEWEST

    @property
    def rate(self) -> float:
        """The share that succeeded, 0 to 1; 0 when there was none."""
        return self.succeeded / self.n if self.n else 0.0

    @property
    def likely(self) -> tuple[float, float]:
        """The range in which the true rate lies with 80 % confidence: Wilson's score interval.

        Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
        """
        if not self.n:
            return 0.0, 1.0
        share, spread = self.rate, _Z80**2 / self.n
        middle = (share + spread / 2) / (1 + spread)
        reach = _Z80 * math.sqrt(share * (1 - share) / self.n + spread / (4 * self.n)) / (1 + spread)
        return max(0.0, middle - reach), min(1.0, middle + reach)


@dataclass(frozen=True)
class Cause:
    """A reason several jobs failed for, in plain words, and how many did."""

    meaning: str
    advice: str
    count: int


_SUMS = (
    select(
        JobTally.template_id,
        func.sum(JobTally.succeeded).label("succeeded"),
        func.sum(JobTally.failed).label("failed"),
    )
    .where(JobTally.kind == bindparam("kind"), JobTally.day > bindparam("since"))
    .group_by(JobTally.template_id)
)
_SUMS_OF_ONE = _SUMS.where(JobTally.template_id == bindparam("template_id"))


def outcomes_by_template(kind: str = "create", days: int = DAYS) -> dict[int, Outcomes]:
    """Return how the jobs of a kind ended within the last days, by template id."""
    rows = db.session.execute(_SUMS, _within(kind, days))
    return {row.template_id: Outcomes(int(row.succeeded), int(row.failed)) for row in rows}


def ended_by_kind() -> dict[str, Outcomes]:
    """Return how all jobs of each kind ended that ever did: a sum over days, not over jobs."""
    sums = select(JobTally.kind, func.sum(JobTally.succeeded), func.sum(JobTally.failed)).group_by(JobTally.kind)
    return {kind: Outcomes(int(well), int(badly)) for kind, well, badly in db.session.execute(sums)}


def outcomes_of(template_id: int, kind: str = "create", days: int = DAYS) -> Outcomes:
    """Return how the jobs of a kind on one template ended within the last days."""
    row = db.session.execute(_SUMS_OF_ONE, _within(kind, days) | {"template_id": template_id}).one_or_none()
    return Outcomes(int(row.succeeded), int(row.failed)) if row else Outcomes()


def _within(kind: str, days: int) -> dict[str, Any]:
    return {"kind": kind, "since": (clock.now() - timedelta(days=days)).date()}


def causes_of_failures(template_id: int, kind: str = "create", newest: int = 50) -> list[Cause]:
    """Return why the newest failed jobs of a template failed, most frequent first and what has no words last.

    Only the general meaning is told: names and values of a stack are for its own team.
    """
    since = clock.now() - timedelta(days=DAYS)
    query = (
        select(Job.failure)
        .where(Job.template_id == template_id, Job.kind == kind, Job.status == JobStatus.FAILED)
        .where(Job.finished_at > since)
        .order_by(Job.finished_at.desc())
        .limit(newest)
    )
    counted = Counter(_words(failure or {}) for failure in db.session.scalars(query))
    causes = [Cause(meaning, advice, count) for (meaning, advice), count in counted.most_common()]
    return sorted(causes, key=lambda cause: cause.meaning == UNNAMED)


def _words(failure: dict[str, str]) -> tuple[str, str]:
    meaning = failure.get("meaning", "")
    return (meaning, failure.get("advice", "")) if meaning else (UNNAMED, "")
