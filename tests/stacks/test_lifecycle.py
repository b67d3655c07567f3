"""A stack in every status with every transition, and every status CloudFormation knows."""

import botocore.session
import pytest
from sqlalchemy import select

from app import db
from app.audit import AuditEntry
from app.stacks import lifecycle
from app.stacks.lifecycle import IN_TROUBLE, MEANINGS, MOVING, RANK, TRANSITIONS, InvalidTransition, StackStatus


@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda transition: transition.name)
def test_every_transition_from_every_status(make, dana, transition):
    for status in StackStatus:
        stack = make.stack(status=status)
        if status in transition.sources:
            assert lifecycle.can(stack, transition)
            lifecycle.apply(stack, transition, "Because.", by=dana)
            assert (stack.status, stack.rank, stack.status_reason) == (
                transition.target,
                RANK[transition.target],
                "Because.",
            )
            entry = db.session.scalars(select(AuditEntry).where(AuditEntry.subject_ref == stack.ref)).one()
            assert (entry.action, entry.before, entry.after) == (
                f"stack:{transition.target}", {"status": status}, {"status": transition.target},
            )  # fmt: skip
        else:
            assert not lifecycle.can(stack, transition)
            with pytest.raises(InvalidTransition, match="can no longer"):
                lifecycle.apply(stack, transition)
            assert stack.status == status


def test_what_is_deleted_stays_deleted():
    assert not [move.name for move in TRANSITIONS if StackStatus.DELETED in move.sources]


def test_every_status_but_deleted_leads_to_deletion():
    assert lifecycle.DELETE.sources == set(StackStatus) - {StackStatus.DELETED, StackStatus.DELETING}


def test_every_status_of_cloudformation_has_a_meaning():
    model = botocore.session.get_session().get_service_model("cloudformation")
    assert set(MEANINGS) == set(model.shape_for("StackStatus").enum)


@pytest.mark.parametrize(("status", "meaning"), MEANINGS.items())
def test_a_meaning_is_whole(status, meaning):
    assert meaning.moves == status.endswith("_IN_PROGRESS")
    if not meaning.moves:
        assert bool(meaning.next_action) == (meaning.status in IN_TROUBLE)


def test_a_rolled_back_update_is_neither_ready_nor_failed():
    assert MEANINGS["UPDATE_ROLLBACK_COMPLETE"].status is StackStatus.TAINTED


def test_ranks_put_what_is_gone_lowest_and_trouble_highest():
    ordered = sorted(StackStatus, key=RANK.__getitem__)
    assert ordered[:2] == [StackStatus.DELETED, StackStatus.READY]
    assert set(ordered[2 : 2 + len(MOVING)]) == set(MOVING)
    assert set(ordered[-len(IN_TROUBLE) :]) == set(IN_TROUBLE)
