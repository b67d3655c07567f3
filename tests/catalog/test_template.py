"""A template's page: what it creates and asks, its record, who may launch it, and that its words are harmless."""

import html
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from app import clock, db
from app.catalog.loading import load
from app.catalog.markdown import render
from app.catalog.models import VersionStatus
from app.jobs.lifecycle import JobStatus
from app.stacks.models import Duration

SHIPPED = Path(__file__).resolve().parents[2] / "catalog"
SECRETIVE = """\
Parameters:
  Password: {Type: String, NoEcho: true, Default: swordfish, MinLength: 8}
  Size: {Type: Number, MinValue: 20, MaxValue: 1000}
Conditions:
  Big: !Equals [!Ref Size, "1000"]
Resources:
  Role: {Type: AWS::IAM::Role}
  Bucket: {Type: AWS::S3::Bucket}
  Alarm: {Type: AWS::CloudWatch::Alarm, Condition: Big}
"""


@pytest.fixture
def shipped(make, tmp_path):
    """Two templates as they are shipped, and some places of the demo."""
    make.team("platform")
    for slug in ("sqs-queue", "rds-postgres"):
        shutil.copytree(SHIPPED / "templates" / slug, tmp_path / "catalog" / "templates" / slug)
    load(tmp_path / "catalog")
    for slug in ("sandbox", "payments-staging", "orders-prod"):
        make.environment(slug)


@pytest.fixture
def dana(make, sign_in):
    return sign_in(make.person("dana"))


def text_of(response) -> str:
    main = response.text[response.text.index("<main") : response.text.index("</main>")]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def test_a_shipped_template_tells_what_it_creates_and_returns(shipped, dana):
    page = dana.get("/catalog/sqs-queue")
    words = text_of(page)
    assert page.status_code == 200
    assert "sqs-queue v1.1 published" in words
    assert "8 resources, 2 hold data" in words
    assert (
        "TopicSubscription AWS::SNS::Subscription AWS::SNS::Subscription if HasSourceTopic not with the defaults"
        in words
    )
    assert "QueueUrl The address workers and senders use with the SQS API." in words
    assert "When to use it" in words
    assert "#platform-help" in words


def test_its_parameters_are_told_with_group_rules_and_default(shipped, dana):
    words = text_of(dana.get("/catalog/sqs-queue?tab=parameters"))
    assert "Delivery 5 parameters" in words
    assert "Seconds a worker has for one message VisibilityTimeoutSeconds Number" in words
    assert "Between 0 and 43,200 60" in words
    assert "Choose 1, 2, 4, 7 or 14 4" in words
    assert "Matches ^$|^arn:aws" in words


def test_an_older_version_has_its_own_parameters(shipped, dana):
    words = text_of(dana.get("/catalog/sqs-queue?tab=parameters&version=1.0"))
    assert "MaxReceiveCount" in words
    assert "SourceTopicArn" not in words


def test_secrets_stay_secret_and_capabilities_are_named(make, dana):
    make.version("1.0.0", template=make.template("vault"), body=SECRETIVE)
    asked = dana.get("/catalog/vault?tab=parameters")
    assert "swordfish" not in asked.text
    assert "Password secret Password String At least 8 characters set, and not shown" in text_of(asked)
    assert "Between 20 and 1,000 needed" in text_of(asked)
    words = text_of(dana.get("/catalog/vault"))
    assert "acknowledges CAPABILITY_IAM : it creates roles or policies" in words
    # What holds data stands first, whatever the order of the file.
    assert words.index("Bucket holds data") < words.index("Role AWS::IAM::Role")


def test_its_record_comes_from_our_own_history(make, dana):
    version = make.version()
    at = clock.now() - timedelta(days=2)
    for number in range(20):
        stack = make.stack(version=version, team=make.team("orders" if number % 2 else "payments"))
        failed = {"meaning": "The name is taken.", "advice": "Choose another name."} if number == 0 else None
        status = JobStatus.FAILED if failed else JobStatus.SUCCEEDED
        make.job(stack, status=status, failure=failed, finished_at=at)
        seconds = 600.0 + 30 * number
        db.session.add(
            Duration(template_id=version.template_id, kind="create", logical_id="", type="", seconds=seconds, at=at)
        )
        db.session.add(
            Duration(template_id=version.template_id, kind="create", logical_id="Queue", type="x", seconds=12, at=at)
        )
    page = dana.get("/catalog/sqs-queue")
    words = text_of(page)
    assert "Succeeds 95 % n=20 90 days · likely 85 to 98 %" in words
    assert "Usually ready in 14–18 min half to nine in ten, n=20" in words
    assert "Used by 20 stacks 2 teams" in words
    assert 'href="/stacks?template=sqs-queue"' in page.text
    assert re.search(r"Queue holds data .*? always 12 s", words)
    assert "The name is taken. Choose another name. 1" in text_of(dana.get("/catalog/sqs-queue?tab=failures"))


def test_too_few_runs_make_no_rate(make, dana):
    make.job(make.stack())
    words = text_of(dana.get("/catalog/sqs-queue"))
    assert "Succeeds 1 of 1 n=1, too few for a rate" in words
    assert "Usually ready in No data n=0, too few to say" in words


def test_whoever_may_launch_finds_the_button_and_a_link_to_share(shipped, dana):
    page = dana.get("/catalog/sqs-queue")
    assert 'href="/catalog/sqs-queue/launch"' in page.text
    assert 'data-copy="http://localhost/catalog/sqs-queue/launch"' in page.text
    assert "sandbox sandbox staging payments-staging Kept by" in text_of(page)
    older = dana.get("/catalog/sqs-queue?version=1.0").text
    assert 'href="/catalog/sqs-queue/launch?version=1.0"' in older


def test_whoever_may_launch_nowhere_reads_why(shipped, make, sign_in):
    page = sign_in(make.person("alan")).get("/catalog/sqs-queue")
    assert "/catalog/sqs-queue/launch" not in page.text
    assert "Only developers of a team launch" in text_of(page)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (VersionStatus.DEPRECATED, "v1.0.0 is deprecated. Its password is never rotated. Stacks that run it go on"),
        (VersionStatus.RETIRED, "v1.0.0 is retired. Its password is never rotated. Stacks that run it go on"),
    ],
)
def test_a_version_past_its_time_is_explained_and_not_offered(make, dana, status, words):
    make.environment("sandbox")
    make.version("1.0.0", status=status, status_reason="Its password is never rotated.", is_recommended=False)
    make.version("1.1.0", is_recommended=True)
    page = dana.get("/catalog/sqs-queue?version=1.0.0")
    assert words in text_of(page)
    assert "Look at v1.1.0 instead" in text_of(page)
    assert "/launch" not in page.text
    assert "/catalog/sqs-queue/launch" in dana.get("/catalog/sqs-queue").text


def test_a_template_without_versions_is_still_a_page(make, dana):
    make.template("later")
    for tab in ("overview", "versions", "parameters", "failures", "source"):
        assert dana.get(f"/catalog/later?tab={tab}").status_code == 200
    assert "later has no version yet" in text_of(dana.get("/catalog/later"))


def test_the_body_can_be_read_copied_and_opened(shipped, dana):
    page = dana.get("/catalog/sqs-queue?tab=source")
    assert "DeadLetterQueuePolicy:" in page.text
    assert 'data-copy="AWSTemplateFormatVersion' in page.text
    raw = dana.get("/catalog/sqs-queue/versions/1.0/body")
    assert raw.mimetype == "text/plain"
    assert raw.text == (SHIPPED / "templates/sqs-queue/v1.0.yaml").read_text()


def test_versions_are_listed_with_what_changed_between_them(shipped, dana):
    page = dana.get("/catalog/rds-postgres?tab=versions")
    # The date stands twice, once for each width.
    assert re.search(
        r"v1\.0 (\d+ \w+ 20\d\d) Deprecated Its password is never rotated\. .* \1 First version", text_of(page)
    )
    assert 'href="/catalog/rds-postgres/diff/1.1/2.0"' in page.text


def test_the_difference_is_shown_line_by_line_and_in_words(shipped, dana):
    page = dana.get("/catalog/sqs-queue/diff/1.0/1.1")
    words = text_of(page)
    assert "New parameters: Ordering, SourceTopicArn, BacklogAlarmMessages, AlarmTopicArn" in words
    assert re.search(
        r'<tr data-tone="ok"><td></td><td>\d+</td><td>\+<span class="visually-hidden">added</span></td>', page.text
    )
    assert "ReceiveMessageWaitTimeSeconds: 20" in words
    back = text_of(dana.get("/catalog/sqs-queue/diff/1.1/1.0"))
    assert "Parameters that are gone: Ordering" in back
    assert "No difference" in text_of(dana.get("/catalog/sqs-queue/diff/1.0/1.0"))


@pytest.mark.parametrize(
    "path",
    [
        "/catalog/kafka",
        "/catalog/sqs-queue?version=9.9",
        "/catalog/sqs-queue/diff/1.0/9.9",
        "/catalog/sqs-queue/versions/9.9/body",
    ],
)
def test_what_does_not_exist_is_a_page_that_says_so(shipped, dana, path):
    page = dana.get(path)
    assert page.status_code == 404
    assert "There is nothing here" in text_of(page)


def test_a_strange_tab_is_the_overview(shipped, dana):
    assert "What it creates" in text_of(dana.get("/catalog/sqs-queue?tab=../../etc"))


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        '<a href="#" hx-get="/sign-out" data-hx-trigger="load">x</a>',
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "<svg/onload=alert(1)>",
        "![x](javascript:alert(1))",
        '<p style="position:fixed" hx-on:click="x">x</p>',
        "`</code><script>alert(1)</script>`",
        "<iframe srcdoc='<script>x</script>'></iframe>",
    ],
)
def test_documentation_cannot_act(attack):
    tags = re.findall(r"<[^>]*>", render(f"# Title\n\n{attack}\n"))
    assert tags
    for tag in tags:
        assert re.fullmatch(r'</?(p|code|a)( rel="noopener noreferrer"| href="#?")*>', tag), tag


def test_documentation_keeps_what_it_may_say():
    html_ = render(
        "# Queue\n\n## When\n\n[Docs](https://docs.example) and `code`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    assert "<h2>When</h2>" in html_
    assert "<h1>" not in html_
    assert '<a href="https://docs.example" rel="noopener noreferrer">Docs</a>' in html_
    assert '<table class="table">' in html_


def test_the_page_keeps_htmx_out_of_documentation(make, dana):
    make.version(template=make.template(readme="# T\n\n<b hx-get='/x'>bold</b>"))
    page = dana.get("/catalog/sqs-queue")
    assert "hx-get=&#39;/x&#39;" not in page.text.split('class="prose"')[0]
    assert re.search(r'<section class="prose"[^>]* hx-ignore>', page.text)
    assert "<b hx-get" not in page.text


def test_the_number_of_queries_does_not_grow_with_use(make, dana, count_queries):
    counts = []
    for many in (1, 10, 100):
        for number in range(many):
            make.version(f"{many}.{number}.0")
            make.job(make.stack(), status=JobStatus.FAILED if number % 3 else JobStatus.SUCCEEDED)
            make.environment(f"place-{many}-{number}", team_id=None)
        make.job(make.stack(), status=JobStatus.FAILED)
        dana.get("/catalog/sqs-queue")
        with count_queries() as queries:
            dana.get("/catalog/sqs-queue")
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] <= 12
