"""A copy of all rows, and its restore: what a backup is to the portal, on either database."""

from typing import Any

from sqlalchemy import select

from app import db
from app.models import Base

# Triggers write these whenever stacks and jobs are written, so they are restored last.
_COUNTED = ("stack_tally", "job_tally")

Backup = dict[str, list[dict[str, Any]]]


def take() -> Backup:
    """Return every row of every table."""
    db.session.commit()
    rows = {table.name: [dict(row) for row in db.session.execute(select(table)).mappings()] for table in _tables()}
    db.session.commit()
    return rows


def restore(backup: Backup) -> None:
    """Make the database hold exactly these rows."""
    db.session.rollback()
    for table in reversed(_tables()):
        db.session.execute(table.delete())
    for table in _tables():
        db.session.execute(table.delete())
        if backup[table.name]:
            db.session.execute(table.insert(), backup[table.name])
    db.session.commit()
    db.session.expire_all()


def _tables() -> list[Any]:
    return sorted(Base.metadata.sorted_tables, key=lambda table: table.name in _COUNTED)
