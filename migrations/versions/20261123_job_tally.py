"""Count finished jobs by template, kind and day

The catalog shows how often and how fast each template succeeds. Reading every job of 90 days for that costs more than
the page, so triggers count jobs as they end; two indexes make durations and failures of one template cheap to read,
a third says when an environment was last observed. Yesterday's code runs against it unchanged.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261123_job_tally"
down_revision = "20261123_stack_tally"
branch_labels = None
depends_on = None

COUNT = """INSERT INTO job_tally (template_id, kind, day, succeeded, failed)
VALUES (NEW.template_id, NEW.kind, {day},
        CASE WHEN NEW.status = 'succeeded' THEN 1 ELSE 0 END, CASE WHEN NEW.status = 'failed' THEN 1 ELSE 0 END)
ON CONFLICT (template_id, kind, day) DO UPDATE
SET succeeded = job_tally.succeeded + excluded.succeeded, failed = job_tally.failed + excluded.failed;"""
BACKFILL = """INSERT INTO job_tally (template_id, kind, day, succeeded, failed)
SELECT template_id, kind, {day}, sum(CASE WHEN status = 'succeeded' THEN 1 ELSE 0 END),
       sum(CASE WHEN status = 'failed' THEN 1 ELSE 0 END)
FROM job WHERE status IN ('succeeded', 'failed') AND finished_at IS NOT NULL
GROUP BY template_id, kind, {day}"""
# On SQLite a moment is text in UTC; its first ten characters are the day.
DAY = {"sqlite": "substr({0}finished_at, 1, 10)", "postgresql": "({0}finished_at AT TIME ZONE 'UTC')::date"}
ENDED = "NEW.status IN ('succeeded', 'failed') AND NEW.finished_at IS NOT NULL"
LIVE = sa.text("status <> 'deleted'")
FAILED = sa.text("status = 'failed'")
WHOLE_JOB = sa.text("logical_id = ''")
INDEXES = (
    ("ix_job_failures", "job", ["template_id", "kind", "finished_at"], FAILED),
    ("ix_duration_of_jobs", "duration", ["template_id", "kind", "id", "seconds"], WHOLE_JOB),
    ("ix_stack_observed", "stack", ["environment_id", "observed_at"], LIVE),
)


def upgrade() -> None:
    big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "job_tally",
        sa.Column("template_id", big_id, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("succeeded", big_id, nullable=False),
        sa.Column("failed", big_id, nullable=False),
        sa.PrimaryKeyConstraint("template_id", "kind", "day", name=op.f("pk_job_tally")),
    )
    for name, table, columns, where in INDEXES:
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    dialect = op.get_bind().dialect.name
    op.execute(BACKFILL.format(day=DAY[dialect].format("")))
    {"postgresql": _count_on_postgresql, "sqlite": _count_on_sqlite}[dialect](
        COUNT.format(day=DAY[dialect].format("NEW."))
    )


def _count_on_sqlite(count: str) -> None:
    op.execute(f"CREATE TRIGGER job_tally_insert AFTER INSERT ON job WHEN {ENDED} BEGIN {count} END")
    op.execute(
        f"CREATE TRIGGER job_tally_update AFTER UPDATE OF status ON job WHEN {ENDED} AND NEW.status <> OLD.status "
        f"BEGIN {count} END"
    )


def _count_on_postgresql(count: str) -> None:
    op.execute(f"CREATE FUNCTION job_tally() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {count} RETURN NULL; END $$")
    op.execute(
        f"CREATE TRIGGER job_tally_insert AFTER INSERT ON job FOR EACH ROW WHEN ({ENDED}) EXECUTE FUNCTION job_tally()"
    )
    op.execute(
        f"CREATE TRIGGER job_tally_update AFTER UPDATE OF status ON job FOR EACH ROW "
        f"WHEN ({ENDED} AND NEW.status <> OLD.status) EXECUTE FUNCTION job_tally()"
    )


def downgrade() -> None:
    on = " ON job" if op.get_bind().dialect.name == "postgresql" else ""
    for name in ("insert", "update"):
        op.execute(f"DROP TRIGGER job_tally_{name}{on}")
    if on:
        op.execute("DROP FUNCTION job_tally()")
    for name, table, _columns, _where in INDEXES:
        op.drop_index(name, table)
    op.drop_table("job_tally")
