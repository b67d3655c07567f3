"""When each place (account and region) was last compared with the cloud, and why not since."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app import db
from app.environments.models import Account, Environment
from app.stacks.cloud import place_name
from app.stacks.models import PlaceSeen


class Sighting(NamedTuple):
    """A place with the account's name; `seen_at` is None where nobody ever looked, `problem` what stands in the way."""

    place: str
    account: str
    region: str
    seen_at: datetime | None
    problem: str


def note_seen(place: str, problem: str = "") -> None:
    """Note, and commit, that the whole place was compared just now; `problem`: what of it could not be asked about."""
    _note(place, seen_at=db.now(), tried_at=db.now(), problem=problem[:500])


def note_blind(place: str, problem: str) -> None:
    """Note, and commit, that the place could not be listed, and why."""
    _note(place, tried_at=db.now(), problem=problem[:500])


def _note(place: str, **values: Any) -> None:
    known = update(PlaceSeen).where(PlaceSeen.name == place).values(**values)
    if db.count_changed(db.session.execute(known)) == 0:
        db.session.add(PlaceSeen(name=place, **values))
    try:
        db.session.commit()
    except IntegrityError:
        # Another worker was quicker to note the same.
        db.session.rollback()


def sightings() -> Sequence[Sighting]:
    """Return every place an environment lies in, those with a problem first, then by account and region."""
    seen = {row.name: row for row in db.session.scalars(select(PlaceSeen))}
    query = (
        select(Account.number, Account.name, Environment.region)
        .join(Environment, Environment.account_id == Account.id)
        .distinct()
    )
    found = []
    for number, account, region in db.session.execute(query):
        row = seen.get(name := place_name(number, region))
        found.append(Sighting(name, account, region, row.seen_at if row else None, row.problem if row else ""))
    return sorted(found, key=lambda each: (not each.problem, each.account, each.region))


def count_unseen() -> int:
    """Return how many places could not be compared the last time."""
    return db.session.scalar(select(func.count()).select_from(PlaceSeen).where(PlaceSeen.problem != "")) or 0
