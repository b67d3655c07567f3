"""Note which workers are alive

A page that says "no worker is running" needs to know. Yesterday's code does not read the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261124_worker_seen"
down_revision = "20261123_job_tally"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "worker_seen",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_seen")),
    )


def downgrade() -> None:
    op.drop_table("worker_seen")
