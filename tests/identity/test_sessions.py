"""Sessions: whose they are, how long they last, what they cost."""

from datetime import timedelta

import pytest
from flask import session
from sqlalchemy import func, select, update

from app import clock, db
from app.identity import sessions
from app.identity.models import PersonStatus, Session
from tests.support.browser import browser_of


@pytest.fixture
def dana(make):
    return make.person("dana")


def rows() -> int:
    return db.session.scalar(select(func.count()).select_from(Session))


def age(**values) -> None:
    """Move the only session into the past."""
    db.session.execute(update(Session).values(**values))
    db.session.commit()


def is_in(browser) -> bool:
    return browser.get("/account").status_code == 200


def test_visitors_leave_no_row_and_get_no_cookie(client):
    for path in ("/sign-in", "/", "/nowhere", "/favicon.ico"):
        answer = client.get(path)
        assert "Set-Cookie" not in answer.headers
    assert rows() == 0


def test_health_of_the_sign_in_page_needs_no_query(client, count_queries):
    with count_queries() as queries:
        assert client.get("/sign-in").status_code == 200
    assert queries == []


def test_what_a_visitor_stores_is_there_the_next_time(app, client):
    @app.get("/static/remember")
    def remember() -> str:
        session["n"] = session.get("n", 0) + 1
        return str(session["n"])

    assert [client.get("/static/remember").text for _ in range(3)] == ["1", "2", "3"]
    assert rows() == 1


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_from_elsewhere(app, client):
    @app.get("/static/remember")
    def remember() -> str:
        session["n"] = 1
        return ""

    cookie = client.get("/static/remember").headers["Set-Cookie"]
    assert cookie.startswith("slipway=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie


def test_on_https_the_cookie_is_bound_to_this_host(make_app):
    app = make_app(PUBLIC_URL="https://slipway.example")

    @app.get("/static/remember")
    def remember() -> str:
        session["n"] = 1
        return ""

    with app.app_context():
        cookie = browser_of(app).get("/static/remember", base_url="https://slipway.example").headers["Set-Cookie"]
    assert cookie.startswith("__Host-slipway=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_the_database_never_holds_the_token(sign_in, dana):
    browser = sign_in(dana)
    token = browser.get_cookie("slipway").value
    assert len(token) >= 43
    row = db.session.scalars(select(Session)).one()
    assert token not in (row.id_hash, str(row.data))


def test_a_planted_token_is_never_taken_over(app, client):
    @app.get("/static/remember")
    def remember() -> str:
        session["n"] = 1
        return ""

    client.set_cookie("slipway", "planted-by-somebody-else")
    client.get("/static/remember")
    assert client.get_cookie("slipway").value != "planted-by-somebody-else"
    assert db.session.get(Session, sessions.hash_token("planted-by-somebody-else")) is None


def test_signing_in_changes_the_token_and_ends_what_was_before(app, make, client):
    @app.get("/static/remember")
    def remember() -> str:
        session["planted"] = "yes"
        return ""

    @app.get("/static/enter")
    def enter() -> str:
        db.writing()
        token = sessions.begin(make.person("dana"), instead_of=sessions.current().token)
        db.session.commit()
        sessions.current().replace(token)
        return session.get("planted", "nothing is left")

    client.get("/static/remember")
    before = client.get_cookie("slipway").value
    assert client.get("/static/enter").text == "nothing is left"
    assert client.get_cookie("slipway").value != before
    assert is_in(client)
    assert db.session.get(Session, sessions.hash_token(before)).ended_at is not None
    client.set_cookie("slipway", before)
    assert not is_in(client)


def test_a_session_ends_when_idle(sign_in, dana):
    browser = sign_in(dana)
    age(seen_at=clock.now() - timedelta(minutes=479))
    assert is_in(browser)
    age(seen_at=clock.now() - timedelta(minutes=481))
    assert not is_in(browser)


def test_a_session_ends_a_day_after_sign_in_however_busy(sign_in, dana):
    browser = sign_in(dana)
    age(created_at=clock.now() - timedelta(hours=23, minutes=59))
    assert is_in(browser)
    age(created_at=clock.now() - timedelta(hours=24, minutes=1))
    assert not is_in(browser)


def test_an_ended_session_lets_nobody_in(sign_in, dana):
    browser = sign_in(dana)
    age(ended_at=clock.now())
    assert not is_in(browser)


def test_somebody_deactivated_is_out_with_the_next_request(sign_in, dana):
    browser = sign_in(dana)
    dana.status = PersonStatus.DEACTIVATED
    assert not is_in(browser)


def test_a_change_of_teams_counts_from_the_next_request(sign_in, dana):
    browser = sign_in(dana)
    assert "Payments" in browser.get("/account").text
    dana.open_memberships[0].ended_at = clock.now()
    assert "Payments" not in browser.get("/account").text.split("Roles")[0]


def test_seen_is_noted_once_a_minute(sign_in, dana, count_queries):
    browser = sign_in(dana)
    row = db.session.scalars(select(Session)).one()
    first = row.seen_at
    with count_queries() as queries:
        browser.get("/account")
    assert not any(query.startswith("UPDATE") for query in queries)
    assert row.seen_at == first
    age(seen_at=clock.now() - timedelta(seconds=61))
    with count_queries() as queries:
        browser.get("/account")
    assert sum(query.startswith("UPDATE session") for query in queries) == 1
    assert clock.now() - row.seen_at < timedelta(seconds=10)


def test_who_asks_is_known_after_one_query(app, sign_in, dana, make, count_queries):
    @app.get("/somewhere")
    def somewhere() -> str:
        from app.identity.current import me

        return " ".join([me.name, *(team.slug for team in me.teams), *(grant.role for grant in me.grants)])

    for slug in ("orders", "platform"):
        make.membership(dana, make.team(slug))
        make.grant(dana, "developer", f"team:{slug}")
    browser = sign_in(dana)
    with count_queries() as queries:
        assert browser.get("/somewhere").text == "Dana Reyes payments orders platform developer developer developer"
    assert len(queries) == 1


def test_rows_long_useless_are_forgotten(sign_in, dana):
    sign_in(dana)
    age(seen_at=clock.now() - timedelta(days=9), created_at=clock.now() - timedelta(days=9))
    sign_in(dana)
    assert rows() == 1


def test_a_reader_does_not_wait_for_a_writer(sign_in, dana, database, app):
    """On SQLite there is one writer at a time; a page that only reads must not queue behind it."""
    browser = sign_in(dana)
    db.session.commit()
    with app.extensions["engine"].begin() as writer:
        writer.execute(update(Session).values(agent="somebody is writing"))
        assert is_in(browser)


def test_an_error_page_keeps_the_session(app, sign_in, dana):
    @app.get("/broken")
    def broken() -> str:
        raise ZeroDivisionError

    browser = sign_in(dana)
    answer = browser.get("/broken")
    assert answer.status_code == 500
    assert "Dana Reyes" in answer.text
    assert is_in(browser)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_database_that_is_away_is_a_sentence_on_a_page(app, sign_in, dana, method, monkeypatch):
    browser = sign_in(dana)
    db.session.commit()
    away = db.connect("postgresql://postgres@/slipway?host=/nowhere")
    for use in ("engine", "reading_engine"):
        monkeypatch.setitem(app.extensions, use, away)
    answer = browser.open("/account", method=method, csrf=False)
    assert answer.status_code == 503
    assert "The database does not answer. Nothing was changed" in answer.text
    assert "Set-Cookie" not in answer.headers
