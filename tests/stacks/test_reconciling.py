"""The reconciler: what is gone, what moved by itself, what nobody knows, and what it never does."""

import itertools
import random
from datetime import timedelta

import pytest
from botocore.client import BaseClient
from sqlalchemy import func, select, update

from app import clock, db
from app.audit import AuditEntry
from app.aws import inventory
from app.aws.cloudformation import StackState
from app.aws.errors import Throttled
from app.jobs.chores import Shift
from app.jobs.engine import Worker
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job
from app.stacks import actions, deciding, orphans, reconciling, sightings
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Resource, Stack, StackEvent
from app.stacks.queries import plan_of
from app.stacks.reconciling import Row, compare
from app.stacks.requests import Request
from tests.support import backups
from tests.support.cloud import REGION

QUEUE = "Resources: {Queue: {Type: AWS::SQS::Queue}}\n"
WRITES = ("Create", "Delete", "Execute", "Update", "Continue", "Cancel")
NUMBERS = (f"7{number:011d}" for number in itertools.count(random.randrange(10**9)))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Rows of a test are seconds old."""
    monkeypatch.setattr(reconciling, "QUIET_SECONDS", -60)
    monkeypatch.setattr(orphans, "LAG", orphans.LAG * 0)


@pytest.fixture(autouse=True)
def account(make):
    """An account nobody else launches into: the cloud is shared by all tests of a process."""
    number = next(NUMBERS)
    role = f"arn:aws:iam::{number}:role/slipway-launch"
    return make.account(name="seabright-nonprod", number=number, role_arn=role)


@pytest.fixture
def theirs(cloud, account):
    """Somebody at the console of that account."""
    return cloud.client(account=account.number)


@pytest.fixture
def calls(monkeypatch):
    """The names of the portal's calls to the cloud, as they are made."""
    names, real = [], BaseClient._make_api_call

    def call(client, operation, arguments):
        if client.meta.config.user_agent_extra == "slipway":
            names.append(operation)
        return real(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return names


@pytest.fixture
def reconcile(app):
    """One round of a worker's own."""

    def round_of(name="a reconciler"):
        db.session.commit()
        for place in reconciling.places():
            reconciling.reconcile_place(place)
        db.session.expire_all()

    return round_of


def remove(theirs, stack):
    theirs.delete_stack(StackName=stack.cloud_name)
    theirs.get_waiter("stack_delete_complete").wait(StackName=stack.cloud_id, WaiterConfig={"Delay": 0.05})


def plant(theirs, name, ref, **tags):
    tags = {"slipway:stack": ref, **tags}
    theirs.create_stack(
        StackName=name, TemplateBody=QUEUE, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
    )
    theirs.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.02})


def forget(stack):
    """Take the stack and all about it out of the database, as an older backup would."""
    jobs = select(Job.id).where(Job.stack_id == stack.id)
    for table in ("plan", "job_step"):
        rows = db.Base.metadata.tables[table]
        db.session.execute(rows.delete().where(rows.c.job_id.in_(jobs)))
    for model in (StackEvent, Resource, Job):
        db.session.execute(model.__table__.delete().where(model.stack_id == stack.id))
    db.session.execute(Stack.__table__.delete().where(Stack.id == stack.id))
    db.session.commit()
    db.session.expire_all()


def entries(ref, action):
    return list(db.session.scalars(select(AuditEntry).filter_by(subject_ref=ref, action=action)))


def test_a_stack_removed_at_the_console_is_lost_and_nothing_else_changes(ready, theirs, reconcile, calls):
    gone, stays = ready(name="refunds"), ready(name="ledger")
    remove(theirs, gone)
    calls.clear()
    reconcile()
    assert (gone.status, stays.status) == (StackStatus.LOST, StackStatus.READY)
    assert "gone from the cloud" in gone.status_reason
    assert len(entries(gone.ref, "stack:lost")) == 1
    # One listing, and one look at the one that seemed gone.
    assert calls.count("DescribeStacks") == 2
    reconcile()
    assert len(entries(gone.ref, "stack:lost")) == 1
    assert calls.count("DescribeStacks") == 3


def test_a_listing_that_ends_early_loses_nothing(ready, theirs, reconcile, monkeypatch):
    stack = ready()
    remove(theirs, stack)

    def partly(client):
        yield from ()
        raise Throttled("The cloud asks for fewer calls.")

    monkeypatch.setattr(inventory, "all_stacks", partly)
    reconcile()
    assert stack.status == StackStatus.READY
    (sighting,) = sightings.sightings()
    assert (sighting.seen_at, sighting.problem) == (None, "The cloud asks for fewer calls.")
    monkeypatch.undo()


def test_a_stack_left_out_of_a_listing_but_there_is_not_lost(ready, reconcile, monkeypatch):
    stack = ready()
    monkeypatch.setattr(inventory, "all_stacks", lambda client: iter(()))
    reconcile()
    assert stack.status == StackStatus.READY


def test_a_stack_with_a_job_is_left_to_the_job(ready, update, theirs, reconcile, calls):
    stack = ready()
    job = update(stack, VisibilityTimeoutSeconds="90")
    remove(theirs, stack)
    calls.clear()
    reconcile()
    assert (stack.status, job.status) == (StackStatus.READY, JobStatus.QUEUED)
    assert calls.count("DescribeStacks") == 1


def test_a_job_asked_for_during_the_round_keeps_its_stack(ready, update, theirs, reconcile, monkeypatch):
    stack = ready()
    remove(theirs, stack)
    real = reconciling.compare

    def then_ask(*args):
        found = real(*args)
        update(stack, VisibilityTimeoutSeconds="90")
        return found

    monkeypatch.setattr(reconciling, "compare", then_ask)
    reconcile()
    assert stack.status == StackStatus.READY


def test_a_change_made_at_the_console_is_noted_and_a_lost_stack_found_again(ready, theirs, reconcile):
    stack = ready()
    theirs.update_stack(
        StackName=stack.cloud_name,
        TemplateBody=QUEUE,
        Tags=[{"Key": "slipway:stack", "Value": stack.ref}],
    )
    theirs.get_waiter("stack_update_complete").wait(StackName=stack.cloud_name, WaiterConfig={"Delay": 0.02})
    reconcile()
    assert (stack.status, stack.cloud_status) == (StackStatus.READY, "UPDATE_COMPLETE")
    assert "had noted CREATE_COMPLETE" in entries(stack.ref, "stack:observed")[0].summary
    reconcile()
    assert len(entries(stack.ref, "stack:observed")) == 1
    db.session.execute(update(Stack).values(status=StackStatus.LOST))
    reconcile()
    assert stack.status == StackStatus.READY


@pytest.mark.parametrize(
    ("status", "cloud_status", "becomes"),
    [
        ("ready", "UPDATE_ROLLBACK_COMPLETE", "ready"),
        ("ready", "UPDATE_ROLLBACK_FAILED", "degraded"),
        ("tainted", "UPDATE_FAILED", "degraded"),
        ("degraded", "UPDATE_ROLLBACK_COMPLETE", "tainted"),
        ("ready", "DELETE_FAILED", "delete_failed"),
        ("ready", "DELETE_IN_PROGRESS", "ready"),
        ("lost", "CREATE_COMPLETE", "ready"),
        ("failed", "ROLLBACK_COMPLETE", "failed"),
        # Up, it seems, but what it holds cannot be looked into.
        ("failed", "CREATE_COMPLETE", "failed"),
        ("ready", "SOMETHING_NEW", "ready"),
    ],
)
def test_what_somebody_else_did_moves_a_stack_only_where_it_would_be_untrue(
    make, account, reconcile, monkeypatch, status, cloud_status, becomes
):
    stack = make.stack(status=StackStatus(status), cloud_id="arn:1", cloud_status="CREATE_COMPLETE")
    state = StackState("arn:1", cloud_status, "Because.", [], {"slipway:stack": stack.ref}, name=stack.cloud_name)
    monkeypatch.setattr(inventory, "all_stacks", lambda client: iter([state]))
    reconcile()
    assert (stack.status, stack.cloud_status) == (becomes, cloud_status)


def test_twenty_orphans_are_reported_after_one_round_and_settled_when_gone(make, theirs, reconcile, calls):
    make.environment()
    for number in range(20):
        plant(theirs, f"planted-{number}", f"stk_PLANT{number:03d}")
    theirs.create_stack(StackName="not-ours", TemplateBody=QUEUE)
    calls.clear()
    reconcile()
    found = orphans.list_orphans()
    assert {orphan.name for orphan in found} == {f"planted-{number}" for number in range(20)}
    assert all(orphan.reason and orphan.first_seen_at for orphan in found)
    assert orphans.count_orphans() == 20
    assert not [name for name in calls if name.startswith(WRITES)]
    assert db.session.scalar(select(func.count()).select_from(Stack)) == 0
    theirs.delete_stack(StackName="planted-7")
    theirs.get_waiter("stack_delete_complete").wait(StackName=found[7].cloud_id, WaiterConfig={"Delay": 0.05})
    reconcile()
    assert orphans.count_orphans() == 19


def test_a_stack_whose_row_is_missing_is_adopted_as_it_was(ready, reconcile, theirs, calls, make):
    stack = ready(name="refunds")
    before = {name: getattr(stack, name) for name in ("ref", "name", "cloud_id", "answers", "version_id", "outputs")}
    resources = set(db.session.scalars(select(Resource.logical_id)))
    forget(stack)
    calls.clear()
    reconcile()
    found = db.session.scalars(select(Stack)).one()
    assert {name: getattr(found, name) for name in before} == before
    assert (found.status, found.team.slug, found.environment.slug) == ("ready", "payments", "payments-staging")
    assert set(db.session.scalars(select(Resource.logical_id))) == resources
    assert (found.created_by.name, found.created_by.is_active) == ("Slipway", False)
    assert len(entries(found.ref, "stack:adopted")) == 1
    assert not [name for name in calls if name.startswith(WRITES)]
    assert orphans.count_orphans() == 0
    reconcile()
    assert len(entries(found.ref, "stack:adopted")) == 1


def test_an_adopted_stack_can_be_changed_and_deleted(ready, update, work, reconcile, dana, sign_in):
    forget(ready(name="refunds"))
    reconcile()
    stack = db.session.scalars(select(Stack)).one()
    page = sign_in(dana)
    for address in (f"/stacks/{stack.ref}", "/jobs", "/", f"/jobs/{db.session.scalars(select(Job.ref)).one()}"):
        assert page.get(address).status_code == 200
    job = work(update(stack, VisibilityTimeoutSeconds="90"))
    assert job.status == JobStatus.WAITING, job.failure
    deciding.request_cancel(job, Request(dana))
    work(job)
    job = work(actions.request_delete(stack, stack.name, Request(dana)))
    assert (job.status, stack.status) == (JobStatus.SUCCEEDED, StackStatus.DELETED)
    # What happened before it was adopted is not this job's doing.
    of_job = set(db.session.scalars(select(StackEvent.status).where(StackEvent.job_id == job.id)))
    assert of_job == {"DELETE_IN_PROGRESS", "DELETE_COMPLETE"}


def test_what_is_not_certain_is_left_to_a_person(ready, reconcile, theirs):
    stack = ready(name="refunds")
    ref, name = stack.ref, stack.cloud_name
    theirs.update_stack(StackName=name, TemplateBody=QUEUE)
    theirs.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 0.02})
    forget(stack)
    reconcile()
    (orphan,) = orphans.list_orphans()
    assert (orphan.ref, orphan.status) == (ref, "UPDATE_COMPLETE")
    assert orphan.reason == "Its body is not that of any version of sqs-queue."


def test_what_slipway_believes_deleted_is_reported_and_not_revived(ready, reconcile):
    stack = ready(name="refunds")
    db.session.execute(update(Stack).values(status=StackStatus.DELETED, deleted_at=db.now(-600)))
    reconcile()
    (orphan,) = orphans.list_orphans()
    assert "believes refunds" in orphan.reason
    assert stack.status == StackStatus.DELETED


def test_a_copy_of_the_mark_does_not_make_a_stack_ours(ready, reconcile, theirs):
    stack = ready(name="refunds")
    plant(theirs, "copycat", stack.ref)
    reconcile()
    (orphan,) = orphans.list_orphans()
    assert (orphan.name, stack.status) == ("copycat", StackStatus.READY)
    assert "somebody copied the tags" in orphan.reason


def test_a_stack_under_our_name_with_another_mark_is_not_ours(make):
    row = Row(1, "stk_ABCDEFGH", "refunds-abcdefgh", "arn:1", StackStatus.READY, "CREATE_COMPLETE", None, False)
    other = StackState("arn:1", "CREATE_COMPLETE", "", [], {"slipway:stack": "stk_OTHER"}, name="refunds-abcdefgh")
    found = compare([row], [other], clock.now())
    assert (found.missing, found.strange, found.same, found.moved) == ([row], [other], [], [])


def test_what_a_job_saw_just_now_is_not_judged_by_a_listing_that_lags(make):
    now = clock.now()
    row = Row(1, "stk_ABCDEFGH", "refunds-abcdefgh", "arn:1", StackStatus.READY, "UPDATE_COMPLETE", now, False)
    old = StackState("arn:1", "UPDATE_IN_PROGRESS", "", [], {"slipway:stack": row.ref}, name=row.cloud_name)
    for listed in ([], [old]):
        found = compare([row], listed, now - timedelta(seconds=60))
        assert (found.missing, found.moved) == ([], [])


def test_the_chores_can_be_switched_off(make_app, cloud):
    names = {chore.name for chore in make_app().extensions["chores"]}
    assert {"reconcile", "retention", "revive"} <= names
    off = make_app(RECONCILE_SECONDS="0", RETENTION_SECONDS="0")
    assert names - {chore.name for chore in off.extensions["chores"]} == {"reconcile", "retention"}


def test_a_place_that_breaks_keeps_no_other_from_being_looked_at(make, theirs, app, monkeypatch):
    make.environment()
    make.environment("orders-staging")
    real = reconciling.reconcile_place

    def breaks(place):
        if place.region == REGION:
            raise ValueError("odd")
        real(place)

    monkeypatch.setattr(reconciling, "reconcile_place", breaks)
    db.session.commit()
    reconciling.reconcile(Shift(Worker("one", 30), lambda: None))
    assert {each.region: each.seen_at is not None for each in sightings.sightings()} == {
        REGION: False, "us-east-1": True,
    }  # fmt: skip


def test_a_place_is_compared_by_one_worker_once_a_round(make, theirs, calls):
    make.environment()
    db.session.commit()
    for name in ("one", "two", "one"):
        reconciling.reconcile(Shift(Worker(name, 30), lambda: None))
    assert calls.count("DescribeStacks") == 1


def test_after_the_restore_of_an_older_backup_nothing_is_doubled(
    launch, ready, work, update, reconcile, theirs, calls, dana
):
    """T19: what was launched since is adopted, what was deleted since is lost, what was under way ends once."""
    stays, changed, gone = ready(name="stays"), ready(name="changed"), ready(name="gone")
    stack, under_way = launch(name="under-way")
    work.up_to(under_way, "execute")
    backup = backups.take()

    assert work(under_way).status == "succeeded"
    since = [ready(name=name).ref for name in ("later", "last")]
    change = work(update(changed, VisibilityTimeoutSeconds="90"))
    deciding.confirm_plan(plan_of(change), plan_of(change).digest, Request(dana))
    assert work(change).status == "succeeded"
    assert work(actions.request_delete(gone, gone.name, Request(dana))).status == "succeeded"
    there = sorted(each["StackId"] for each in theirs.describe_stacks()["Stacks"])

    backups.restore(backup)
    calls.clear()
    reconcile()
    assert not [name for name in calls if name.startswith(WRITES)]
    status = dict(db.session.execute(select(Stack.ref, Stack.status)).all())
    assert {ref: status[ref] for ref in since} == dict.fromkeys(since, "ready")
    assert (status[stays.ref], status[gone.ref], status[stack.ref]) == ("ready", "lost", "creating")
    assert db.session.scalar(select(Stack.cloud_status).where(Stack.ref == changed.ref)) == "UPDATE_COMPLETE"
    assert orphans.count_orphans() == 0

    job = db.session.scalars(select(Job).where(Job.ref == under_way.ref)).one()
    work.expire(job)
    assert work(job).status == "succeeded", job.failure
    assert sorted(each["StackId"] for each in theirs.describe_stacks()["Stacks"]) == there
    assert "CreateStack" not in calls
    assert "CreateChangeSet" not in calls


def test_a_launch_that_an_older_backup_begins_again_is_found_ready(launch, work, reconcile, theirs, calls):
    """The row says queued, the stack is up: the job may not take it, and the reconciler knows it by its body."""
    stack, job = launch(name="refunds", VisibilityTimeoutSeconds="90")
    ref, answers, backup = stack.ref, stack.answers, backups.take()
    assert work(job).status == "succeeded"
    backups.restore(backup)
    calls.clear()
    job = db.session.scalars(select(Job)).one()
    work.expire(job)
    assert work(job).status == "failed"
    reconcile()
    stack = db.session.scalars(select(Stack)).one()
    assert (stack.ref, stack.status, stack.running_answers) == (ref, "ready", answers)
    assert stack.outputs
    assert db.session.scalar(select(func.count()).select_from(Resource))
    assert not [name for name in calls if name.startswith(WRITES)]
    assert len(theirs.describe_stacks()["Stacks"]) == 1
    reconcile()
    assert len(entries(ref, "stack:ready")) == 1
