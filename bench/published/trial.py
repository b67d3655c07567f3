"""The trial itself: every file through the form; every template that counts launched and deleted by the engine."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from sqlalchemy import Row, select

from app import db
from app.cloudformation.suggestions import suggest_all
from app.jobs.lifecycle import UNFINISHED
from app.jobs.models import Job
from app.stacks.models import Stack
from bench.published.files import Found
from bench.published.forms import Sent, try_form
from bench.published.needs import Needs
from bench.published.portal import Portal, Where

SECONDS = 60.0
_PAUSE = 0.05


@dataclass
class Tried:
    """What became of one file. `exception` is never to be set."""

    repository: str
    file: str
    refusal: str = ""
    exception: str = ""
    is_lint_accepted: bool = False
    not_counted_because: str = ""
    sent: Sent | None = None
    laid: list[str] = field(default_factory=list)
    launch: str = ""
    cause: str = ""
    seconds: float = 0.0
    deletion: str = ""
    tries: int = 0

    @property
    def is_counted(self) -> bool:
        """Whether the template is among those that have to launch."""
        return not self.not_counted_because

    @property
    def is_unhandled(self) -> bool:
        """Whether something happened that nothing was prepared for."""
        statuses = (self.sent.form_status, self.sent.check_status, self.sent.submit_status) if self.sent else ()
        return bool(self.exception) or any(status >= 500 for status in statuses) or "needs_attention" in self.launch


class Lane:
    """An account in which one template after the other is tried."""

    def __init__(self, portal: Portal, where: Where) -> None:
        self.portal, self.slug = portal, where.slug
        self.world = portal.world(where.place)
        self.needs = Needs(portal.cloud_url, where.place, self.world)
        self.steps: Iterator[None] = iter(())

    def advance(self) -> bool:
        """Go on with the template in this lane; say whether there is still something to wait for."""
        return next(self.steps, self) is None

    def begin(self, number: int, found: Found, tried: Tried, launch: bool) -> None:
        """Take a template on."""
        self.steps = self._guarded(number, found, tried, launch)

    def _guarded(self, number: int, found: Found, tried: Tried, launch: bool) -> Iterator[None]:
        try:
            yield from self._go_through(number, found, tried, launch)
        except Exception as error:  # noqa: BLE001 - counting the exceptions nobody expected is what this is for
            db.session.rollback()
            tried.exception = repr(error)

    def _go_through(self, number: int, found: Found, tried: Tried, launch: bool) -> Iterator[None]:
        assert found.body is not None
        started = time.monotonic()
        tried.tries += 1
        answers = suggest_all(found.body, self.world)
        if launch:
            tried.laid = self.needs.lay(found.body, answers)
        name = f"trial-{number}-{tried.tries}"
        template = self.portal.add_version(found.place, found.text)
        tried.sent = try_form(self.portal, found, template, self.slug, name, answers)
        if tried.sent.stack and not launch:
            self._cancel(tried.sent.stack)
        if tried.sent.stack:
            yield from self._follow(tried, name)
        elif launch:
            said = "; ".join(f"{field}: {words}" for field, words in tried.sent.reasons.items())
            tried.launch, tried.cause = "refused", said or f"HTTP {tried.sent.submit_status}"
        tried.seconds = round(time.monotonic() - started, 1)

    def _cancel(self, stack: str) -> None:
        self.portal.browser.post(f"/jobs/{_job(stack, 'create').ref}/cancellation")

    def _follow(self, tried: Tried, name: str) -> Iterator[None]:
        """Wait for the launch, then have the stack deleted as its owner would, and wait for that."""
        assert tried.sent is not None
        ref = tried.sent.stack
        yield from _ended(ref, "create")
        tried.launch, tried.cause = _outcome(_job(ref, "create"))
        if tried.launch != "cancelled":
            self.portal.browser.post(f"/stacks/{ref}/deletion", data={"confirmation": name})
            yield from _ended(ref, "delete")
            outcome, cause = _outcome(_job(ref, "delete"))
            tried.deletion = outcome if outcome == "succeeded" else f"{outcome}: {cause}"


def _job(stack: str, kind: str) -> Row[tuple[str, str, dict[str, Any] | None]]:
    columns = select(Job.ref, Job.status, Job.failure).join(Stack, Stack.id == Job.stack_id)
    row = db.session.execute(columns.where(Stack.ref == stack, Job.kind == kind)).one()
    db.session.rollback()
    return row


def _ended(stack: str, kind: str) -> Iterator[None]:
    until = time.monotonic() + SECONDS
    while _job(stack, kind).status in UNFINISHED and time.monotonic() < until:
        yield


def _outcome(job: Row[tuple[str, str, dict[str, Any] | None]]) -> tuple[str, str]:
    if job.status in UNFINISHED:
        return f"{job.status}, without an end", f"no end within {SECONDS:.0f} s"
    failure = job.failure or {}
    where = f"{failure['logical_id']} ({failure['type']}): " if failure.get("logical_id") else ""
    return str(job.status), where + str(failure.get("reason") or failure.get("sentence") or "")


def try_all(
    portal: Portal, files: Sequence[Found], *, is_launched: Callable[[Found], bool], tell: Callable[[Tried], None]
) -> list[Tried]:
    """Try every file, several side by side; `is_launched` says which templates the engine is to launch."""
    everything = [_new(found) for found in files]
    templates = [pair for pair in enumerate(zip(files, everything, strict=True)) if pair[1][0].body is not None]
    places = list(portal.environments)
    _run(portal, templates, places[: portal.lanes], is_launched, tell)
    failed = [pair for pair in templates if is_launched(pair[1][0]) and pair[1][1].launch != "succeeded"]
    # Once more, alone in an account nobody has used: what other templates left behind is not this one's fault.
    for pair, place in zip(failed, cycle(places[portal.lanes :])):
        _run(portal, [pair], [place], is_launched, tell)
    return everything


def _new(found: Found) -> Tried:
    return Tried(
        found.repository,
        found.file,
        found.refusal,
        found.exception,
        found.is_lint_accepted,
        found.not_counted_because,
    )


def _run(
    portal: Portal,
    templates: Sequence[tuple[int, tuple[Found, Tried]]],
    places: Sequence[Where],
    is_launched: Callable[[Found], bool],
    tell: Callable[[Tried], None],
) -> None:
    waiting = deque(templates)
    busy: dict[Lane, Tried] = {}
    free = [Lane(portal, place) for place in places]
    while waiting or busy:
        while waiting and free:
            lane, (number, (found, tried)) = free.pop(), waiting.popleft()
            lane.begin(number, found, tried, is_launched(found))
            busy[lane] = tried
        for lane in [lane for lane in busy if not lane.advance()]:
            tell(busy.pop(lane))
            free.append(lane)
        time.sleep(_PAUSE)
