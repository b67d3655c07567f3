"""The page of orphans: stacks in the cloud that nobody here knows, and when each place was last compared."""

from flask import Blueprint, render_template

from app import clock
from app.identity import policy
from app.identity.current import me
from app.stacks import orphans, sightings

bp = Blueprint("orphans", __name__)

MOST = 200


@bp.get("/operations/orphans")
def index() -> str:
    """Show what is known of each orphan and what to do about it."""
    policy.require(policy.may_operate(me))
    return render_template(
        "ops/orphans.html",
        nav="orphans",
        count=orphans.count_orphans(),
        rows=orphans.list_orphans(MOST),
        places=sightings.sightings(),
        read_at=clock.now(),
    )
