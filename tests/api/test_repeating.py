"""The same Idempotency-Key: one stack, one job, one answer, also when both requests arrive at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from app import db
from app.jobs.models import Job
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Stack
from tests.api.conftest import PREFIX, problem
from tests.api.test_writes import LAUNCH


@pytest.fixture(autouse=True)
def queue_template(make):
    return make.version("1.0.0")


def count(model):
    return db.session.scalar(select(func.count(model.id)))


def test_the_same_request_gets_the_same_answer_to_the_byte(dana):
    first = dana.post("/stacks", json=LAUNCH, key="launch-1")
    stack = db.session.scalars(select(Stack)).one()
    # Whatever happened since: the answer is the first one.
    stack.status = StackStatus.FAILED
    again = dana.post("/stacks", json=LAUNCH, key="launch-1")
    assert (again.status_code, again.data) == (202, first.data)
    assert again.headers["Location"] == first.headers["Location"]
    assert (count(Stack), count(Job)) == (1, 1)


def test_the_same_key_for_something_else_is_refused(dana, make):
    dana.post("/stacks", json=LAUNCH, key="launch-1")
    other = dana.post("/stacks", json=LAUNCH | {"name": "other-queue"}, key="launch-1")
    assert list(problem(other, 409)) == ["Idempotency-Key"]
    assert list(problem(dana.delete(f"/stacks/{make.stack().ref}", key="launch-1"), 409)) == ["Idempotency-Key"]


def test_without_a_key_the_second_request_is_one_of_its_own(dana):
    dana.post("/stacks", json=LAUNCH)
    assert list(problem(dana.post("/stacks", json=LAUNCH), 422)) == ["name"]


def test_a_key_is_its_persons_own(dana, caller, make):
    first = dana.post("/stacks", json=LAUNCH, key="launch-1")
    other = caller(make.person("petra")).post("/stacks", json=LAUNCH | {"name": "other-queue"}, key="launch-1")
    assert other.status_code == 202
    assert other.json["job"]["id"] != first.json["job"]["id"]


def test_a_refused_request_does_not_use_its_key_up(dana):
    problem(dana.post("/stacks", json=LAUNCH | {"name": "No"}, key="launch-1"), 422)
    assert dana.post("/stacks", json=LAUNCH, key="launch-1").status_code == 202


def test_deleting_and_updating_may_be_repeated(dana, make):
    stack, other = make.stack(), make.stack()
    first = dana.delete(f"/stacks/{stack.ref}", key="delete-1")
    assert dana.delete(f"/stacks/{stack.ref}", key="delete-1").data == first.data
    change = {"parameters": {"QueueName": "new"}}
    first = dana.post(f"/stacks/{other.ref}/updates", json=change, key="update-1")
    assert first.status_code == 202
    assert dana.post(f"/stacks/{other.ref}/updates", json=change, key="update-1").data == first.data


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel"])
def test_a_key_that_cannot_be_kept_is_refused(dana, key):
    assert list(problem(dana.post("/stacks", json=LAUNCH, key=key), 422)) == ["Idempotency-Key"]


@pytest.mark.parametrize("round", range(3))
def test_two_at_once_make_one_stack_and_hear_the_same(app, dana, round):
    db.session.commit()

    def launch(number):
        headers = {"Authorization": f"Bearer {dana.token}", "Idempotency-Key": "launch-1"}
        return app.test_client().post(f"{PREFIX}/stacks", json=LAUNCH, headers=headers)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(launch, range(4)))
    assert [answer.status_code for answer in answers] == [202] * 4, [answer.text for answer in answers]
    assert len({answer.data for answer in answers}) == 1
    assert (count(Stack), count(Job)) == (1, 1)


def test_two_at_once_with_different_content_make_one_stack(app, dana):
    db.session.commit()

    def launch(number):
        headers = {"Authorization": f"Bearer {dana.token}", "Idempotency-Key": "launch-1"}
        content = LAUNCH | {"name": f"queue-{number}"}
        return app.test_client().post(f"{PREFIX}/stacks", json=content, headers=headers)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(launch, range(2)))
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    assert count(Stack) == 1
