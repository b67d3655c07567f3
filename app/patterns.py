"""The patterns page: every token and component on one page, to compare by eye and to test by machine."""

from datetime import timedelta

from flask import Blueprint, render_template

from app import clock

bp = Blueprint("patterns", __name__)

COLOURS = (
    ("canvas", "desk, rail"), ("surface", "sheet"), ("sunken", "heads, wells"), ("raised", "floats"),
    ("hover", "pointed at"), ("selected", "chosen"), ("line", "hairline"), ("line-strong", "button edge"),
    ("line-control", "field edge 3:1"), ("ink", "text, primary"), ("ink-2", "second text"), ("ink-3", "small print"),
    ("link", "links in prose"), ("focus", "focus ring"),
)  # fmt: skip
TONES = (
    ("ok", "known good"),
    ("move", "in motion"),
    ("warn", "soon"),
    ("bad", "now"),
    ("special", "a person decides"),
    ("unknown", "not known"),
)
SPACES = (4, 8, 12, 16, 24, 32, 48)
WORDS = (
    "ready", "creating", "queued", "waiting", "failed", "needs_attention", "tainted", "degraded", "drifted",
    "expiring", "behind", "below_standard", "partly_checked", "stale", "unknown", "no_data", "not_applicable",
    "waived", "error", "lost", "suspended", "deleting", "cancelled", "draft", "in_review", "deprecated", "retired",
)  # fmt: skip
STEPS = (
    {"name": "Checked", "status": "done", "note": "0.8 s"},
    {"name": "Planned", "status": "done", "note": "6 s · 4 to create"},
    {"name": "Approved", "status": "skipped", "note": "not needed"},
    {"name": "Creating", "status": "active", "note": "8 min 53 s"},
    {"name": "Verified", "status": "to_come", "note": "usually 20 s"},
)
RESOURCES = (
    {"name": "Database", "type": "AWS::RDS::DBInstance", "status": "create_in_progress",
     "start": 48, "usual_start": 48, "usual_end": 538, "usual": 490},
    {"name": "SecretAttachment", "type": "AWS::SecretsManager::SecretTargetAttachment", "status": "queued",
     "word": "Waits for Database", "usual_start": 558, "usual_end": 596, "usual": 35},
    {"name": "SubnetGroup", "type": "AWS::RDS::DBSubnetGroup", "status": "create_complete",
     "start": 14, "end": 26, "usual": 11},
    {"name": "DatabaseAlarms", "type": "AWS::CloudWatch::Alarm", "status": "create_failed",
     "start": 60, "end": 120, "usual": 4},
)  # fmt: skip
OUTPUTS = (
    {"name": "QueueUrl", "value": "https://sqs.eu-west-1.amazonaws.com/111122223333/refunds-queue",
     "description": "Where the worker reads"},
    {"name": "QueueArn", "value": "arn:aws:sqs:eu-west-1:111122223333:refunds-queue", "description": ""},
)  # fmt: skip
SUBNETS = (
    ("subnet-07c2", "payments-data-a", "eu-west-1a · 211 free"),
    ("subnet-09fe", "payments-data-b", "eu-west-1b · 240 free"),
    ("subnet-0b51", "payments-data-c", "eu-west-1c · 243 free"),
    ("subnet-0d18", "payments-data-a2", "eu-west-1a · 11 free"),
    ("subnet-0e2a", "payments-data-b2", "eu-west-1b · 9 free"),
    ("subnet-0f33", "orders-data-a", "", "owned by orders"),
)
FACETS = (
    {"label": "Kind", "name": "kind", "choices": (
        {"value": "databases", "label": "Databases", "count": 3, "chosen": False},
        {"value": "messaging", "label": "Messaging", "count": 1203, "chosen": True})},
    {"label": "Approval", "name": "approval", "choices": (
        {"value": "none", "label": "None needed", "count": 9, "chosen": False},
        {"value": "needed", "label": "Needed", "count": 3, "chosen": False})},
)  # fmt: skip
COMPARED = (
    {"kind": "gap", "before": None, "after": None, "text": "31 unchanged"},
    {"kind": "same", "before": 32, "after": 32, "text": "    Properties:"},
    {"kind": "gone", "before": 33, "after": None, "text": "      VisibilityTimeout: 30"},
    {"kind": "new", "before": None, "after": 33, "text": "      VisibilityTimeout: 60"},
)
TEMPLATES = (
    {"slug": "sqs-queue", "href": "#", "icon": "mail", "version": "v2.3", "team": "platform", "end": "58 stacks",
     "summary": "A queue with a dead-letter queue, encryption and an alarm on old messages.",
     "facts": (("Succeeds", "99\u00a0%", "n=212"), ("Usually", "1 min"), ("A month", "$1 to 4"))},
    {"slug": "msk-cluster", "href": "#", "icon": "route", "version": "v1.0",
     "refused": "Only in portfolio Streaming. Petra can grant it.",
     "summary": "Managed Kafka, three brokers, IAM sign-in, tiered storage.",
     "facts": (("Succeeds", "88\u00a0%", "n=8"), ("Usually", "31–44 min"), ("A month", "$620 to 900"))},
)  # fmt: skip


@bp.get("/patterns")
def show() -> str:
    """Show the patterns page."""
    now = clock.now()
    return render_template(
        "patterns.html", colours=COLOURS, tones=TONES, spaces=SPACES, words=WORDS, steps_of_a_job=STEPS,
        resources=RESOURCES, outputs_of_a_stack=OUTPUTS, subnets=SUBNETS, groups=FACETS, entries=TEMPLATES,
        compared_lines=COMPARED,
        just_now=now - timedelta(seconds=40), earlier=now - timedelta(hours=3), long_ago=now - timedelta(days=33),
    )  # fmt: skip
