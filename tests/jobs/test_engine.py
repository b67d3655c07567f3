"""The engine: claims, fences, leases, attempts, patience, deadlines."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError

from app import clock, db
from app.errors import Problem
from app.jobs import engine, lifecycle, outbox
from app.jobs.decisions import GiveBack
from app.jobs.engine import MOST_ATTEMPTS, due
from app.jobs.flows import Again, Cancelled, Done, Hold, Skip, Stop
from app.jobs.lifecycle import JobStatus
from app.jobs.models import EPOCH, Job, Outbox
from app.jobs.run import LeaseLost
from app.jobs.worker import resend
from tests.support.work import Stopped, Work


class Busy(Problem):
    """What the outside answers when it asks for patience."""

    patience = 3


class Expired(Problem):
    """What it answers once to whoever comes with old credentials."""

    patience = 1


def steps_of(job):
    return {step.key: str(step.status) for step in job.steps}


def test_steps_run_in_order_and_leave_their_notes(rehearse, work):
    seen = []
    job = rehearse(
        first=lambda run: seen.append("first") or Done("one", {"n": 1}),
        second=lambda run: seen.append("second") or Skip("not here"),
    )
    assert work(job).status == JobStatus.SUCCEEDED
    assert seen == ["first", "second"]
    assert steps_of(job) == {"first": "done", "second": "skipped"}
    assert [(step.note, step.output) for step in job.steps] == [("one", {"n": 1}), ("not here", None)]
    assert job.finished_at is not None
    assert job.lease_owner is None


def test_an_outcome_is_written_in_the_transaction_of_the_end(rehearse, work):
    ends = []
    job = rehearse(only=lambda run: Stop({"sentence": "No."}), ended=lambda run, status: ends.append(status))
    assert work(job).status == JobStatus.FAILED
    assert (ends, job.failure["sentence"], steps_of(job)) == (["failed"], "No.", {"only": "failed"})


def test_a_job_is_left_alone_until_its_time(rehearse, work):
    job = rehearse(only=lambda run: Again(60))
    assert work.once(job)
    assert not work.once(job)
    assert job.status == JobStatus.RUNNING
    assert job.id not in due()
    work.expire(job)
    assert job.id in due()
    assert work.once(job)


def test_a_held_job_waits_for_a_person_and_for_nothing_else(rehearse, work):
    job = rehearse(only=lambda run: Hold("say yes"))
    assert work(job).status == JobStatus.WAITING
    assert not work.once(job)
    assert job.id not in due()


def test_only_one_of_many_workers_gets_the_claim(rehearse, app):
    job = rehearse(only=lambda run: Again(60))
    job_id, gate, got = job.id, threading.Barrier(8), []

    def claim(number):
        with app.app_context():
            gate.wait()
            got.append(Work(app, f"worker {number}").worker.claim(job_id))

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([run for run in got if run is not None]) == 1


def test_a_dead_workers_job_is_taken_over_once_its_lease_has_run_out(rehearse, work, app):
    def die(run):
        raise Stopped

    deeds = [die, lambda run: Done("by another")]
    job = rehearse(only=lambda run: deeds.pop(0)(run))
    with pytest.raises(Stopped):
        work.once(job)
    other = Work(app, "another")
    assert not other.once(job)
    work.expire(job)
    assert other.once(job)
    assert (job.status, job.fence, job.steps[0].note) == (JobStatus.SUCCEEDED, 2, "by another")


def test_a_worker_with_an_old_fence_writes_nothing(rehearse, work, app):
    """It was stopped for longer than its lease, and wakes in the middle of its step."""
    other, claims = Work(app, "another"), []

    def sleep_too_long(run):
        claims.append(run)
        if run.fence == 1:
            db.session.execute(update(Job).where(Job.id == run.job_id).values(lease_until=EPOCH))
            db.session.commit()
            with app.app_context():
                other.worker.run(run.job_id)
        return Done(f"by fence {run.fence}")

    job = rehearse(only=sleep_too_long)
    assert work.once(job)
    assert (job.status, job.fence, job.steps[0].note) == (JobStatus.SUCCEEDED, 2, "by fence 2")
    with pytest.raises(LeaseLost), claims[0].writing() as row:
        row.payload = {"stolen": True}
    db.session.rollback()
    assert job.payload == {}


def test_a_write_renews_the_lease_and_the_heartbeat_too(rehearse, work, app):
    job = rehearse(only=lambda run: Again(60))
    run = work.worker.claim(job.id)
    work.worker.held[job.id] = run.fence
    db.session.execute(update(Job).where(Job.id == job.id).values(lease_until=clock.now() + timedelta(seconds=2)))
    db.session.commit()
    work.worker.heartbeat()
    db.session.refresh(job)
    assert job.lease_until > clock.now() + timedelta(seconds=20)


def test_a_heartbeat_does_not_keep_a_job_that_was_just_let_go(rehearse, work):
    job = rehearse(only=lambda run: Again(0))
    run = work.worker.claim(job.id)
    work.worker.held[job.id] = run.fence
    run.let_go(GiveBack(0, attempts=0))
    work.worker.heartbeat()
    db.session.refresh(job)
    assert job.lease_until == EPOCH
    assert work.worker.held == {}


def test_a_job_taken_over_within_the_process_keeps_its_new_heartbeat(rehearse, work, app):
    def overtaken(run):
        if run.fence == 1:
            work.worker.held[run.job_id] = 2
        return Again(60)

    job = rehearse(only=overtaken)
    work.once(job)
    assert work.worker.held == {job.id: 2}


def test_what_keeps_breaking_needs_attention_after_five_attempts(rehearse, work, caplog):
    tries = []

    def break_down(run):
        tries.append(run.attempt)
        raise RuntimeError("poison")

    job = rehearse(only=break_down)
    for _ in range(MOST_ATTEMPTS + 1):
        work.once(job)
        work.expire(job)
    assert tries == [1, 2, 3, 4, 5]
    assert job.status == JobStatus.NEEDS_ATTENTION
    assert "tried 5 times" in job.failure["sentence"]
    assert not work.once(job)


def test_killing_its_worker_counts_as_an_attempt_too(rehearse, work):
    def kill(run):
        raise Stopped

    job = rehearse(only=kill)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(Stopped):
            work.once(job)
        work.expire(job)
    work.once(job)
    assert job.status == JobStatus.NEEDS_ATTENTION


def test_what_needs_attention_can_be_resumed_with_its_secrets(rehearse, work):
    broken = [True] * MOST_ATTEMPTS

    def mend(run):
        if broken:
            broken.pop()
            raise RuntimeError
        return Done()

    job = rehearse(only=mend)
    job.sealed = b"sealed"
    db.session.commit()
    for _ in range(MOST_ATTEMPTS + 1):
        work.once(job)
        work.expire(job)
    assert (job.status, job.sealed) == (JobStatus.NEEDS_ATTENTION, b"sealed")
    lifecycle.apply(job, lifecycle.RESUME, next_run_at=EPOCH)
    assert work(job).status == JobStatus.SUCCEEDED
    assert job.sealed is None


def test_an_end_that_cannot_be_written_counts_and_is_not_lost(rehearse, work):
    def cannot(run, status):
        raise Problem("The stack is in the way.")

    job = rehearse(ended=cannot)
    for _ in range(MOST_ATTEMPTS + 1):
        work.once(job)
        work.expire(job)
    assert job.status == JobStatus.NEEDS_ATTENTION
    # The last step's end and the job's are one transaction: neither is there without the other.
    assert steps_of(job) == {"only": "active"}


def test_patience_is_asked_for_with_growing_pauses_and_ends(rehearse, work):
    def busy(run):
        raise Busy("Too many calls.")

    job = rehearse(only=busy)
    pauses = []
    for _ in range(4):
        before = clock.now()
        work.once(job)
        pauses.append((job.next_run_at - before).total_seconds())
        if job.status == JobStatus.RUNNING:
            assert (job.attempts, job.steps[0].note) == (0, "Too many calls.")
        work.expire(job)
    assert 0.7 < pauses[0] < 2 < pauses[2] < 6
    assert (job.status, job.failure["sentence"]) == (JobStatus.FAILED, "Too many calls.")


@pytest.mark.parametrize(("last", "status"), [(None, "succeeded"), (Expired("e"), "failed")])
def test_each_kind_of_problem_is_borne_for_itself(rehearse, work, last, status):
    """Credentials that expire after some throttled calls are no reason to give up what may have begun already."""
    answers = [Busy("a"), Busy("b"), Expired("c"), last]

    def ask(run):
        if answer := answers.pop(0):
            raise answer
        return Done()

    job = rehearse(only=ask)
    for _ in range(4):
        work.once(job)
        if job.status == JobStatus.RUNNING:
            work.expire(job)
    assert job.status == status


def test_patience_begins_anew_after_an_answer(rehearse, work):
    answers = [Busy("a"), Busy("b"), Busy("c"), None, Busy("d"), Busy("e"), Busy("f"), None]

    def ask(run):
        answer = answers.pop(0)
        if answer:
            raise answer
        return Again(0) if answers else Done()

    job = rehearse(only=ask)
    while job.status in lifecycle.RUNNABLE:
        work.once(job)
        work.expire(job)
    assert job.status == JobStatus.SUCCEEDED


def test_a_worker_that_was_stopped_asks_before_it_does_anything_outside(rehearse, work, app):
    """Stopped between its decision and its deed, for longer than its lease; another has ended the job meanwhile."""
    job = rehearse(only=lambda run: Done())
    stopped = work.worker.claim(job.id)
    assert stopped.done(lambda: "done") == "done"
    work.expire(job)
    assert Work(app, "another").once(job)
    stopped.proved_at -= 60
    with pytest.raises(LeaseLost):
        stopped.done(lambda: pytest.fail("was done twice"))


def test_a_locked_database_is_no_attempt(rehearse, work):
    locks = [1] * 7

    def write(run):
        if locks:
            locks.pop()
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        return Done()

    job = rehearse(only=write)
    for _ in range(8):
        work.once(job)
        work.expire(job)
    assert job.status == JobStatus.SUCCEEDED


def test_a_repeated_step_knows_it(rehearse, work):
    repeats = []

    def look(run):
        repeats.append(run.is_repeat)
        return Again(0) if len(repeats) < 2 else Done()

    work(rehearse(only=look))
    assert repeats == [False, True]


def test_cancelling_stops_before_the_next_step(rehearse, work):
    job = rehearse(first=lambda run: Again(0), second=lambda run: pytest.fail("acted after the cancel"))
    work.once(job)
    job.cancel_requested_at = clock.now()
    assert work(job).status == JobStatus.CANCELLED


def test_taking_back_may_take_several_looks(rehearse, work):
    looks = [Again(0), Again(0), Cancelled("gone")]
    job = rehearse(cancel=lambda run: looks.pop(0))
    job.cancel_requested_at = clock.now()
    assert work(job).status == JobStatus.CANCELLED
    assert looks == []


def test_a_step_that_handles_the_cancel_itself_is_asked(rehearse, work):
    job = rehearse(only=lambda run: Cancelled("undone"), handles_cancel=("only",))
    job.cancel_requested_at = clock.now()
    assert work(job).status == JobStatus.CANCELLED


def test_nothing_begins_after_the_deadline(rehearse, work):
    job = rehearse(only=lambda run: pytest.fail("began too late"))
    job.deadline_at = EPOCH
    assert work(job).status == JobStatus.FAILED
    assert "time limit" in job.failure["sentence"]


@pytest.mark.parametrize(("outcome", "status"), [(Again(1), "failed"), (Done(), "succeeded")])
def test_at_the_deadline_it_is_looked_at_once_more(rehearse, work, outcome, status):
    job = rehearse(only=lambda run: outcome, handles_cancel=("only",))
    job.deadline_at = EPOCH
    assert work(job).status == status


def test_a_wake_up_is_forgotten_once_heard_and_sent_again_until_then(rehearse, work, monkeypatch):
    sent = []
    monkeypatch.setattr(outbox, "send", lambda job_id: sent.append(job_id) or True)
    job = rehearse(only=lambda run: Again(60))
    outbox.announce(job.id)
    db.session.commit()
    assert sent == [job.id]
    assert outbox.pending() == []
    db.session.execute(update(Outbox).values(created_at=EPOCH))
    db.session.commit()
    resend()
    assert sent == [job.id, job.id]
    work.once(job)
    assert db.session.scalars(select(Outbox)).all() == []


def test_a_wake_up_of_what_was_rolled_back_is_not_sent(rehearse, monkeypatch):
    sent = []
    monkeypatch.setattr(outbox, "send", lambda job_id: sent.append(job_id) or True)
    job = rehearse()
    outbox.announce(job.id)
    db.session.rollback()
    with db.session.begin_nested():
        outbox.announce(job.id)
    assert sent == []
    db.session.commit()
    assert sent == [job.id]


def test_what_was_read_stays_readable_after_letting_the_database_go(rehearse, work, app):
    """A look at a row in the middle of a call to the outside must not begin a transaction that lasts as long."""
    seen, began = [], []

    def call_outside(run):
        job = run.job
        db.release()
        began.clear()
        seen.append((job.ref, job.kind, job.steps[0].key, len(began)))
        return Done()

    event.listen(app.extensions["engine"], "begin", began.append)
    job = rehearse(only=call_outside)
    work(job)
    assert seen == [(job.ref, "rehearse", "only", 0)]


def test_what_was_changed_is_forgotten_when_letting_go(rehearse):
    job = rehearse()
    job.via = "cron"
    db.release()
    assert db.session.get(Job, job.id).via == "page"


def test_a_broken_flow_of_one_job_stops_no_other(rehearse, work, make):
    broken = rehearse(only=lambda run: 1 / 0)
    work.once(broken)
    fine = make.job(kind="rehearse", status=JobStatus.QUEUED, stack=make.stack())
    engine.add_steps(fine)
    db.session.commit()
    assert {broken.id, fine.id} & set(due()) == {fine.id}


def test_a_job_somebody_keeps_locked_is_not_waited_for(app, rehearse, work):
    """A process that hangs in the middle of a transaction must not hang the threads of every other worker too."""
    job, portal, answers = rehearse(), app.extensions["engine"], []
    job_id = job.id
    db.session.commit()

    def claim():
        with app.app_context():
            answers.append(work.worker.run(job_id))

    with portal.connect() as other:
        if portal.dialect.name == "postgresql":
            # On SQLite one transaction at a time writes, so there a lock is never a single row's.
            other.execute(update(Job).where(Job.id == job_id).values(attempts=0))
        thread = threading.Thread(target=claim)
        thread.start()
        thread.join(5)
        assert answers == [portal.dialect.name == "sqlite"]
        other.rollback()
    assert work.once(job) is (portal.dialect.name == "postgresql")
