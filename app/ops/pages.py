"""The operations page: what needs somebody, the queue, the workers. For those who run the platform."""

from flask import Blueprint, render_template, request

from app.identity import policy
from app.identity.current import me
from app.jobs.queue import Part
from app.ops import queries, readiness

bp = Blueprint("operations", __name__)

PARTS = (
    (Part.NEEDS_ATTENTION, "Needs attention"),
    (Part.DUE, "Due"),
    (Part.HELD, "Held by a worker"),
    (Part.RESTING, "Between two looks"),
    (Part.WAITING, "Waiting for people"),
)
TABS = ("queue", "workers")


@bp.get("/operations")
def index() -> str:
    """Show how the engine stands; while anything moves, the page asks for itself again."""
    policy.require(policy.may_operate(me))
    asked = request.args.get("part", "")
    after = request.args.get("after", "")
    owner = request.args.get("worker", "")
    part = Part(asked) if asked in list(Part) else None
    found = queries.operations(part, owner, int(after) if after.isdecimal() and len(after) < 19 else None)
    is_part = bool(request.headers.get("HX-Request"))
    return render_template(
        "ops/_body.html" if is_part else "ops/index.html",
        nav="operations",
        is_part=is_part,
        tab=request.args.get("tab") if request.args.get("tab") in TABS else TABS[0],
        found=found,
        parts=PARTS,
        part=part,
        owner=owner,
        stuck=readiness.stuck_jobs(found.standing.stuck, found.at),
        read_at=found.at,
    )
