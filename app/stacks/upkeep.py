"""Chores a worker does now and then: folding the tally together, watching what moves."""

from flask import Flask
from sqlalchemy import delete, func, insert, select

from app import db
from app.jobs import chores
from app.jobs.chores import Chore
from app.stacks import watching
from app.stacks.models import StackTally

# Folding costs a scan, so it waits until there is something to fold.
FEWEST_ROWS = 500


def init_app(app: Flask) -> None:
    chores.add(app, Chore("fold-tally", lambda shift: fold_tally(), 5.0))
    chores.add(app, Chore("watch", watching.watch, app.extensions["config"].number("FOLLOW_SECONDS"), is_shared=True))


def fold_tally(fewest: int = FEWEST_ROWS) -> None:
    """Replace the tally's differences by their sums, in one transaction. Rows appended meanwhile are left alone."""
    newest, rows = db.session.execute(select(func.max(StackTally.id), func.count())).one()
    if rows < fewest:
        db.session.rollback()
        return
    keys = (
        StackTally.grain, StackTally.team_id, StackTally.environment_id, StackTally.template_id, StackTally.status,
    )  # fmt: skip
    sums = select(*keys, func.sum(StackTally.n).label("n")).where(StackTally.id <= newest).group_by(*keys)
    folded = [dict(row) for row in db.session.execute(sums).mappings() if row["n"]]
    db.session.execute(delete(StackTally).where(StackTally.id <= newest))
    if folded:
        db.session.execute(insert(StackTally), folded)
    db.session.commit()
