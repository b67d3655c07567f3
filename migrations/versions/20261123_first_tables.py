"""First tables

The tables of the first release; there is no earlier code.
"""

import sqlalchemy as sa
from alembic import op


revision = "20261123_first_tables"
down_revision = None
branch_labels = None
depends_on = None

big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("role_arn", sa.String(length=200), nullable=False),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
        sa.UniqueConstraint("number", name=op.f("uq_account_number")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("job_id", big_id, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_table(
        "person",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("username", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "invited",
                "active",
                "deactivated",
                name="status_is_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("issuer", "subject", name="uq_person_issuer_subject"),
    )
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_username"), ["username"], unique=False)

    op.create_table(
        "stack_tally",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("grain", sa.String(length=16), nullable=False),
        sa.Column("team_id", big_id, nullable=True),
        sa.Column("environment_id", big_id, nullable=True),
        sa.Column("template_id", big_id, nullable=True),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("n", big_id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stack_tally")),
    )
    with op.batch_alter_table("stack_tally", schema=None) as batch_op:
        batch_op.create_index("ix_stack_tally_team", ["grain", "team_id"], unique=False)
        batch_op.create_index("ix_stack_tally_environment", ["grain", "environment_id"], unique=False)
        batch_op.create_index("ix_stack_tally_template", ["grain", "template_id"], unique=False)

    op.create_table(
        "unit",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("parent_id", big_id, nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=op.f("fk_unit_parent_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("slug", name=op.f("uq_unit_slug")),
    )
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unit_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "api_token",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("person_id", big_id, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_api_token_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_token_hash")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_person_id"), ["person_id"], unique=False)

    op.create_table(
        "audit_entry",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", big_id, nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject_type", sa.String(length=32), nullable=False),
        sa.Column("subject_ref", sa.String(length=100), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("summary", sa.String(length=500), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_audit_entry_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entry_occurred_at"), ["occurred_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_audit_entry_subject", ["subject_type", "subject_ref"], unique=False)

    op.create_table(
        "role_grant",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("person_id", big_id, nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "developer",
                "curator",
                "manager",
                "auditor",
                "admin",
                name="role_is_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "scope_type",
            sa.Enum(
                "organisation",
                "unit",
                "team",
                name="scope_type_is_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("scope_id", big_id, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_role_grant_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
        sa.UniqueConstraint("person_id", "role", "scope_type", "scope_id", name="uq_role_grant_once"),
    )
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_role_grant_person_id"), ["person_id"], unique=False)

    op.create_table(
        "session",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", big_id, nullable=True),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("provider_sid", sa.String(length=255), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("agent", sa.String(length=300), nullable=False),
        sa.Column("id_token", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_session_person_id_person")),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_session")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_session_provider", ["issuer", "provider_sid"], unique=False)
        batch_op.create_index(batch_op.f("ix_session_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "team",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("unit_id", big_id, nullable=True),
        sa.Column("idp_group", sa.String(length=200), nullable=True),
        sa.Column("cost_center", sa.String(length=100), nullable=False),
        sa.Column("chat", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_team_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("idp_group", name=op.f("uq_team_idp_group")),
        sa.UniqueConstraint("slug", name=op.f("uq_team_slug")),
    )
    with op.batch_alter_table("team", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_team_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "environment",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "sandbox",
                "dev",
                "test",
                "staging",
                "prod",
                name="stage_is_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("account_id", big_id, nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("team_id", big_id, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_environment_account_id_account")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_environment_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_environment")),
        sa.UniqueConstraint("slug", name=op.f("uq_environment_slug")),
    )
    with op.batch_alter_table("environment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_environment_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_environment_team_id"), ["team_id"], unique=False)

    op.create_table(
        "membership",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("team_id", big_id, nullable=False),
        sa.Column("person_id", big_id, nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_membership_person_id_person")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_membership_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_membership_team_id"), ["team_id"], unique=False)
        batch_op.create_index(
            "uq_membership_one_open",
            ["team_id", "person_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "service",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("team_id", big_id, nullable=True),
        sa.Column("tier", big_id, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_service_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
        sa.UniqueConstraint("slug", name=op.f("uq_service_slug")),
    )
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_team_id"), ["team_id"], unique=False)

    op.create_table(
        "template",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.String(length=500), nullable=False),
        sa.Column("category", sa.String(length=100), nullable=False),
        sa.Column("icon", sa.String(length=64), nullable=False),
        sa.Column("keywords", sa.JSON(), nullable=False),
        sa.Column("team_id", big_id, nullable=False),
        sa.Column("support", sa.JSON(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("readme", sa.Text(), nullable=False),
        sa.Column("changelog", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_template_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")),
        sa.UniqueConstraint("slug", name=op.f("uq_template_slug")),
    )
    with op.batch_alter_table("template", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_template_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_template_team_id"), ["team_id"], unique=False)

    op.create_table(
        "duration",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("template_id", big_id, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("logical_id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=255), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name=op.f("fk_duration_template_id_template")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duration")),
    )
    with op.batch_alter_table("duration", schema=None) as batch_op:
        batch_op.create_index("ix_duration_newest", ["template_id", "kind", "id"], unique=False)

    op.create_table(
        "version",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("template_id", big_id, nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("position", big_id, nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "in_review",
                "published",
                "deprecated",
                "retired",
                name="status_is_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("status_reason", sa.String(length=500), nullable=False),
        sa.Column("is_recommended", sa.Boolean(), nullable=False),
        sa.Column("changes", sa.String(length=500), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("released_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name=op.f("fk_version_template_id_template")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version")),
        sa.UniqueConstraint("template_id", "number", name="uq_version_number_per_template"),
        sa.UniqueConstraint("template_id", "position", name="uq_version_position_per_template"),
    )
    with op.batch_alter_table("version", schema=None) as batch_op:
        batch_op.create_index(
            "uq_version_one_recommended",
            ["template_id"],
            unique=True,
            sqlite_where=sa.text("is_recommended"),
            postgresql_where=sa.text("is_recommended"),
        )

    op.create_table(
        "stack",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("ref", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("cloud_name", sa.String(length=128), nullable=False),
        sa.Column("cloud_id", sa.String(length=300), nullable=True),
        sa.Column("environment_id", big_id, nullable=False),
        sa.Column("team_id", big_id, nullable=False),
        sa.Column("service_id", big_id, nullable=True),
        sa.Column("template_id", big_id, nullable=False),
        sa.Column("version_id", big_id, nullable=False),
        sa.Column("running_version_id", big_id, nullable=True),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("running_answers", sa.JSON(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "creating",
                "ready",
                "updating",
                "tainted",
                "degraded",
                "failed",
                "deleting",
                "delete_failed",
                "lost",
                "deleted",
                name="status_is_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("rank", big_id, nullable=False),
        sa.Column("status_reason", sa.String(length=500), nullable=False),
        sa.Column("cloud_status", sa.String(length=64), nullable=True),
        sa.Column("cloud_reason", sa.Text(), nullable=False),
        sa.Column("outputs", sa.JSON(), nullable=False),
        sa.Column("is_protected", sa.Boolean(), nullable=False),
        sa.Column("created_by_id", big_id, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_stack_created_by_id_person")),
        sa.ForeignKeyConstraint(
            ["environment_id"], ["environment.id"], name=op.f("fk_stack_environment_id_environment")
        ),
        sa.ForeignKeyConstraint(
            ["running_version_id"], ["version.id"], name=op.f("fk_stack_running_version_id_version")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name=op.f("fk_stack_service_id_service")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_stack_team_id_team")),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name=op.f("fk_stack_template_id_template")),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name=op.f("fk_stack_version_id_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stack")),
        sa.UniqueConstraint("cloud_name", name=op.f("uq_stack_cloud_name")),
        sa.UniqueConstraint("ref", name=op.f("uq_stack_ref")),
    )
    with op.batch_alter_table("stack", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stack_cloud_id"), ["cloud_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stack_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_stack_created_by_id"), ["created_by_id"], unique=False)
        batch_op.create_index("ix_stack_in_environment", ["environment_id", "rank", "id"], unique=False)
        batch_op.create_index("ix_stack_name", ["name"], unique=False)
        batch_op.create_index("ix_stack_of_team", ["team_id", "rank", "id"], unique=False)
        batch_op.create_index("ix_stack_of_template", ["template_id", "rank", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stack_service_id"), ["service_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stack_version_id"), ["version_id"], unique=False)
        batch_op.create_index("ix_stack_worst_first", ["rank", "id"], unique=False)
        batch_op.create_index(
            "uq_stack_name_while_live",
            ["environment_id", "name"],
            unique=True,
            sqlite_where=sa.text("status <> 'deleted'"),
            postgresql_where=sa.text("status <> 'deleted'"),
        )

    op.create_table(
        "job",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("ref", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "queued",
                "running",
                "succeeded",
                "failed",
                "cancelled",
                "needs_attention",
                name="status_is_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("stack_id", big_id, nullable=False),
        sa.Column("team_id", big_id, nullable=False),
        sa.Column("template_id", big_id, nullable=False),
        sa.Column("from_version_id", big_id, nullable=True),
        sa.Column("to_version_id", big_id, nullable=True),
        sa.Column("requested_by_id", big_id, nullable=False),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("request_digest", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("failure", sa.JSON(), nullable=True),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fence", big_id, nullable=False),
        sa.Column("attempts", big_id, nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_job_attempts_not_negative")),
        sa.ForeignKeyConstraint(["from_version_id"], ["version.id"], name=op.f("fk_job_from_version_id_version")),
        sa.ForeignKeyConstraint(["requested_by_id"], ["person.id"], name=op.f("fk_job_requested_by_id_person")),
        sa.ForeignKeyConstraint(["stack_id"], ["stack.id"], name=op.f("fk_job_stack_id_stack")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_job_team_id_team")),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name=op.f("fk_job_template_id_template")),
        sa.ForeignKeyConstraint(["to_version_id"], ["version.id"], name=op.f("fk_job_to_version_id_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("ref", name=op.f("uq_job_ref")),
        sa.UniqueConstraint("requested_by_id", "idempotency_key", name="uq_job_idempotency_key_per_person"),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_finished_at"), ["finished_at"], unique=False)
        batch_op.create_index("ix_job_history", ["template_id", "kind", "finished_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_requested_by_id"), ["requested_by_id"], unique=False)
        batch_op.create_index("ix_job_of_team", ["team_id", "id"], unique=False)
        batch_op.create_index("ix_job_runnable", ["status", "next_run_at"], unique=False)
        batch_op.create_index("ix_job_stack_newest", ["stack_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_status"), ["status"], unique=False)
        batch_op.create_index(
            "uq_job_one_unfinished_per_stack",
            ["stack_id"],
            unique=True,
            sqlite_where=sa.text("status IN ('waiting', 'queued', 'running', 'needs_attention')"),
            postgresql_where=sa.text("status IN ('waiting', 'queued', 'running', 'needs_attention')"),
        )

    op.create_table(
        "job_step",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("job_id", big_id, nullable=False),
        sa.Column("position", big_id, nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "to_come",
                "active",
                "waiting",
                "done",
                "failed",
                "skipped",
                name="status_is_known",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempt", big_id, nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("output", sa.JSON(), nullable=True),
        sa.Column("intent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_step_job_id_job")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_step")),
        sa.UniqueConstraint("job_id", "position", name="uq_job_step_position_per_job"),
    )
    op.create_table(
        "plan",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("ref", sa.String(length=20), nullable=False),
        sa.Column("job_id", big_id, nullable=False),
        sa.Column("change_set_id", sa.String(length=500), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("answer_changes", sa.JSON(), nullable=False),
        sa.Column("untouched", big_id, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by_id", big_id, nullable=True),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_plan_digest_is_sha256")),
        sa.ForeignKeyConstraint(["confirmed_by_id"], ["person.id"], name=op.f("fk_plan_confirmed_by_id_person")),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_plan_job_id_job")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("job_id", name=op.f("uq_plan_job_id")),
        sa.UniqueConstraint("ref", name=op.f("uq_plan_ref")),
    )
    op.create_table(
        "resource",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("stack_id", big_id, nullable=False),
        sa.Column("job_id", big_id, nullable=False),
        sa.Column("logical_id", sa.String(length=255), nullable=False),
        sa.Column("physical_id", sa.String(length=2048), nullable=True),
        sa.Column("type", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_resource_job_id_job")),
        sa.ForeignKeyConstraint(["stack_id"], ["stack.id"], name=op.f("fk_resource_stack_id_stack")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource")),
        sa.UniqueConstraint("stack_id", "logical_id", name="uq_resource_logical_id_per_stack"),
    )
    with op.batch_alter_table("resource", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resource_job_id"), ["job_id"], unique=False)

    op.create_table(
        "stack_event",
        sa.Column("id", big_id, autoincrement=True, nullable=False),
        sa.Column("stack_id", big_id, nullable=False),
        sa.Column("job_id", big_id, nullable=False),
        sa.Column("event_id", sa.String(length=300), nullable=False),
        sa.Column("logical_id", sa.String(length=255), nullable=False),
        sa.Column("physical_id", sa.String(length=2048), nullable=False),
        sa.Column("type", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_stack_event_job_id_job")),
        sa.ForeignKeyConstraint(["stack_id"], ["stack.id"], name=op.f("fk_stack_event_stack_id_stack")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stack_event")),
        sa.UniqueConstraint("stack_id", "event_id", name="uq_stack_event_once"),
    )
    with op.batch_alter_table("stack_event", schema=None) as batch_op:
        batch_op.create_index("ix_stack_event_of_job", ["job_id", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("stack_event", schema=None) as batch_op:
        batch_op.drop_index("ix_stack_event_of_job")

    op.drop_table("stack_event")
    with op.batch_alter_table("resource", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_resource_job_id"))

    op.drop_table("resource")
    op.drop_table("plan")
    op.drop_table("job_step")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_job_one_unfinished_per_stack",
            sqlite_where=sa.text("status IN ('waiting', 'queued', 'running', 'needs_attention')"),
            postgresql_where=sa.text("status IN ('waiting', 'queued', 'running', 'needs_attention')"),
        )
        batch_op.drop_index(batch_op.f("ix_job_status"))
        batch_op.drop_index("ix_job_stack_newest")
        batch_op.drop_index("ix_job_runnable")
        batch_op.drop_index("ix_job_of_team")
        batch_op.drop_index(batch_op.f("ix_job_requested_by_id"))
        batch_op.drop_index("ix_job_history")
        batch_op.drop_index(batch_op.f("ix_job_finished_at"))
        batch_op.drop_index(batch_op.f("ix_job_created_at"))

    op.drop_table("job")
    with op.batch_alter_table("stack", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_stack_name_while_live",
            sqlite_where=sa.text("status <> 'deleted'"),
            postgresql_where=sa.text("status <> 'deleted'"),
        )
        batch_op.drop_index("ix_stack_worst_first")
        batch_op.drop_index(batch_op.f("ix_stack_version_id"))
        batch_op.drop_index(batch_op.f("ix_stack_service_id"))
        batch_op.drop_index("ix_stack_of_template")
        batch_op.drop_index("ix_stack_of_team")
        batch_op.drop_index("ix_stack_name")
        batch_op.drop_index("ix_stack_in_environment")
        batch_op.drop_index(batch_op.f("ix_stack_created_by_id"))
        batch_op.drop_index(batch_op.f("ix_stack_created_at"))
        batch_op.drop_index(batch_op.f("ix_stack_cloud_id"))

    op.drop_table("stack")
    with op.batch_alter_table("version", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_version_one_recommended",
            sqlite_where=sa.text("is_recommended"),
            postgresql_where=sa.text("is_recommended"),
        )

    op.drop_table("version")
    with op.batch_alter_table("duration", schema=None) as batch_op:
        batch_op.drop_index("ix_duration_newest")

    op.drop_table("duration")
    with op.batch_alter_table("template", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_template_team_id"))
        batch_op.drop_index(batch_op.f("ix_template_category"))

    op.drop_table("template")
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_team_id"))

    op.drop_table("service")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_membership_one_open",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_membership_team_id"))
        batch_op.drop_index(batch_op.f("ix_membership_person_id"))

    op.drop_table("membership")
    with op.batch_alter_table("environment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_environment_team_id"))
        batch_op.drop_index(batch_op.f("ix_environment_account_id"))

    op.drop_table("environment")
    with op.batch_alter_table("team", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_team_unit_id"))

    op.drop_table("team")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_session_seen_at"))
        batch_op.drop_index("ix_session_provider")
        batch_op.drop_index(batch_op.f("ix_session_person_id"))

    op.drop_table("session")
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_role_grant_person_id"))

    op.drop_table("role_grant")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_subject")
        batch_op.drop_index(batch_op.f("ix_audit_entry_person_id"))
        batch_op.drop_index(batch_op.f("ix_audit_entry_occurred_at"))

    op.drop_table("audit_entry")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_token_person_id"))

    op.drop_table("api_token")
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unit_parent_id"))

    op.drop_table("unit")
    with op.batch_alter_table("stack_tally", schema=None) as batch_op:
        batch_op.drop_index("ix_stack_tally_template")
        batch_op.drop_index("ix_stack_tally_environment")
        batch_op.drop_index("ix_stack_tally_team")

    op.drop_table("stack_tally")
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_username"))

    op.drop_table("person")
    op.drop_table("outbox")
    op.drop_table("account")
