"""The database as requests use it: one connection each, writers only where writing was announced, lost connections."""

import pytest
from sqlalchemy import event, select, text, update

from app import db
from app.identity.models import Person, Team


@pytest.fixture
def ask(app, client):
    """`ask(view)` runs a view as a GET in a request of its own and returns its text."""

    def ask(view) -> str:
        rule = f"/static/asked-{len(list(app.url_map.iter_rules()))}"
        app.add_url_rule(rule, rule, view)
        db.session.commit()
        return client.get(rule)

    return ask


def test_a_request_uses_one_connection(app, ask):
    out = []
    for name, change in (("checkout", out.append), ("checkin", lambda *_: None)):
        event.listen(app.extensions["engine"], name, lambda *given, change=change: change(given))

    def view() -> str:
        for _ in range(5):
            db.session.scalars(select(Person)).all()
        return "ok"

    db.session.close()
    assert ask(view).text == "ok"
    assert len(out) == 1


def test_a_page_that_only_reads_opens_no_transaction_on_postgresql(database, ask):
    def view() -> str:
        moments = [db.session.scalar(text("SELECT now()")) for _ in range(2)] if on_postgresql else [1, 2]
        return "apart" if moments[0] != moments[1] else "one transaction"

    on_postgresql = database.dialect == "postgresql"
    assert ask(view).text == "apart"


@pytest.mark.parametrize(
    "write",
    [
        lambda: db.session.add(Team(slug="sly", name="Sly")) or db.session.flush(),
        lambda: db.session.execute(update(Team).values(name="Sly")),
    ],
    ids=["a row", "a statement"],
)
def test_a_page_that_only_reads_cannot_write(ask, make, write):
    make.team()

    def view() -> str:
        write()
        return "written"

    assert ask(view).status_code == 500
    assert db.session.scalars(select(Team.name)).all() == ["Payments"]


def test_a_page_that_says_so_writes(ask, make):
    make.team()

    def view() -> str:
        db.writing()
        db.session.execute(update(Team).values(name="Paid"))
        db.session.commit()
        return "written"

    assert ask(view).text == "written"
    assert db.session.scalars(select(Team.name)).all() == ["Paid"]


def test_a_connection_the_server_closed_while_idle_is_replaced(database, app, ask, monkeypatch):
    monkeypatch.setattr(db, "IDLE_SECONDS", 0.0)
    db.session.scalar(select(Person.id))
    db.session.close()
    # A file, on the other hand, closes no connections.
    if database.dialect == "postgresql":
        with db.connect(database.url).connect() as other:
            ended = other.execute(
                text(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            ).scalar_one()
        assert ended >= 1
    assert ask(lambda: str(len(db.session.scalars(select(Person)).all()))).text == "0"
