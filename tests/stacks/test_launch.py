"""Launching: from somebody's wish to a stack that runs, or to the reason why not."""

from sqlalchemy import select

from app import db
from app.audit import AuditEntry
from app.catalog import loading
from app.catalog.models import Version
from app.config import ROOT
from app.jobs.history import outcomes_of
from app.stacks import actions, queries, tallies
from app.stacks.actions import Launch
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Duration, Stack, StackEvent
from app.stacks.requests import Request

RESOURCES = {
    "Queue",
    "QueuePolicy",
    "DeadLetterQueue",
    "DeadLetterQueuePolicy",
    "OldestMessageAlarm",
    "DeadLetterAlarm",
}


def audited(stack: Stack) -> list[str]:
    query = select(AuditEntry.action).where(AuditEntry.subject_ref == stack.ref).order_by(AuditEntry.id)
    return list(db.session.scalars(query))


def test_a_queue_of_the_shipped_catalog_comes_up(make, dana, work, cloud):
    make.team("platform")
    loading.load(ROOT / "catalog")
    version = db.session.scalars(select(Version).join(Version.template).filter_by(slug="sqs-queue")).first()
    wanted = Launch(version, make.environment(), make.team(), "refunds", {"VisibilityTimeoutSeconds": "120"})
    stack, job = actions.launch(wanted, Request(dana))

    assert work(job).status == "succeeded"
    assert (stack.status, stack.cloud_status) == (StackStatus.READY, "CREATE_COMPLETE")
    assert stack.running_version_id == stack.version_id == version.id
    assert cloud.status(stack) == "CREATE_COMPLETE"
    outputs = {output["key"]: output["value"] for output in stack.outputs}
    assert outputs["QueueUrl"].endswith(outputs["QueueName"])
    assert {row.logical_id for row in queries.resources_of(stack)} >= RESOURCES
    assert all(row.physical_id and row.status == "CREATE_COMPLETE" for row in queries.resources_of(stack))
    queue_url = outputs["QueueUrl"]
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "120"
    tags = {tag["Key"]: tag["Value"] for tag in cloud.find(stack)["Tags"]}
    assert tags["owner"] == "payments"
    assert tags["slipway:stack"] == stack.ref
    assert audited(stack) == ["stack:launched", "stack:ready"]


def test_how_long_it_took_and_how_it_ended_is_remembered(ready):
    stack = ready()
    learnt = db.session.scalars(select(Duration).where(Duration.template_id == stack.template_id)).all()
    assert {row.logical_id for row in learnt} >= RESOURCES | {""}
    assert all(row.kind == "create" and row.seconds >= 0 for row in learnt)
    assert outcomes_of(stack.template_id).succeeded == 1
    assert tallies.counts_of_environment(stack.environment_id).by_status == {StackStatus.READY: 1}


def test_events_are_kept_once_and_in_order(ready):
    stack = ready()
    events = db.session.scalars(select(StackEvent).where(StackEvent.stack_id == stack.id).order_by(StackEvent.id)).all()
    assert len({event.event_id for event in events}) == len(events)
    moments = [event.occurred_at for event in events]
    assert moments == sorted(moments)
    queue = [event.status for event in events if event.logical_id == "Queue"]
    assert (queue[0], queue[-1]) == ("CREATE_IN_PROGRESS", "CREATE_COMPLETE")
