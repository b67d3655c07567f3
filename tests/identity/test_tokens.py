"""Tokens: shown once, kept as a hash, good until revoked, expired or their person is gone."""

import re
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app import clock, db
from app.audit import AuditEntry
from app.errors import Invalid
from app.identity import cli, tokens
from app.identity.models import ApiToken, PersonStatus
from tests.support.settings import settings


@pytest.fixture
def dana(make):
    return make.person("dana")


def found(token: str) -> str | None:
    person = tokens.find_person(f"Bearer {token}")
    return person.username if person else None


def the_row() -> ApiToken:
    return db.session.scalars(select(ApiToken)).one()


def test_a_token_speaks_for_its_person(dana):
    token = tokens.create(dana, "laptop")
    assert re.fullmatch(r"slw_[A-Za-z0-9_-]{43}", token)
    db.session.commit()
    assert found(token) == "dana"
    assert [team.slug for team in tokens.find_person(f"bearer {token}").teams] == ["payments"]


def test_only_a_hash_is_kept(dana):
    token = tokens.create(dana, "laptop")
    row = the_row()
    assert token not in (row.hash, row.prefix, row.name)
    assert token.startswith(row.prefix)
    assert len(row.prefix) == 10


def test_revoked_expired_and_orphaned_tokens_speak_for_nobody(dana):
    token = tokens.create(dana, "laptop", days=30)
    db.session.commit()
    row = the_row()
    assert timedelta(days=29) < row.expires_at - clock.now() <= timedelta(days=30)
    row.expires_at = clock.now() - timedelta(seconds=1)
    db.session.commit()
    assert found(token) is None
    row.expires_at = None
    db.session.commit()
    assert found(token) == "dana"
    dana.status = PersonStatus.DEACTIVATED
    db.session.commit()
    assert found(token) is None
    dana.status = PersonStatus.ACTIVE
    tokens.revoke(row, by=dana)
    tokens.revoke(row, by=dana)
    db.session.commit()
    assert found(token) is None
    assert [entry.action for entry in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))] == [
        "token:created",
        "token:revoked",
    ]


@pytest.mark.parametrize("header", [None, "", "slw_x", "Bearer", "Bearer other_x", "Bearer slw_x"])
def test_anything_else_speaks_for_nobody(app, header):
    assert tokens.find_person(header) is None


@pytest.mark.parametrize(("name", "days", "field"), [("", None, "name"), ("x" * 101, None, "name"), ("x", 0, "days")])
def test_a_token_needs_a_name_and_a_sensible_life(dana, name, days, field):
    with pytest.raises(Invalid) as refused:
        tokens.create(dana, name, days)
    assert list(refused.value.errors) == [field]


def test_use_is_noted_once_a_minute(app, dana, client, count_queries):
    @app.get("/api/v1/whoami")
    def whoami() -> str:
        return "dana"

    headers = {"Authorization": "Bearer " + tokens.create(dana, "laptop")}
    client.get("/api/v1/whoami", headers=headers)
    used = the_row().last_used_at
    assert clock.now() - used < timedelta(seconds=10)
    with count_queries() as queries:
        client.get("/api/v1/whoami", headers=headers)
    assert the_row().last_used_at == used
    assert len(queries) <= 2


@pytest.fixture
def run(app, database, tmp_path, monkeypatch):
    """Run the command as the shell does: settings from the environment, everything else from the database."""
    for name, value in settings(database.url, tmp_path).values.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str):
        db.session.commit()
        return CliRunner().invoke(cli.token, ["create", *arguments])

    return run


def test_the_command_prints_the_token_and_nothing_else(run, dana):
    result = run("--person", "dana", "--name", "laptop")
    assert result.exit_code == 0
    assert re.fullmatch(r"slw_[A-Za-z0-9_-]{43}\n", result.output)
    assert found(result.output.strip()) == "dana"


def test_the_command_says_in_a_sentence_whom_it_does_not_know(run):
    result = run("--person", "nobody", "--name", "laptop")
    assert result.exit_code == 1
    assert result.output.startswith("Nobody is called nobody.")
    assert result.output.count("\n") == 1


def test_the_command_does_not_guess_between_two_people(run, dana, make):
    twin = make.person("twin", issuer="https://other.example", subject="dana")
    twin.username = "dana"
    result = run("--person", "dana", "--name", "laptop")
    assert result.exit_code == 1
    assert "2 people are called dana" in result.output
