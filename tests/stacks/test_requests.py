"""What may be asked for, by whom, how often: refusals write nothing."""

import threading

import pytest
from sqlalchemy import func, select

from app import audit, db
from app.catalog.models import Version
from app.environments.models import Environment
from app.errors import Conflict, Forbidden, Invalid, Problem
from app.identity.models import Person, Team
from app.jobs.models import Job
from app.stacks import actions, deciding, requests
from app.stacks.actions import Launch
from app.stacks.models import Stack
from app.stacks.requests import Request


def rows():
    db.session.rollback()
    return [db.session.scalar(select(func.count()).select_from(table)) for table in (Stack, Job, audit.AuditEntry)]


@pytest.fixture
def wanted(make, queue):
    def wish(name="refunds", **changes):
        values = {"version": queue(), "environment": make.environment(), "team": make.team(), "answers": {}}
        db.session.commit()
        return Launch(name=name, **{**values, **changes})

    return wish


def test_a_name_is_free_once_in_an_environment(wanted, dana, make):
    actions.launch(wanted(), Request(dana))
    db.session.commit()
    before = rows()
    with pytest.raises(Invalid) as refused:
        actions.launch(wanted(), Request(dana))
    assert refused.value.errors == {"name": ["There is a stack named refunds in payments-staging already."]}
    assert rows() == before
    actions.launch(wanted(environment=make.environment("sandbox")), Request(dana))


@pytest.mark.parametrize("name", ["", "a", "ab-", "9lives", "Refunds", "refunds_1", "refunds!", "x" * 65, "a b", "-ab"])
def test_a_bad_name_is_told_the_rule(wanted, dana, name):
    wish, before = wanted(name), rows()
    with pytest.raises(Invalid) as refused:
        actions.launch(wish, Request(dana))
    assert refused.value.errors == {"name": [actions.NAME_RULE]}
    assert rows() == before


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"VisibilityTimeoutSeconds": "soon"}, "parameters.VisibilityTimeoutSeconds"),
        ({"VisibilityTimeoutSeconds": "43201"}, "parameters.VisibilityTimeoutSeconds"),
        ({"MessageRetentionDays": "3"}, "parameters.MessageRetentionDays"),
        ({"NoSuchThing": "1"}, "parameters.NoSuchThing"),
    ],
)
def test_a_bad_answer_names_its_field(wanted, dana, answers, field):
    wish, before = wanted(answers=answers), rows()
    with pytest.raises(Invalid) as refused:
        actions.launch(wish, Request(dana))
    assert list(refused.value.errors) == [field]
    assert rows() == before


def test_every_mistake_is_told_at_once(wanted, dana):
    with pytest.raises(Invalid) as refused:
        actions.launch(wanted("X", answers={"VisibilityTimeoutSeconds": "soon", "Nothing": "x"}), Request(dana))
    assert set(refused.value.errors) == {"name", "parameters.VisibilityTimeoutSeconds", "parameters.Nothing"}


def test_only_a_published_version_is_launched(wanted, dana, make, queue):
    for status in ("draft", "in_review", "deprecated", "retired"):
        version = make.version(f"9.{len(status)}.0", status=status, body=queue().body)
        with pytest.raises(Invalid, match="another look") as refused:
            actions.launch(wanted(version=version), Request(dana))
        assert list(refused.value.errors) == ["version"]


def test_an_open_environment_is_no_way_to_act_for_another_team(wanted, dana, make):
    orders, sandbox = make.team("orders"), make.environment("sandbox")
    with pytest.raises(Forbidden, match="In sandbox you may not launch for orders"):
        actions.launch(wanted(environment=sandbox, team=orders), Request(dana))
    actions.launch(wanted(environment=sandbox), Request(dana))
    actions.launch(wanted("other", environment=sandbox, team=orders), Request(make.person("petra")))


def test_a_service_belongs_to_the_stacks_owner(wanted, dana, make):
    service = make.service("basket", team=make.team("orders"))
    with pytest.raises(Invalid) as refused:
        actions.launch(wanted(service=service), Request(dana))
    assert refused.value.errors == {"service": ["basket does not belong to payments."]}


@pytest.mark.parametrize("username", ["dana", "omar", "petra", "mona", "alan", "ada"])
def test_who_may_launch_change_and_delete(wanted, make, username):
    person, stack = make.person(username), make.stack()
    tainted = make.stack(status="tainted", running_version_id=stack.version_id, running_answers={})
    failed = make.stack(status="failed")
    asked = (
        lambda by: actions.launch(wanted(f"by-{username}"), by),
        lambda by: actions.request_update(stack, stack.version, stack.answers, by),
        lambda by: deciding.request_cancel(make.job(make.stack(), status="queued"), by),
        lambda by: actions.request_delete(make.stack(), None, by),
        lambda by: actions.set_protection(make.stack(), True, by),
        lambda by: actions.accept_running(tainted, by),
        lambda by: actions.request_retry(failed, failed.version, {"QueueName": "q"}, by),
    )
    for ask in asked:
        if username in ("dana", "petra", "ada"):
            ask(Request(person))
        else:
            with pytest.raises(Forbidden):
                ask(Request(person))


def test_a_second_job_is_refused_and_told_the_first(ready, update, dana):
    stack = ready()
    first = update(stack, VisibilityTimeoutSeconds="90")
    for ask in (
        lambda: actions.request_update(stack, stack.version, stack.answers, Request(dana)),
        lambda: actions.request_delete(stack, None, Request(dana)),
        lambda: actions.accept_running(stack, Request(dana)),
    ):
        with pytest.raises(Conflict, match=first.ref) as refused:
            ask()
        assert refused.value.job == first.ref


def at_once(app, number, ask):
    """Ask from so many threads at the same moment; return what each got."""
    gate, got = threading.Barrier(number), []

    def request():
        with app.app_context():
            gate.wait()
            try:
                job = ask()
                db.session.commit()
                got.append(job.ref)
            except Problem as problem:
                db.session.rollback()
                got.append(problem)

    threads = [threading.Thread(target=request) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each for each in got if isinstance(each, str)], [each for each in got if isinstance(each, Problem)]


@pytest.mark.parametrize("kind", ["update", "delete", "retry"])
def test_of_twenty_at_once_exactly_one_gets_the_stack(app, make, dana, kind):
    stack = make.stack(status="failed" if kind == "retry" else "ready")
    stack_id, who = stack.id, dana.id
    db.session.commit()

    def ask():
        found, person = db.session.get(Stack, stack_id), db.session.get(Person, who)
        if kind == "delete":
            return actions.request_delete(found, None, Request(person))
        asked = actions.request_retry if kind == "retry" else actions.request_update
        return asked(found, found.version, found.answers, Request(person))

    made, refused = at_once(app, 20, ask)
    assert (len(made), len(refused)) == (1, 19)
    assert all(isinstance(each, Conflict) and each.job == made[0] for each in refused)


def test_of_twenty_launches_at_once_exactly_one_gets_the_name(app, make, dana, queue):
    ids = queue().id, make.environment().id, make.team().id, dana.id
    db.session.commit()

    def ask():
        models = (Version, Environment, Team, Person)
        version, environment, team, person = (db.session.get(*each) for each in zip(models, ids, strict=True))
        return actions.launch(Launch(version, environment, team, "refunds"), Request(person))[1]

    made, refused = at_once(app, 20, ask)
    assert (len(made), len(refused)) == (1, 19)
    assert all("name" in each.errors for each in refused)


def test_the_same_key_is_the_same_request(wanted, dana):
    request = Request(dana, key="k-1", digest="d" * 64)
    assert requests.find_repeated(request) is None
    _, job = actions.launch(wanted(), request)
    assert requests.find_repeated(request) is job
    with pytest.raises(Conflict, match="another request"):
        requests.find_repeated(Request(dana, key="k-1", digest="e" * 64))
    assert requests.find_repeated(Request(dana)) is None
