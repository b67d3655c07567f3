"""The table of decisions: whole, typed, and true to what CloudFormation can do in each state."""

import typing

import botocore.session
import pytest

from app.stacks.lifecycle import MEANINGS
from app.stacks.lifecycle import StackStatus as Ours
from app.stacks.standing import (
    STANDINGS,
    Cancel,
    Change,
    Delete,
    Follow,
    Standing,
    Start,
    UnknownStatus,
    standing,
)

STATUSES = frozenset(botocore.session.get_session().get_service_model("cloudformation").shape_for("StackStatus").enum)
COLUMNS = typing.get_type_hints(Standing)
MOVING = {status for status in STATUSES if status.endswith("_IN_PROGRESS")}
SETTLED = STATUSES - MOVING

# What CloudFormation changes from a state of rest. Source: "Stack status codes" of its guide.
CHANGEABLE = {
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}  # fmt: skip
NEVER_UP = {"REVIEW_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}


def where(column, *answers):
    return {status for status, row in STANDINGS.items() if getattr(row, column) in answers}


def test_every_status_of_cloudformation_and_not_found_has_a_row():
    assert len(STATUSES) == 23
    assert set(STANDINGS) == STATUSES | {None}


@pytest.mark.parametrize("status", sorted(STATUSES) + [None])
def test_every_column_of_a_row_is_answered_in_its_own_words(status):
    row = standing(status)
    assert {name: type(getattr(row, name)) for name in COLUMNS} == COLUMNS


def test_every_answer_is_given_somewhere():
    for kind in (Start, Change, Delete, Follow, Cancel):
        given = {getattr(row, name) for row in STANDINGS.values() for name in COLUMNS if COLUMNS[name] is kind}
        assert given == set(kind)


def test_a_status_nobody_knows_stops_instead_of_falling_through():
    with pytest.raises(UnknownStatus, match="UPDATE_PONDERING"):
        standing("UPDATE_PONDERING")


def test_only_what_never_was_up_is_removed_to_make_room():
    assert where("start", Start.CLEAR) == NEVER_UP
    assert where("start", Start.CLEAR_AGAIN) == {"DELETE_FAILED"}
    assert where("start", Start.CREATE) == {None, "DELETE_COMPLETE"}


def test_what_somebody_else_moves_is_waited_for():
    elsewhere = MOVING - {"REVIEW_IN_PROGRESS"}
    assert where("start", Start.WAIT) == where("change", Change.WAIT) == elsewhere
    assert where("delete", Delete.WAIT, Delete.FOLLOW) == elsewhere - {"CREATE_IN_PROGRESS"}


def test_a_change_is_planned_only_where_cloudformation_takes_one():
    assert where("change", Change.PLAN) == CHANGEABLE
    assert where("change", Change.CONTINUE_ROLLBACK) == {"UPDATE_ROLLBACK_FAILED"}
    assert where("change", Change.LOST) == {None, "DELETE_COMPLETE"}
    assert where("change", Change.REFUSE) == NEVER_UP | {"DELETE_FAILED", "IMPORT_ROLLBACK_FAILED"}


def test_everything_that_rests_can_be_deleted():
    assert where("delete", Delete.GONE) == {None, "DELETE_COMPLETE"}
    assert where("delete", Delete.DELETE, Delete.DELETE_AGAIN) >= SETTLED - {"DELETE_COMPLETE"}


@pytest.mark.parametrize("column", ["creating", "updating", "deleting"])
def test_a_job_ends_only_with_a_stack_at_rest(column):
    assert where(column, Follow.DONE, Follow.UNDONE, Follow.FAILED, Follow.GONE) <= SETTLED | {None}
    assert where(column, Follow.GOES_ON, Follow.TIDIES) <= MOVING


def test_what_a_job_sees_agrees_with_what_the_status_means():
    for status, meaning in MEANINGS.items():
        row = standing(status)
        assert meaning.moves == (row.creating in (Follow.GOES_ON, Follow.TIDIES, Follow.STALE))
        assert (row.creating is Follow.DONE) == (meaning.status is Ours.READY)
        assert (row.deleting is Follow.DONE) == (meaning.status is Ours.DELETED)
        if row.updating is Follow.DONE:
            assert meaning.status is Ours.READY
        if row.updating is Follow.UNDONE:
            assert meaning.status is Ours.TAINTED


def test_an_update_cannot_end_as_a_create_or_an_import_does():
    """It stood like this before: taken for the end, a job would report what it has not done."""
    before = {"CREATE_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
    assert where("updating", Follow.STALE) == before | {"REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS"}


def test_not_found_is_not_believed_at_once_except_of_what_was_to_go():
    row = standing(None)
    assert (row.creating, row.updating, row.deleting) == (Follow.UNSEEN, Follow.UNSEEN, Follow.DONE)


def test_a_cancelled_create_never_removes_what_somebody_changed_since():
    changed = {status for status in STATUSES if status.startswith(("UPDATE_", "IMPORT_"))}
    assert {standing(status).cancel_create for status in changed} == {Cancel.TOO_LATE}


def test_an_update_is_cancelled_by_turning_back_and_never_by_deleting():
    assert where("cancel_update", Cancel.DELETE) == set()
    assert "UPDATE_IN_PROGRESS" in where("cancel_update", Cancel.TURN_BACK)


def test_a_job_asks_for_its_own_column():
    row = standing("UPDATE_ROLLBACK_COMPLETE")
    assert [row.seen_by(kind) for kind in ("create", "update", "delete")] == [row.creating, row.updating, row.deleting]
    assert [row.cancelling(kind) for kind in ("create", "update")] == [row.cancel_create, row.cancel_update]
