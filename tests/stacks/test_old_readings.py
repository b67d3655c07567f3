"""A reading may be some seconds old: what a step makes of one that shows what was, asked of the step itself."""

from typing import Any

import pytest

from app.aws.cloudformation import ChangeSet, StackState
from app.aws.errors import NotThere
from app.jobs.flows import Again, Cancelled, Done, Stop
from app.stacks import cancelling, deleting, launching
from app.stacks.case import Case, PlanFacts
from app.stacks.effects import CountUnseen, DeleteStack, ListResources, NoteUndo
from app.stacks.lifecycle import StackStatus

ID = "arn:aws:cloudformation:eu-west-1:111122223333:stack/orders-queue-7q2f8k3m/1"
OURS = {"slipway:stack": "stk_7Q2F8K3M"}


def case(kind: str = "create", **more: Any) -> Case:
    facts = {"cloud_id": ID, "plan": PlanFacts("the plan"), "status": StackStatus.CREATING}
    return Case("job_1", kind, "stk_7Q2F8K3M", "orders-queue-7q2f8k3m", **facts | more)


def stack(status: str, tags: dict[str, str] | None = None) -> StackState:
    return StackState(ID, status, "", [], OURS if tags is None else tags)


def perform(steps: Any, **answers: Any) -> tuple[list[Any], Any]:
    """Answer what a step asks for, by the name of the effect; return what it asked for and its outcome.

    A list holds one answer after the other; an answer that is an error is raised.
    """
    asked, answer = [], None
    try:
        while True:
            effect = steps.throw(answer) if isinstance(answer, Exception) else steps.send(answer)
            asked.append(effect)
            found = answers.get(effect.name)
            answer = found.pop(0) if isinstance(found, list) and effect.name == "find_stack" else found
    except StopIteration as end:
        return asked, end.value


def test_a_deletion_asks_whose_the_stack_is_also_where_the_check_saw_none():
    unknown = case("delete", cloud_id=None, status=StackStatus.FAILED)
    assert isinstance(perform(deleting.check(unknown), find_stack=None)[1], Done)
    asked, outcome = perform(deleting.execute(unknown), find_stack=stack("CREATE_COMPLETE", {"owner": "somebody"}))
    assert isinstance(outcome, Stop)
    assert not [effect for effect in asked if isinstance(effect, DeleteStack)]


@pytest.mark.parametrize("answers", [{"find_stack": None}, {"list_resources": NotThere("no such stack")}])
def test_a_stack_that_came_up_is_not_lost_by_one_look(answers):
    seen = {"find_stack": stack("CREATE_COMPLETE")} | answers
    assert isinstance(perform(launching.verify(case(looks=1)), **seen)[1], Again)
    assert isinstance(perform(launching.verify(case(looks=6)), **seen)[1], Stop)


@pytest.mark.parametrize("seen", ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"])
def test_an_undoing_that_was_heard_is_noted_before_an_older_reading_hides_it(seen):
    readings = [stack(seen), stack("CREATE_COMPLETE")]
    asked, outcome = perform(launching.follow(case(wants_cancel=True)), find_stack=readings, read_events=[])
    assert NoteUndo() in asked
    assert isinstance(outcome, Again)


def test_a_launch_that_is_too_young_to_be_known_is_not_cancelled_yet():
    young = case(wants_cancel=True, looks=1)
    assert isinstance(perform(launching.follow(young), find_stack=None)[1], Again)
    assert isinstance(perform(launching.follow(young.with_(looks=6)), find_stack=None)[1], Cancelled)


def test_a_launch_is_cancelled_once_it_is_sure_that_nothing_has_begun():
    begun = case(cloud_id=None, plan=None, looks=1)
    asked, outcome = perform(cancelling.cancel(begun))
    assert CountUnseen(1) in asked
    assert isinstance(outcome, Again)
    assert isinstance(perform(cancelling.cancel(begun.with_(unseen=5)))[1], Cancelled)


def test_a_launch_that_never_began_is_cancelled_at_once():
    assert isinstance(perform(cancelling.cancel(case(cloud_id=None, plan=None, looks=0)))[1], Cancelled)


def test_what_is_known_by_its_id_is_cancelled_once_that_is_deleted():
    known = case(plan=None, looks=1)
    asked, outcome = perform(cancelling.cancel(known), find_stack=stack("REVIEW_IN_PROGRESS"))
    assert [effect.where for effect in asked if isinstance(effect, DeleteStack)] == [ID]
    assert isinstance(outcome, Again)
    assert isinstance(perform(cancelling.cancel(known), find_stack=stack("DELETE_COMPLETE"))[1], Cancelled)


def test_resources_are_listed_once_the_stack_is_seen():
    asked, outcome = perform(launching.verify(case(looks=1)), find_stack=stack("CREATE_COMPLETE"), list_resources=[])
    assert ListResources(ID) in asked
    assert isinstance(outcome, Done)


@pytest.mark.parametrize(
    ("shown", "executed"), [("UPDATE_ROLLBACK_COMPLETE", "EXECUTE_COMPLETE"), ("UPDATE_COMPLETE", "EXECUTE_FAILED")]
)
def test_how_the_update_before_ended_is_not_taken_for_the_end_of_this_one(shown, executed):
    found = {"find_change_set": ChangeSet("the plan", ID, "CREATE_COMPLETE", executed, ""), "read_events": []}
    outcome = perform(launching.follow(case("update", looks=1)), find_stack=stack(shown), **found)[1]
    assert isinstance(outcome, Again)
    outcome = perform(launching.follow(case("update", looks=6)), find_stack=stack(shown), **found)[1]
    assert isinstance(outcome, Stop)
