"""Jobs that would never move again by themselves: made due, so that the next search for due jobs finds them.

Intents without a done, leases that ran out and jobs no wake-up announced need nothing here: whoever claims a job looks
before it acts, and every worker searches for due jobs by itself. What is left are times nobody could have meant, as
after the database's clock was set back or a server with another clock took over.
"""

from sqlalchemy import and_, or_, update

from app import db
from app.jobs.chores import Shift
from app.jobs.lifecycle import RUNNABLE
from app.jobs.models import EPOCH, Job
from app.logs import log

# No step rests this long: those that wait for news of a stack look for themselves after ten minutes.
LONGEST_REST = 20 * 60


def revive(shift: Shift) -> None:
    """Make due, and commit, what rests or is leased for longer than anybody asks for; say which jobs these were.

    Taking a lease away is safe: the next claim raises the fence, and the one before can write no more.
    """
    longest_lease = max(10 * shift.worker.lease_seconds, LONGEST_REST)
    query = (
        update(Job)
        .where(Job.status.in_(RUNNABLE))
        .where(
            or_(
                and_(Job.lease_until < db.now(), Job.next_run_at > db.now(LONGEST_REST)),
                Job.lease_until > db.now(longest_lease),
            )
        )
        .values(next_run_at=db.now(), lease_until=EPOCH, lease_owner=None)
        .returning(Job.ref)
        .execution_options(synchronize_session=False)
    )
    revived = list(db.session.scalars(query))
    db.session.commit()
    if revived:
        log.warning("jobs_revived", jobs=revived)
        shift.poke()
