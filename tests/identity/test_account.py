"""One's own page: teams, roles, sessions and tokens."""

import pytest
from sqlalchemy import select

from app import clock, db
from app.identity import agents, tokens
from app.identity.models import ApiToken, Session


@pytest.fixture
def dana(make):
    return make.person("dana")


def token_row() -> ApiToken:
    return db.session.scalars(select(ApiToken)).one()


def test_the_page_says_who_one_is(dana, make, sign_in):
    make.grant(dana, "manager", "unit:commerce")
    make.grant(dana, "auditor")
    page = sign_in(dana).get("/account").text
    assert "Dana Reyes" in page
    assert "dana@seabright.example" in page
    assert (
        "Auditor for the whole organisation; Manager for everything in Commerce; Developer for the team Payments"
        in page
    )


def test_somebody_new_reads_what_is_missing(make, sign_in):
    page = sign_in(make.person("newcomer")).get("/account").text
    assert "None yet: teams follow your groups" in page
    assert "None yet: ask the platform team" in page
    assert "No tokens" in page


def test_a_token_is_shown_once(dana, sign_in, client):
    browser = sign_in(dana)
    answer = browser.post("/account/tokens", data={"name": "laptop", "days": "90"})
    assert answer.status_code == 201
    token = answer.text.split('id="new-token">')[1].split("<")[0]
    assert tokens.find_person(f"Bearer {token}").username == "dana"
    assert f'data-copy="{token}"' in answer.text
    later = browser.get("/account").text
    assert token not in later
    assert "laptop" in later
    assert token[:10] in later
    assert (token_row().expires_at - clock.now()).days in (89, 90)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": "  ", "days": "90"}, "A token needs a name of 1 to 100 characters"),
        ({"name": "laptop", "days": "7000"}, "Choose one of the lifetimes offered."),
    ],
)
def test_a_refused_token_keeps_what_was_typed(dana, sign_in, typed, sentence):
    answer = sign_in(dana).post("/account/tokens", data=typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{typed["name"]}"' in answer.text
    assert db.session.scalars(select(ApiToken)).all() == []


def test_a_token_is_revoked(dana, sign_in):
    browser = sign_in(dana)
    tokens.create(dana, "nightly export")
    assert browser.post(f"/account/tokens/{token_row().id}/revocation").location == "/account"
    assert token_row().revoked_at is not None
    assert "nightly export" not in browser.get("/account").text


def test_somebody_elses_token_cannot_be_revoked(dana, make, sign_in):
    tokens.create(dana, "laptop")
    omar = sign_in(make.person("omar"))
    assert omar.post(f"/account/tokens/{token_row().id}/revocation").status_code == 404
    assert omar.post("/account/tokens/999/revocation").status_code == 404
    assert token_row().revoked_at is None


def test_one_session_is_ended_from_another(dana, sign_in):
    here, there = sign_in(dana), sign_in(dana)
    rows = db.session.scalars(select(Session)).all()
    page = here.get("/account").text
    assert page.count("this one") == 1
    mine = page.split("this one")[0].rsplit('id="session-', 1)[1][:16]
    other = next(row.id_hash[:16] for row in rows if row.id_hash[:16] != mine)
    assert here.post(f"/account/sessions/{other}/end").location == "/account"
    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200


@pytest.mark.parametrize("handle", ["a" * 16, "%" * 16, "_" * 16, "a", ""])
def test_a_session_is_named_exactly(dana, sign_in, handle):
    browser = sign_in(dana)
    assert browser.post(f"/account/sessions/{handle.replace('%', '%25')}/end").status_code == 404
    assert browser.get("/account").status_code == 200


def test_somebody_elses_session_cannot_be_ended(dana, make, sign_in):
    danas = sign_in(dana)
    handle = db.session.scalars(select(Session)).one().id_hash[:16]
    assert sign_in(make.person("omar")).post(f"/account/sessions/{handle}/end").status_code == 404
    assert danas.get("/account").status_code == 200


def test_the_page_asks_the_same_number_of_queries_however_much_there_is(dana, sign_in, count_queries):
    numbers = []
    for more in (1, 9, 90):
        for n in range(more):
            tokens.create(dana, f"token {n}")
            browser = sign_in(dana)
        with count_queries() as queries:
            assert browser.get("/account").status_code == 200
        numbers.append(len(queries))
    assert len(set(numbers)) == 1
    assert numbers[0] <= 5


def test_names_that_look_like_markup_are_shown_as_typed(make, sign_in):
    mallory = make.person("mallory", name="<script>alert(1)</script>")
    browser = sign_in(mallory)
    answer = browser.post("/account/tokens", data={"name": "<b>bold</b>", "days": "30"})
    assert "<script>alert" not in answer.text
    assert "<b>bold" not in answer.text
    assert "&lt;b&gt;bold" in answer.text


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18 Safari/605", "Safari on Mac"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Safari/604", "Safari on iPhone"),
        ("curl/8.5", "A browser"),
        ("", "A browser"),
    ],
)
def test_browsers_are_named_as_people_know_them(agent, words):
    assert agents.in_words(agent) == words
