"""Templates through the whole of it, where the outcome has to be clear although nothing comes up."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import db
from app.cloudformation.body import load
from app.stacks.models import Stack
from bench.published.files import Found
from bench.published.portal import Portal, running
from bench.published.trial import Tried, try_all


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running(tmp_path_factory.mktemp("trial"), None, lanes=1, spares=0) as portal:
        yield portal


def trial(portal: Portal, **document: Any) -> Tried:
    """Try a template, and leave nothing for the next one to stumble over."""
    text = json.dumps(document)
    place = f"ours/{abs(hash(text))}.json"
    found = Found(Path(place), place, text, load(text), is_lint_accepted=True)
    [tried] = try_all(portal, [found], is_launched=lambda one: True, tell=lambda one: None)
    return tried


def test_a_template_is_launched_and_deleted_with_what_it_needs_laid_before(portal: Portal):
    tried = trial(
        portal,
        Parameters={
            "ParentStack": {"Type": "String"},
            "Level": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/ledger/level"},
        },
        Resources={
            "Topic": {
                "Type": "AWS::SNS::Topic",
                "Properties": {
                    "DisplayName": {"Fn::ImportValue": {"Fn::Sub": "${ParentStack}-Name"}},
                    "TopicName": "{{resolve:ssm:/ledger/topic}}",
                },
            }
        },
    )
    assert (tried.launch, tried.deletion, tried.cause) == ("succeeded", "succeeded", "")
    assert tried.laid == ["export example-stack-Name", "ssm /ledger/topic", "ssm /ledger/level"]


def test_a_template_that_creates_nothing_fails_with_a_sentence_and_leaves_nothing(portal: Portal):
    tried = trial(
        portal,
        Conditions={"Never": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]}},
        Resources={"Topic": {"Type": "AWS::SNS::Topic", "Condition": "Never"}},
    )
    assert tried.launch == "failed"
    assert "creates nothing" in tried.cause
    stack = db.session.scalars(select(Stack).order_by(Stack.id.desc()).limit(1)).one()
    assert stack.status == "deleted"
    db.session.rollback()


def test_what_the_cloud_refuses_before_it_creates_anything_is_named(portal: Portal):
    """Two stacks cannot have one bucket; CloudFormation says so in an event one has to ask for."""
    bucket = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "seabright-receipts"}}
    assert trial(portal, Resources={"First": bucket}).launch == "succeeded"
    second = trial(portal, Resources={"Second": bucket})
    assert second.launch == "failed"
    assert second.cause.startswith("Second (AWS::S3::Bucket): ")
    assert "already exists" in second.cause


def test_refused_answers_are_told_with_the_field(portal: Portal):
    tried = trial(
        portal,
        Parameters={"Size": {"Type": "String", "Default": "m", "Description": "How large."}},
        Rules={"Never": {"Assertions": [{"Assert": {"Fn::Equals": [{"Ref": "Size"}, {"Fn::Sub": "${Size}!"}]}}]}},
        Resources={"Topic": {"Type": "AWS::SNS::Topic"}},
    )
    assert (tried.launch, tried.is_unhandled) == ("refused", False)
    assert list(tried.sent.reasons if tried.sent else ()) == ["parameters.Size"]
