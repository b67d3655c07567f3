"""Clients: made through the assumed role, kept, bounded, and forgotten once their credentials are refused."""

import threading
import time
from urllib.parse import parse_qs

import pytest
from botocore.awsrequest import AWSResponse

from app.aws import clients
from app.aws import cloudformation as cfn
from app.aws.clients import Clients, Place
from app.aws.errors import Expired, RoleNotReady, Throttled
from app.aws.pace import LONGEST_WAIT

HERE = Place("111122223333", "arn:aws:iam::111122223333:role/slipway-launch", "eu-west-1")

GIVEN = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIA{n}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
STACKS = """<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>
<Stacks/></DescribeStacksResult></DescribeStacksResponse>"""
ERROR = "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"


class Raw:
    """The body of a recorded answer."""

    def __init__(self, text):
        self.text = text

    def stream(self, **kwargs):
        yield self.text.encode()

    def read(self, *args, **kwargs):
        return self.text.encode()


@pytest.fixture
def aws(monkeypatch):
    """Answers every request of the portal's clients from a script; `aws.sent` holds the actions asked for."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")

    class Script:
        sent, roles, refuse = [], 0, {}

    script = Script()
    script.sent, script.refuse = [], {}

    def send(self, request):
        action = parse_qs(request.body if isinstance(request.body, str) else request.body.decode())["Action"][0]
        script.sent.append(action)
        if action in script.refuse:
            return AWSResponse(request.url, 403, {}, Raw(ERROR.format(code=script.refuse.pop(action))))
        script.roles += action == "AssumeRole"
        text = GIVEN.format(n=script.roles) if action == "AssumeRole" else STACKS
        return AWSResponse(request.url, 200, {}, Raw(text))

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", send)
    return script


def key_of(client):
    return client._request_signer._credentials.access_key


def test_a_role_is_assumed_once_for_a_person_and_purpose(aws):
    kept = Clients("", "")
    first = kept.get("cloudformation", HERE, "dana-job-1")
    assert kept.get("cloudformation", HERE, "dana-job-1") is first
    kept.get("ec2", HERE, "dana-job-1")
    assert aws.sent == ["AssumeRole"]
    kept.get("cloudformation", HERE, "dana-job-2")
    assert aws.sent == ["AssumeRole", "AssumeRole"]


def test_refused_credentials_are_taken_afresh_the_next_time(aws):
    kept = Clients("", "")
    client = kept.get("cloudformation", HERE, "dana-job-1")
    aws.refuse = {"DescribeStacks": "ExpiredToken"}
    with pytest.raises(Expired):
        cfn.find_stack(client, "refunds")
    again = kept.get("cloudformation", HERE, "dana-job-1")
    assert again is not client
    assert (key_of(client), key_of(again)) == ("ASIA1", "ASIA2")
    assert cfn.find_stack(again, "refunds") is None


def test_a_role_nobody_knows_yet_is_worth_waiting_for(aws):
    aws.refuse = {"AssumeRole": "AccessDenied"}
    with pytest.raises(RoleNotReady, match="cannot be assumed"):
        Clients("", "").get("cloudformation", HERE, "dana-job-1")


def test_only_so_many_are_kept(aws, monkeypatch):
    monkeypatch.setattr(clients, "MOST_CLIENTS", 3)
    kept = Clients("", "")
    for number in range(5):
        kept.get("cloudformation", HERE, f"dana-job-{number}")
    assert len(kept._clients) == len(kept._credentials) == 3


def test_none_is_kept_longer_than_its_credentials_live(aws, monkeypatch):
    kept = Clients("", "")
    kept.get("cloudformation", HERE, "dana-job-1")
    monkeypatch.setattr(clients, "KEEP_SECONDS", -1)
    kept.get("cloudformation", HERE, "dana-job-1")
    assert aws.sent == ["AssumeRole", "AssumeRole"]


def test_a_slow_account_stops_no_other(aws, monkeypatch):
    """Two accounts are asked at once, and each answers only after the other one was asked as well."""
    both = threading.Barrier(2, timeout=10)
    from botocore.httpsession import URLLib3Session

    answer = URLLib3Session.send

    def slow(self, request):
        both.wait()
        return answer(self, request)

    monkeypatch.setattr(URLLib3Session, "send", slow)
    kept = Clients("", "")
    other = Place("444455556666", "arn:aws:iam::444455556666:role/slipway-launch", "eu-west-1")
    threads = [threading.Thread(target=kept.get, args=("cloudformation", place, "dana")) for place in (HERE, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept._clients) == 2


def took(call, *args):
    began = time.monotonic()
    call(*args)
    return time.monotonic() - began


def test_calls_of_one_account_take_turns_and_those_of_another_do_not_wait_for_them(aws):
    kept = Clients("", "", 2)
    client = kept.get("cloudformation", HERE, "dana-job-1")
    same_account = kept.get("cloudformation", HERE, "omar-job-2")
    elsewhere = kept.get("cloudformation", Place(HERE.account, HERE.role_arn, "eu-central-1"), "dana-job-1")
    assert took(cfn.find_stack, client, "refunds") + took(cfn.find_stack, client, "refunds") < 0.3
    assert took(cfn.find_stack, same_account, "refunds") > 0.3
    assert took(cfn.find_stack, elsewhere, "refunds") < 0.3


def test_a_turn_too_far_away_is_asked_for_later_and_nothing_is_sent(aws):
    kept = Clients("", "", 1 / (2 * LONGEST_WAIT))
    client = kept.get("cloudformation", HERE, "dana-job-1")
    cfn.find_stack(client, "refunds")
    with pytest.raises(Throttled, match="holds back"):
        cfn.find_stack(client, "refunds")
    assert aws.sent.count("DescribeStacks") == 1


def test_a_complaint_of_the_cloud_slows_the_account_down_and_botocores_own_retry_takes_its_turn(aws):
    kept = Clients("", "", 10)
    client = kept.get("cloudformation", HERE, "dana-job-1")
    aws.refuse = {"DescribeStacks": "Throttling"}
    assert cfn.find_stack(client, "refunds") is None
    assert aws.sent.count("DescribeStacks") == 2
    assert 5 <= kept.paces.of(HERE.account, HERE.region).rate < 6


@pytest.mark.parametrize("rate", ["-1", "nan", "inf", "many"])
def test_a_rate_that_is_none_stops_the_start_and_is_named(make_app, rate):
    with pytest.raises(SystemExit, match="AWS_CALLS_PER_SECOND"):
        make_app(AWS_CALLS_PER_SECOND=rate)
