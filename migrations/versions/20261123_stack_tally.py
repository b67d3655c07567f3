"""Count stacks by appending differences

Facets need counts by team, environment, template and status; at 100,000 stacks counting rows costs more than the
page. Triggers append +1 and -1 rows, which never wait for another writer; the worker folds them together.
"""

from alembic import op

revision = "20261123_stack_tally"
down_revision = "20261123_first_tables"
branch_labels = None
depends_on = None

GRAINS = {
    "every": ("team_id", "environment_id", "template_id"),
    "team": ("team_id",),
    "environment": ("environment_id",),
    "template": ("template_id",),
}


def append(row: str, n: int) -> str:
    """Return the statements that count the row `NEW` or `OLD` up or down at every grain."""
    return " ".join(
        f"INSERT INTO stack_tally (grain, {', '.join(columns)}, status, n) "
        f"VALUES ('{grain}', {', '.join(f'{row}.{column}' for column in columns)}, {row}.status, {n});"
        for grain, columns in GRAINS.items()
    )


PLUS = append("NEW", 1)
MINUS = append("OLD", -1)
COLUMNS = ("team_id", "environment_id", "template_id", "status")
CHANGED = " OR ".join(f"NEW.{column} <> OLD.{column}" for column in COLUMNS)


def upgrade() -> None:
    (_upgrade_postgresql if op.get_bind().dialect.name == "postgresql" else _upgrade_sqlite)()


def _upgrade_sqlite() -> None:
    op.execute(f"CREATE TRIGGER stack_tally_insert AFTER INSERT ON stack BEGIN {PLUS} END")
    op.execute(f"CREATE TRIGGER stack_tally_delete AFTER DELETE ON stack BEGIN {MINUS} END")
    op.execute(f"CREATE TRIGGER stack_tally_update AFTER UPDATE ON stack WHEN {CHANGED} BEGIN {MINUS} {PLUS} END")


def _upgrade_postgresql() -> None:
    op.execute(
        f"""CREATE FUNCTION stack_tally() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP <> 'INSERT' THEN {MINUS} END IF;
          IF TG_OP <> 'DELETE' THEN {PLUS} END IF;
          RETURN NULL;
        END $$"""
    )
    op.execute(
        "CREATE TRIGGER stack_tally_insert AFTER INSERT OR DELETE ON stack FOR EACH ROW EXECUTE FUNCTION stack_tally()"
    )
    op.execute(
        f"CREATE TRIGGER stack_tally_update AFTER UPDATE ON stack FOR EACH ROW WHEN ({CHANGED}) "
        "EXECUTE FUNCTION stack_tally()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER stack_tally_insert ON stack")
        op.execute("DROP TRIGGER stack_tally_update ON stack")
        op.execute("DROP FUNCTION stack_tally()")
    else:
        for name in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER stack_tally_{name}")
