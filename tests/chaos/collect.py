"""Gathers the evidence of a run: rows by plain selects, stacks and their events from the cloud itself."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from flask import Flask
from sqlalchemy import Connection, Text, cast, select

from app import db
from app.audit import AuditEntry
from app.db import Base
from app.jobs.models import Job
from app.stacks.models import Stack
from tests.chaos import watch
from tests.chaos.calls import Call
from tests.chaos.evidence import AuditRow, CloudEvent, CloudStack, Evidence, JobRow, StackRow
from tests.chaos.history import Entry
from tests.support.cloud import Cloud

# The demo's accounts and regions.
PLACES = tuple(
    (account, region) for account in ("111122223333", "444455556666") for region in ("eu-west-1", "us-east-1")
)
STACK_TYPE = "AWS::CloudFormation::Stack"


def evidence_of(
    app: Flask,
    cloud: Cloud,
    calls: Sequence[Call],
    history: Sequence[Entry],
    *,
    foreign: Collection[str] = (),
    canaries: Sequence[str] = (),
    texts: Mapping[str, str] | None = None,
    places: Iterable[tuple[str, str]] = PLACES,
    grace_seconds: float = 60,
) -> Evidence:
    """Return what is known now. Ask once everything is quiet; the watch must have been installed before the run.

    With canaries every row of the database is read as text too, beside the texts given.
    """
    with app.extensions["engine"].connect() as connection:
        database = database_texts(connection) if canaries else {}
        return Evidence(
            now=connection.execute(select(db.now())).scalar_one(),
            history=history,
            calls=calls,
            cloud=cloud_stacks(cloud, calls, places),
            jobs=_jobs(connection),
            stacks=_stacks(connection),
            audit=_audit(connection),
            job_log=watch.job_log(connection),
            stack_log=watch.stack_log(connection),
            foreign=frozenset(foreign),
            canaries=canaries,
            texts={**database, **(texts or {})},
            grace_seconds=grace_seconds,
        )


def _jobs(connection: Connection) -> list[JobRow]:
    names = ("id", "ref", "kind", "status", "stack_id", "failure", "lease_owner", "lease_until", "next_run_at")
    columns = [Job.__table__.c[name] for name in names]
    query = select(*columns, Job.idempotency_key.label("key")).order_by(Job.id)
    return [JobRow(**{**row, "status": str(row["status"])}) for row in connection.execute(query).mappings()]


def _stacks(connection: Connection) -> list[StackRow]:
    names = ("id", "ref", "status", "cloud_name", "cloud_id", "cloud_status", "status_reason")
    query = select(*(Stack.__table__.c[name] for name in names)).order_by(Stack.id)
    return [StackRow(**{**row, "status": str(row["status"])}) for row in connection.execute(query).mappings()]


def _audit(connection: Connection) -> list[AuditRow]:
    beginning = select(watch.BEGINNING.c.audit_id).scalar_subquery()
    query = select(AuditEntry.action, AuditEntry.subject_ref).where(
        AuditEntry.subject_type == "stack", AuditEntry.id > beginning
    )
    return [AuditRow(action, ref) for action, ref in connection.execute(query.order_by(AuditEntry.id))]


def cloud_stacks(cloud: Cloud, calls: Sequence[Call], places: Iterable[tuple[str, str]] = PLACES) -> list[CloudStack]:
    """Return every stack there is now, and the deleted ones whose ids the calls tell. Asks the cloud past the proxy."""
    found = []
    for account, region in places:
        client = cloud.client(account=account, region=region)
        pages = client.get_paginator("describe_stacks").paginate()
        live = {stack["StackId"]: stack for page in pages for stack in page["Stacks"]}
        here = {call.stack_id for call in calls if (call.account, call.region) == (account, region)}
        gone = [stack for stack_id in sorted(here - live.keys() - {""}) for stack in _describe(client, stack_id)]
        found += [_cloud_stack(client, stack) for stack in (*live.values(), *gone)]
    return found


def _describe(client: Any, stack_id: str) -> list[dict[str, Any]]:
    try:
        stacks: list[dict[str, Any]] = client.describe_stacks(StackName=stack_id)["Stacks"]
        return stacks
    except ClientError:
        return []


def _cloud_stack(client: Any, stack: Mapping[str, Any]) -> CloudStack:
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    events = tuple(_events(client, stack["StackId"]))
    return CloudStack(stack["StackName"], stack["StackId"], stack["StackStatus"], tags.get("slipway:stack", ""), events)


def _events(client: Any, stack_id: str) -> list[CloudEvent]:
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
    newest_first = [event for page in pages for event in page["StackEvents"]]
    return [
        CloudEvent(event["ResourceStatus"], event.get("ClientRequestToken", ""))
        for event in reversed(newest_first)
        if event["ResourceType"] == STACK_TYPE and event.get("PhysicalResourceId") == stack_id
    ]


def database_texts(connection: Connection) -> dict[str, str]:
    """Return each of the portal's tables as one text."""
    texts = {}
    for table in Base.metadata.sorted_tables:
        rows = connection.execute(select(*(cast(column, Text) for column in table.c)))
        texts[f"table {table.name}"] = "\n".join(" ".join(str(value) for value in row) for row in rows)
    return texts


def file_texts(*folders: Path) -> dict[str, str]:
    """Return every file below the folders as text, whatever it holds."""
    files = [file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()]
    return {f"file {file}": file.read_bytes().decode("latin-1") for file in files}
