"""Find parts of stack names by an index on PostgreSQL

Looking through 100,000 names took longer than the rest of a page. SQLite keeps its plain index, which it reads through
in a few milliseconds. `pg_trgm` comes with PostgreSQL; since version 13 the owner of a database may create it.
"""

from alembic import op

revision = "20261124_stack_name_trigrams"
down_revision = "20261124_worker_seen"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.drop_index("ix_stack_name", table_name="stack")
        op.create_index(
            "ix_stack_name", "stack", ["name"], postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_stack_name", table_name="stack")
        op.create_index("ix_stack_name", "stack", ["name"])
        op.execute("DROP EXTENSION IF EXISTS pg_trgm")
