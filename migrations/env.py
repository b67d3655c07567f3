"""Runs the migrations against DATABASE_URL, in one transaction a step, on SQLite and PostgreSQL."""

import os

from alembic import context

from app import db
from app.config import read_database_url
from app.models import Base

# A test hands over its own connection; the command line opens one.
connection = context.config.attributes.get("connection")


def run(connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


if connection is not None:
    run(connection)
else:
    engine = db.connect(read_database_url(os.environ))
    with engine.connect() as opened:
        run(opened)
        opened.commit()
    engine.dispose()
