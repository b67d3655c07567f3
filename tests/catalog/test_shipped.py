"""What the shipped catalog promises: complete, documented, clean under cfn-lint, and safe by default."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint
from cfnlint.decode import decode

SHIPPED = Path(__file__).parents[2] / "catalog" / "templates"
AGREED = {
    "build-deploy-pipeline", "dashboard-alarms", "dynamodb-table", "ecr-repository", "event-bus", "fargate-web-service",
    "http-api-lambda", "private-vpc", "rds-postgres", "redis-cache", "s3-bucket", "scheduled-lambda", "sqs-queue",
    "static-website",
}  # fmt: skip
CATEGORIES = {
    "Databases", "Delivery", "Functions", "Messaging", "Network", "Observability", "Security", "Storage", "Web",
}  # fmt: skip
TAGS = ["owner", "service", "environment", "cost-center"]
HEADINGS = ["When to use it", "What you get", "Cost", "Security", "After it is up", "Limits", "Who to ask"]
# Properties that name a resource for good. A second stack of the template would collide with a literal one.
NAMES = {
    "BucketName", "ClusterName", "DBInstanceIdentifier", "FunctionName", "LogGroupName", "QueueName", "RepositoryName",
    "ReplicationGroupId", "RoleName", "SecretName", "ServiceName", "StateMachineName", "TableName", "TopicName",
}  # fmt: skip
KEPT = {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::ECR::Repository", "AWS::RDS::DBInstance"}


@dataclass(frozen=True)
class Body:
    """One version of one template, as CloudFormation reads it."""

    slug: str
    number: str
    path: Path

    def section(self, name: str) -> dict[str, Any]:
        return _decoded(self.path).get(name, {})

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        return {name: entry for name, entry in self.section("Resources").items() if entry["Type"] == kind}


@cache
def _decoded(path: Path) -> dict[str, Any]:
    content, errors = decode(str(path))
    assert not errors, errors
    return content


@cache
def _entry(slug: str) -> dict[str, Any]:
    return yaml.safe_load((SHIPPED / slug / "template.yaml").read_text())


SLUGS = sorted(path.name for path in SHIPPED.iterdir())
BODIES = [
    Body(slug, version["number"], SHIPPED / slug / version["body"])
    for slug in SLUGS
    for version in _entry(slug)["versions"]
]
every_template = pytest.mark.parametrize("slug", SLUGS)
every_version = pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body.slug}-{body.number}")


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    """The value's mappings, itself first, however deep they lie."""
    if isinstance(value, dict):
        yield value
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inside:
        yield from _dicts(item)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_catalog_holds_what_was_agreed() -> None:
    assert set(SLUGS) >= AGREED
    assert len(SLUGS) >= 16


@every_template
def test_entry_says_what_who_and_where(slug: str) -> None:
    entry = _entry(slug)
    assert re.fullmatch(r"[A-Z].{20,120}[.]", entry["summary"]), "one sentence"
    assert entry["category"] in CATEGORIES
    assert entry["owner"] == "platform"
    assert entry["support"]["chat"].startswith("#")
    assert "@" in entry["support"]["email"]
    assert len(entry["keywords"]) >= 4
    assert re.fullmatch(r"[a-z0-9-]+", entry["icon"])
    assert entry["tags"] == TAGS


@every_template
def test_files_and_versions_agree(slug: str) -> None:
    bodies = {version["body"] for version in _entry(slug)["versions"]}
    assert {path.name for path in (SHIPPED / slug).iterdir()} == bodies | {"template.yaml", "README.md", "CHANGELOG.md"}


@every_template
def test_versions_ascend_and_the_recommended_one_is_published(slug: str) -> None:
    versions = _entry(slug)["versions"]
    assert len(versions) >= 2
    numbers = [tuple(map(int, version["number"].split("."))) for version in versions]
    assert numbers == sorted(set(numbers))
    released = [version["released"] for version in versions]
    assert all(isinstance(day, date) for day in released)
    assert released == sorted(set(released))
    assert {version["number"]: version["status"] for version in versions}[_entry(slug)["recommended"]] == "published"
    for version in versions:
        assert version["status"] in {"published", "deprecated"}
        assert ("deprecated_because" in version) == (version["status"] == "deprecated")
        assert version["changes"].endswith(".")


def test_some_version_is_deprecated() -> None:
    assert any(version["status"] == "deprecated" for slug in SLUGS for version in _entry(slug)["versions"])


@every_template
def test_each_version_changes_resources(slug: str) -> None:
    seen = [body.section("Resources") for body in BODIES if body.slug == slug]
    assert all(older != newer for older, newer in zip(seen, seen[1:], strict=False))


@every_template
def test_changelog_has_a_heading_for_each_version_newest_first(slug: str) -> None:
    headings = re.findall(r"^## (.+)$", (SHIPPED / slug / "CHANGELOG.md").read_text(), re.MULTILINE)
    versions = _entry(slug)["versions"]
    assert headings == [f"{version['number']} — {version['released']}" for version in reversed(versions)]


@every_template
def test_readme_has_the_agreed_headings(slug: str) -> None:
    text = (SHIPPED / slug / "README.md").read_text()
    assert text.startswith(f"# {_entry(slug)['name']}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert 40 <= len(text.splitlines()) <= 90
    assert _entry(slug)["support"]["chat"] in text


def _known_names() -> set[str]:
    return {name for body in BODIES for part in ("Parameters", "Outputs") for name in body.section(part)}


@every_template
@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_pages_name_only_parameters_and_outputs_that_exist(slug: str, page: str) -> None:
    text = (SHIPPED / slug / page).read_text()
    mentioned = set(re.findall(r"(?:`|<)([A-Z][a-z]+(?:[A-Z][a-z]+)+)[` >]", text))
    # Words of AWS that look like names of ours.
    assert mentioned - {"FailedEntryCount"} <= _known_names()
    if page == "README.md":
        recommended = next(body for body in BODIES if (body.slug, body.number) == (slug, _entry(slug)["recommended"]))
        assert mentioned & set(recommended.section("Outputs")), "how to connect"


@every_version
def test_cfn_lint_has_nothing_to_say(body: Body) -> None:
    assert lint(body.path.read_text(), regions=["eu-west-1", "us-east-1"]) == []


@every_version
def test_parameters_are_described_grouped_and_labelled(body: Body) -> None:
    parameters = body.section("Parameters")
    interface = body.section("Metadata")["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert all(group["Label"]["default"] for group in interface["ParameterGroups"])
    assert sorted(grouped) == sorted(parameters), "each parameter in exactly one group"
    assert {name for name, label in interface["ParameterLabels"].items() if label["default"]} == set(parameters)
    for name, parameter in parameters.items():
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", name)
        assert len(parameter["Description"]) >= 20
        assert parameter["Description"].endswith(".")
        if {"AllowedValues", "AllowedPattern", "MinValue", "MaxValue", "MinLength", "MaxLength"} & set(parameter):
            assert parameter["ConstraintDescription"].startswith("must "), name


@every_version
def test_defaults_satisfy_their_own_constraints(body: Body) -> None:
    for name, parameter in body.section("Parameters").items():
        if "Default" not in parameter:
            continue
        value = parameter["Default"]
        assert value in parameter.get("AllowedValues", [value]), name
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), str(value)), name
        assert parameter.get("MinLength", 0) <= len(str(value)) <= parameter.get("MaxLength", 4096), name
        if parameter["Type"] == "Number":
            assert parameter.get("MinValue", value) <= value <= parameter.get("MaxValue", value), name


@every_version
def test_rules_and_outputs_are_explained(body: Body) -> None:
    for rule in body.section("Rules").values():
        assert all(assertion["AssertDescription"].endswith(".") for assertion in rule["Assertions"])
    assert body.section("Outputs")
    assert all(len(output["Description"]) >= 15 for output in body.section("Outputs").values())


@every_version
def test_data_is_encrypted_at_rest(body: Body) -> None:
    for kind, properties in (
        ("AWS::S3::Bucket", ["BucketEncryption"]),
        ("AWS::SQS::Queue", ["SqsManagedSseEnabled"]),
        ("AWS::SNS::Topic", ["KmsMasterKeyId"]),
        ("AWS::DynamoDB::Table", ["SSESpecification"]),
        ("AWS::RDS::DBInstance", ["StorageEncrypted"]),
        ("AWS::ElastiCache::ReplicationGroup", ["AtRestEncryptionEnabled", "TransitEncryptionEnabled"]),
        ("AWS::Kinesis::Stream", ["StreamEncryption"]),
        ("AWS::ECR::Repository", ["EncryptionConfiguration"]),
    ):
        for name, resource in body.resources(kind).items():
            assert all(resource["Properties"].get(key) for key in properties), name
    for table in body.resources("AWS::DynamoDB::Table").values():
        assert table["Properties"]["SSESpecification"]["SSEEnabled"] is True


@every_version
def test_buckets_are_private(body: Body) -> None:
    for bucket in body.resources("AWS::S3::Bucket").values():
        block = bucket["Properties"]["PublicAccessBlockConfiguration"]
        assert len(block) == 4
        assert set(block.values()) == {True}


@every_version
def test_buckets_and_queues_refuse_plain_connections(body: Body) -> None:
    for kind, policy_kind, key in (
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
    ):
        guarded = {
            target["Ref"]
            for policy in body.resources(policy_kind).values()
            if any(_refuses_plain(statement) for statement in _statements(policy))
            for target in _listed(policy["Properties"][key])
        }
        assert guarded == set(body.resources(kind))


def _statements(value: Any) -> Iterator[dict[str, Any]]:
    return (found for found in _dicts(value) if "Effect" in found)


def _refuses_plain(statement: dict[str, Any]) -> bool:
    return statement["Effect"] == "Deny" and "aws:SecureTransport" in str(statement.get("Condition"))


@every_version
def test_data_survives_its_stack(body: Body) -> None:
    for name, resource in body.section("Resources").items():
        if resource["Type"] in KEPT:
            assert resource["DeletionPolicy"] in {"Retain", "Snapshot"}, name
            assert resource["UpdateReplacePolicy"] in {"Retain", "Snapshot"}, name


@every_version
def test_nothing_may_do_everything(body: Body) -> None:
    for name, resource in body.section("Resources").items():
        for statement in _statements(resource):
            if statement["Effect"] != "Allow":
                continue
            assert statement.get("Principal") != "*", name
            # In a key's own policy the resource * is that key, and the account must be able to manage it.
            if resource["Type"] != "AWS::KMS::Key":
                assert not any(str(action).endswith("*") for action in _listed(statement["Action"])), name


@every_version
def test_logs_expire(body: Body) -> None:
    for group in body.resources("AWS::Logs::LogGroup").values():
        assert group["Properties"]["RetentionInDays"]


@every_version
def test_resources_are_not_named_by_hand(body: Body) -> None:
    for name, resource in body.section("Resources").items():
        named = {key: value for key, value in resource.get("Properties", {}).items() if key in NAMES}
        assert not any(isinstance(value, str) for value in named.values()), name


@every_version
def test_only_the_secret_template_takes_a_secret(body: Body) -> None:
    masked = [name for name, parameter in body.section("Parameters").items() if parameter.get("NoEcho")]
    assert masked == (["GivenValue"] if (body.slug, body.number) == ("secret", "1.1") else [])


@pytest.mark.parametrize("slug", ["sqs-queue", "s3-bucket", "dynamodb-table", "secret"])
def test_the_simple_ones_launch_without_answers(slug: str) -> None:
    for body in (body for body in BODIES if body.slug == slug):
        assert all("Default" in parameter for parameter in body.section("Parameters").values())


def test_the_queue_shows_progress_and_says_where_it_is() -> None:
    for body in (body for body in BODIES if body.slug == "sqs-queue"):
        unconditional = [entry for entry in body.section("Resources").values() if "Condition" not in entry]
        assert len(unconditional) >= 4
        assert set(body.section("Outputs")) >= {"QueueUrl", "QueueArn", "DeadLetterQueueUrl"}
