"""The harness itself: what other tests lean on."""

import psycopg
import redis
from sqlalchemy import func, select, text

from app import db, migrations
from app.identity.models import Person, Session
from app.models import Base


def test_every_test_starts_with_a_migrated_and_empty_database(app):
    assert migrations.is_current(app.extensions["engine"])
    for table in Base.metadata.sorted_tables:
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
    db.session.execute(text("INSERT INTO unit (slug, name) VALUES ('left', 'Left behind')"))
    db.session.commit()


def test_nothing_is_left_from_the_test_before(app):
    assert db.session.scalar(text("SELECT count(*) FROM unit")) == 0


def test_factories_make_a_consistent_world(make):
    stack = make.stack()
    job = make.job(stack)
    db.session.commit()
    assert (stack.environment.slug, stack.team.slug, stack.version.template.slug) == (
        "payments-staging",
        "payments",
        "sqs-queue",
    )
    assert job.requested_by.username == "dana"
    assert [m.team.slug for m in job.requested_by.open_memberships] == ["payments"]
    assert make.stack().id != stack.id
    assert make.environment("sandbox").team_id is None
    assert make.environment("orders-prod").account.name == "seabright-prod"


def test_a_signed_in_browser_has_a_real_session(app, make, sign_in):
    dana = make.person("dana")
    sign_in(dana)
    assert db.session.scalars(select(Session)).one().person.username == "dana"


def test_requests_see_what_the_test_flushed_and_the_test_sees_what_they_wrote(app, make, sign_in):
    @app.post("/rename")
    def rename() -> str:
        person = db.session.scalars(select(Person)).one()
        person.name = "Dana Reyes-Ortiz"
        db.session.commit()
        return "done"

    dana = make.person("dana")
    browser = sign_in(dana)
    assert browser.post("/rename").status_code == 200
    assert dana.name == "Dana Reyes-Ortiz"


def test_count_queries_counts_those_of_requests_only(app, client, count_queries):
    @app.get("/static/counted")
    def counted() -> str:
        db.session.execute(text("SELECT 1"))
        db.session.execute(text("SELECT 2"))
        return "ok"

    with count_queries() as queries:
        client.get("/static/counted")
        db.session.execute(text("SELECT 3"))
    assert len(queries) == 2


def test_the_broker_speaks_redis(broker):
    assert redis.Redis.from_url(broker.url).ping()


def test_postgresql_is_a_real_server(database):
    if database.dialect == "postgresql":
        address = database.url.replace("+psycopg", "")
        with psycopg.connect(address) as connection:
            assert connection.info.server_version >= 180000
