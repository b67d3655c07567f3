"""The launch form: prefilled, kept after a refusal, following the place."""

import html
import re

import pytest
from sqlalchemy import func, select

from app import db
from app.stacks.models import Stack

BODY = """
Parameters:
  Name: {Type: String, MinLength: 3}
  Size: {Type: Number, Default: 3, MinValue: 1, MaxValue: 9}
  Stage: {Type: String, AllowedValues: [dev, staging, prod], Default: dev}
  Tags: {Type: CommaDelimitedList, Default: ""}
Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: !Ref Size}}}
"""


@pytest.fixture
def version(make):
    make.environment("payments-staging")
    make.environment("orders-staging")
    return make.version(body=BODY)


@pytest.fixture
def browser(sign_in, dana, make):
    return sign_in(dana)


def value(answer, name):
    """What the field of this name holds, whatever kind of control it is."""
    text = answer.text
    if found := re.search(
        rf'<input[^>]*name="{re.escape(name)}"[^>]*type="radio"[^>]*value="([^"]*)"[^>]*checked', text
    ):
        return html.unescape(found[1])
    for tag in re.findall(r"<input[^>]*>", text):
        if f'name="{name}"' in tag and ("radio" not in tag or "checked" in tag):
            return html.unescape(re.search(r'value="([^"]*)"', tag)[1])
    found = re.search(rf'<select[^>]*name="{re.escape(name)}".*?</select>', text, re.S)
    chosen = re.search(r'<option[^>]*value="([^"]*)"[^>]*selected', found[0]) if found else None
    return html.unescape(chosen[1]) if chosen else None


def form(version, **changes):
    return {
        "environment": "payments-staging", "name": "refunds", "team": "payments", "version": version.number,
        "parameters.Name": "orders", "parameters.Size": "4", "parameters.Stage": "staging", **changes,
    }  # fmt: skip


def stacks():
    return db.session.scalar(select(func.count()).select_from(Stack))


def test_an_address_prefills_the_form(version, browser):
    query = "environment=payments-staging&name=refunds&parameters.Name=orders&parameters.Size=7"
    page = browser.get(f"/catalog/sqs-queue/launch?{query}")
    assert value(page, "name") == "refunds"
    assert (value(page, "parameters.Name"), value(page, "parameters.Size")) == ("orders", "7")


def test_another_stack_prefills_the_form_for_those_who_may_read_it(version, make, sign_in, dana):
    stack = make.stack("refunds", version=version, answers={"Name": "secretish", "Size": "8", "Stage": "prod"})
    page = sign_in(dana).get(f"/catalog/sqs-queue/launch?from={stack.ref}")
    assert (value(page, "parameters.Name"), value(page, "parameters.Size")) == ("secretish", "8")
    assert "secretish" not in sign_in(make.person("omar")).get(f"/catalog/sqs-queue/launch?from={stack.ref}").text


def test_a_good_form_launches_and_leads_to_the_stack(version, browser):
    answer = browser.post("/catalog/sqs-queue/launch", data=form(version))
    assert answer.status_code == 303
    stack = db.session.scalars(select(Stack)).one()
    assert answer.location.endswith(f"/stacks/{stack.ref}")
    assert stack.answers == {"Name": "orders", "Size": "4", "Stage": "staging", "Tags": ""}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "Not A Name"}, "3 to 64 lowercase letters"),
        ({"parameters.Size": "many"}, "Size"),
        ({"parameters.Size": "12"}, "Size"),
        ({"parameters.Name": "x"}, "Name"),
        ({"parameters.Stage": "moon"}, "Stage"),
        ({"parameters.Nonsense": "1"}, "Nonsense"),
        ({"environment": "nowhere"}, "Choose an environment."),
        ({"service": "nobody"}, "Choose a service."),
    ],
)
def test_a_refused_form_keeps_what_was_typed_and_writes_nothing(version, browser, changes, says):
    answer = browser.post("/catalog/sqs-queue/launch", data=form(version, **changes))
    assert answer.status_code == 422
    assert says in html.unescape(answer.text)
    for name in ("name", "parameters.Name", "parameters.Size"):
        assert value(answer, name) == form(version, **changes)[name]
    assert stacks() == 0


def test_a_taken_name_is_told_beside_its_field(version, browser, make):
    make.stack("refunds")
    answer = browser.post("/catalog/sqs-queue/launch", data=form(version))
    assert answer.status_code == 422
    assert "There is a stack named refunds in payments-staging already." in html.unescape(answer.text)
    assert stacks() == 1


def test_launching_where_one_may_not_is_refused_with_the_rule(version, browser):
    answer = browser.post("/catalog/sqs-queue/launch", data=form(version, environment="orders-staging"))
    assert answer.status_code == 403
    assert "orders" in answer.text
    assert stacks() == 0


def test_an_environment_one_may_not_use_says_why(version, browser):
    page = html.unescape(browser.get("/catalog/sqs-queue/launch").text)
    assert "payments may not launch in orders-staging; it belongs to orders." in page


def test_the_version_can_be_switched(version, browser, make):
    body = BODY.replace("Size:", "Length:").replace("!Ref Size", "!Ref Length")
    older = make.version("0.9.0", template=version.template, body=body)
    page = browser.get(f"/catalog/sqs-queue/launch?version={older.number}")
    assert value(page, "parameters.Length") == "3"
    assert value(page, "parameters.Size") is None
    assert browser.get("/catalog/sqs-queue/launch?version=7.7.7").status_code == 404


def test_the_stage_follows_the_environment(version, browser, make):
    page = browser.get("/catalog/sqs-queue/launch?environment=payments-staging")
    assert value(page, "parameters.Stage") == "staging"
    make.environment("payments-prod")
    made_for = f"{version.number} payments-staging"
    moved = form(version, environment="payments-prod", made_for=made_for)
    assert value(browser.post("/catalog/sqs-queue/launch/check", data=moved), "parameters.Stage") == "prod"


def test_checking_judges_and_writes_nothing(version, browser):
    made_for = f"{version.number} payments-staging"
    good = browser.post("/catalog/sqs-queue/launch/check", data=form(version, made_for=made_for))
    assert good.status_code == 200
    assert "Queue" in good.text
    bad = browser.post(
        "/catalog/sqs-queue/launch/check", data=form(version, made_for=made_for) | {"parameters.Size": "99"}
    )
    assert bad.status_code == 200
    assert "Needs another look" in bad.text
    assert stacks() == 0


def change(version, name, size):
    return {"version": version.number, "parameters.Name": name, "parameters.Size": size}


def test_a_change_is_asked_for_and_refused_in_the_same_form(version, browser, make):
    stack = make.stack(
        "refunds", version=version, answers={"Name": "orders"}, running_answers={"Name": "orders", "Size": "4"}
    )
    page = browser.get(f"/stacks/{stack.ref}/updates/new")
    assert value(page, "parameters.Size") == "4"
    refused = browser.post(f"/stacks/{stack.ref}/updates", data=change(version, "orders", "x"))
    assert refused.status_code == 422
    assert value(refused, "parameters.Size") == "x"
    taken = browser.post(f"/stacks/{stack.ref}/updates", data=change(version, "orders", "5"))
    assert taken.status_code == 303


def test_a_failed_stack_is_launched_again_from_its_form(version, browser, make):
    stack = make.stack("refunds", version=version, status="failed", answers={"Name": "orders", "Size": "4"})
    assert value(browser.get(f"/stacks/{stack.ref}/retries/new"), "parameters.Size") == "4"
    answer = browser.post(f"/stacks/{stack.ref}/retries", data=change(version, "other", "5"))
    assert answer.status_code == 303
    assert db.session.get(Stack, stack.id).status == "creating"
