"""Bring a database to this code's schema."""

from functools import cache

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from app.config import ROOT


def alembic_config(connection: Connection | None = None) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run every migration up to `revision`. May be repeated."""
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), revision)
        connection.commit()


def downgrade(engine: Engine, revision: str) -> None:
    """Run migrations backwards down to `revision` (`base` for none)."""
    with engine.connect() as connection:
        command.downgrade(alembic_config(connection), revision)
        connection.commit()


def is_current(engine: Engine) -> bool:
    """Say whether the database has this code's schema."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head()


@cache
def head() -> str | None:
    """Return the newest migration. Read once: the files do not change while a process runs."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def heads() -> list[str]:
    """Return every migration no other one follows; more than one means two branches were never joined."""
    return list(ScriptDirectory.from_config(alembic_config()).get_heads())


def differences(engine: Engine) -> list[str]:
    """Return what a migration would have to change to make the database what the models say."""
    from app.models import Base

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [str(difference) for difference in compare_metadata(context, Base.metadata)]
