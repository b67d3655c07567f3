"""Let a job wait for a watcher, and let workers share chores

Rows written by yesterday's code watch nothing and are found by their time as before; it reads neither column nor table.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261124_watched_jobs"
down_revision = "20261124_stack_name_trigrams"
branch_labels = None
depends_on = None

WATCHED = sa.text("watch_topic IS NOT NULL")


def upgrade() -> None:
    op.add_column("job", sa.Column("watch_topic", sa.String(length=200), nullable=True))
    op.add_column("job", sa.Column("watch_key", sa.String(length=300), nullable=True))
    op.create_index(
        "ix_job_watched",
        "job",
        ["watch_topic", "next_run_at"],
        sqlite_where=WATCHED,
        postgresql_where=WATCHED,
    )
    op.create_table(
        "duty",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("lease_owner", sa.String(length=200), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_duty")),
    )


def downgrade() -> None:
    op.drop_table("duty")
    op.drop_index("ix_job_watched", "job")
    op.drop_column("job", "watch_key")
    op.drop_column("job", "watch_topic")
