"""The operations page: who may see it, what it tells, what can be done from it."""

import html
import re
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app import clock, db
from app.audit import AuditEntry
from app.jobs.decisions import JobFacts
from app.jobs.lifecycle import JobStatus
from app.jobs.models import EPOCH, Outbox
from app.jobs.run import LeaseLost, Run
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Stack
from tests.ops.conftest import GONE, LIVES, seen


def text_of(answer):
    assert answer.status_code == 200, answer.text[:500]
    return words(answer.text)


def words(markup):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def rows(answer):
    """The stacks of the queue's rows, and all words of each row."""
    body = answer.text.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in answer.text else ""
    return {re.search(r'/stacks/\w+">([^<]+)', row)[1]: words(row) for row in body.split("</tr>")[:-1]}


def tiles(answer):
    found = re.findall(r'<a class="tile".*?</a>', answer.text, re.S)
    return [words(tile) for tile in found]


@pytest.mark.parametrize(
    ("username", "status"),
    [("petra", 200), ("ada", 200), ("dana", 403), ("omar", 403), ("mona", 403), ("alan", 403)],
)
def test_it_is_for_those_who_run_the_platform(make, sign_in, stopped, username, status):
    job = stopped()
    browser = sign_in(make.person(username))
    assert browser.get("/operations").status_code == status
    assert ("/operations" in browser.get("/").text) == (status == 200)
    assert browser.get(f"/jobs/{job.ref}/give-up").status_code == status
    assert browser.post(f"/jobs/{job.ref}/release").status_code == (409 if status == 200 else 403)
    answer = browser.post(f"/jobs/{job.ref}/abandonment", data={"reason": "The account was closed."})
    assert answer.status_code == (303 if status == 200 else 403)


def test_an_empty_queue_explains_itself(petra):
    page = text_of(petra.get("/operations"))
    assert "The queue is empty" in page
    assert "No worker lives." in page
    assert "hx-get" not in petra.get("/operations").text


def test_the_tiles_count_each_part(everything, petra):
    assert tiles(petra.get("/operations")) == [
        "Needs attention 1 job oldest 2 h",
        "Held by workers 2 on 2 workers no lease lost",
        "Due now 1 oldest 41 s none for over 60 s",
        "Between two looks 1 no worker needed",
        "Waiting for people 1 oldest 2 h",
        "Workers alive 1 1 silent 0 wake-ups not acted on",
    ]


def test_the_queue_is_oldest_first_and_leaves_out_what_has_ended(everything, petra):
    assert list(rows(petra.get("/operations"))) == ["stopped", "due", "held", "abandoned", "resting", "waiting"]


def test_a_row_tells_the_step_the_lease_and_the_next_look(everything, petra):
    found = rows(petra.get("/operations"))
    lease = rf"{LIVES} for (19|20) s, fence 1 1"
    assert re.search(rf"2 h old held create in .* Running now 2 Planning 3 min {lease}", found["held"])
    assert re.search(rf"{GONE} silent, for [45] s", found["abandoned"])
    assert "due 41 s" in found["due"]
    assert re.search(r"in (29|30) s", found["resting"])
    assert "update in payments-staging" in found["waiting"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("part=due", ["due"]),
        ("part=held", ["held", "abandoned"]),
        ("part=resting", ["resting"]),
        ("part=waiting", ["waiting"]),
        ("part=needs_attention", ["stopped"]),
        (f"worker={GONE}", ["abandoned"]),
        ("part=nonsense", ["stopped", "due", "held", "abandoned", "resting", "waiting"]),
        ("worker=nobody", []),
        ("after=x", ["stopped", "due", "held", "abandoned", "resting", "waiting"]),
    ],
)
def test_the_queue_is_narrowed(everything, petra, query, expected):
    assert list(rows(petra.get(f"/operations?{query}"))) == expected


def test_pages_of_the_queue_meet_every_job_once(queued, petra):
    for number in range(120):
        queued(f"queue-{number:03}")
    address, met = "/operations", []
    while address:
        page = petra.get(address)
        met += rows(page)
        more = re.search(r'href="([^"]+after=[^"]+)"', page.text)
        address = html.unescape(more[1]) if more else None
    assert met == [f"queue-{number:03}" for number in range(120)]


def test_the_number_of_queries_does_not_grow_with_the_queue(queued, stopped, petra, count_queries):
    counted, number = [], 0
    for many in (1, 10, 100):
        while number < many:
            number += 1
            queued(f"due-{number}")
            queued(f"held-{number}", lease=20, holder=f"host:{number}")
            stopped(f"stopped-{number}")
        with count_queries() as queries:
            assert petra.get("/operations").status_code == 200
        counted.append(len(queries))
    assert len(set(counted)) == 1, counted


def test_it_asks_for_itself_again_only_while_something_moves(queued, stopped, petra):
    stopped()
    assert "hx-trigger" not in petra.get("/operations").text
    queued("due")
    page = petra.get("/operations?part=due")
    assert 'hx-get="/operations?part=due" hx-trigger="every 2s"' in page.text
    part = petra.get("/operations?part=due", htmx=True)
    assert part.text.lstrip().startswith("<hx-partial")
    assert "<html" not in part.text


def test_jobs_that_nobody_takes_are_said(queued, petra):
    job = queued("due", due=-90)
    queued("also", due=-70)
    page = text_of(petra.get("/operations"))
    assert f"2 jobs have been due for over 60 s and nobody took them: {job.ref} for 1 min 30 s." in page


def test_workers_are_listed_with_what_they_hold(everything, queued, petra):
    queued("orphan", lease=20, holder="host:3")
    page = petra.get("/operations?tab=workers")
    assert list(re.findall(r'<th scope="row">([^<]+)', page.text)) == [LIVES, GONE, "host:3"]
    assert re.search(rf"{LIVES} Lives 1 .* {GONE} Silent for 2[56] s 1 .* host:3 Gone 1 –", text_of(page))


def held(job):
    """The claim of a worker that took the job before, as that worker still believes it to be."""
    claimed = SimpleNamespace(id=job.id, ref=job.ref, fence=job.fence, request_id=None, now=clock.now())
    return Run(claimed, JobFacts(job.kind, 1, False, False, ()), 30)


class TestAttention:
    """The one safe action comes first, and works."""

    def test_a_stopped_job_says_why_and_is_resumed(self, stopped, petra):
        job = stopped("refunds")
        page = petra.get("/operations")
        assert "Create of refunds in payments-staging: Slipway tried 5 times" in text_of(page)
        assert "Asked for by Dana Reyes for payments" in text_of(page)
        assert re.search(r"step 2 Planning .*step begun 6 times", text_of(page))
        assert page.text.index("Resume it") < page.text.index("Give up")
        answer = petra.post(f"/jobs/{job.ref}/resumption", data={"back": "/operations"})
        assert (answer.status_code, answer.location) == (303, "/operations")
        assert job.status == JobStatus.QUEUED

    def test_nobody_is_sent_elsewhere(self, stopped, petra):
        job = stopped()
        answer = petra.post(f"/jobs/{job.ref}/resumption", data={"back": "//evil.example"})
        assert answer.location.startswith("/stacks/")

    def test_a_job_of_a_silent_worker_is_released(self, queued, petra, app):
        seen(GONE, ago=25)
        job = queued("refunds", lease=25, holder=GONE, fence=3)
        stale = held(job)
        page = text_of(petra.get("/operations"))
        assert f"{job.ref} is held by a worker that is gone" in page
        assert f"{GONE} took it and is not seen any more." in page
        assert petra.post(f"/jobs/{job.ref}/release").status_code == 303
        assert (job.lease_owner, job.lease_until, job.fence) == (None, EPOCH, 4)
        assert db.session.scalars(select(Outbox.job_id)).all() == [job.id]
        assert "host:2" in db.session.scalars(select(AuditEntry.summary)).all()[-1]
        with pytest.raises(LeaseLost), stale.writing():
            pass

    def test_a_job_of_a_worker_that_lives_is_not(self, queued, petra):
        seen(LIVES)
        job = queued("refunds", lease=25)
        assert "is held by a worker that is gone" not in text_of(petra.get("/operations"))
        answer = petra.post(f"/jobs/{job.ref}/release")
        assert answer.status_code == 409
        assert f"{LIVES} holds {job.ref} and lives: stop that worker first." in text(answer)
        assert job.lease_owner == LIVES

    def test_a_job_nobody_holds_needs_no_release(self, queued, petra):
        answer = petra.post(f"/jobs/{queued('refunds').ref}/release")
        assert answer.status_code == 409
        assert "No worker holds" in text(answer)


def text(answer):
    return words(answer.text)


class TestGivingUp:
    """A job that is given up ends, and its stack is not left in between."""

    def give_up(self, browser, job, reason="The account was closed."):
        return browser.post(f"/jobs/{job.ref}/abandonment", data={"reason": reason, "back": "/operations"})

    @pytest.mark.parametrize(
        ("kind", "before", "cloud", "after"),
        [
            ("create", StackStatus.CREATING, None, StackStatus.FAILED),
            ("update", StackStatus.UPDATING, "UPDATE_IN_PROGRESS", StackStatus.DEGRADED),
            ("update", StackStatus.UPDATING, "UPDATE_ROLLBACK_COMPLETE", StackStatus.TAINTED),
            ("update", StackStatus.READY, "CREATE_COMPLETE", StackStatus.READY),
            ("delete", StackStatus.DELETING, "DELETE_IN_PROGRESS", StackStatus.DELETE_FAILED),
            ("delete", StackStatus.READY, "CREATE_COMPLETE", StackStatus.READY),
        ],
    )
    def test_the_stack_is_settled_as_the_page_foretold(self, stopped, petra, kind, before, cloud, after):
        job = stopped("refunds", kind=kind, sealed=b"sealed")
        stack = db.session.get_one(Stack, job.stack_id)
        stack.status, stack.cloud_status = before, cloud
        foretold = text_of(petra.get(f"/jobs/{job.ref}/give-up"))
        said = after.replace("_", " ")
        assert (f"becomes {said}." if after != before else f"stays as it is: {said}.") in foretold
        answer = self.give_up(petra, job)
        assert (answer.status_code, answer.location) == (303, "/operations")
        assert (job.status, job.sealed, stack.status) == (JobStatus.FAILED, None, after)
        assert job.finished_at is not None
        assert job.failure["sentence"] == "Petra Novak gave it up: The account was closed."
        assert job.failure["reason"].startswith("Slipway tried 5 times")
        assert "job:given_up" in db.session.scalars(select(AuditEntry.action)).all()
        assert "The account was closed." in text_of(petra.get(f"/stacks/{stack.ref}"))

    @pytest.mark.parametrize(
        ("reason", "sentence"),
        [("  ", "Say why"), ("x" * 301, "At most 300 characters; this has 301."), ("a\0b", "cannot be kept")],
    )
    def test_a_reason_has_to_be_given(self, stopped, petra, reason, sentence):
        job = stopped()
        answer = self.give_up(petra, job, reason)
        assert answer.status_code == 422
        assert sentence in text(answer)
        assert reason.strip("\0 ")[:5] in answer.text
        assert job.status == JobStatus.NEEDS_ATTENTION

    def test_it_is_done_once(self, stopped, petra):
        job = stopped()
        assert self.give_up(petra, job).status_code == 303
        assert self.give_up(petra, job).status_code == 409
        assert "can no longer be given up" in text_of(petra.get(f"/jobs/{job.ref}/give-up"))

    def test_only_what_needs_attention_can_be(self, queued, petra):
        job = queued("refunds")
        assert self.give_up(petra, job).status_code == 409
        assert job.status == JobStatus.QUEUED
