"""Signing in and out at a provider that behaves."""

from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from joserfc import jwk
from sqlalchemy import select

from app import db, seal
from app.audit import AuditEntry
from app.identity.models import Membership, Person, PersonStatus, Role, Session
from tests.identity import provider as providers
from tests.identity.conftest import signed_in_sessions
from tests.identity.provider import Provider
from tests.support.factories import Make


@pytest.fixture
def make(portal) -> Make:
    return Make()


def the_person() -> Person:
    return db.session.scalars(select(Person)).one()


def actions() -> list[tuple[str, str]]:
    entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [(entry.action, entry.outcome) for entry in entries]


def test_a_first_sign_in_makes_the_person_and_the_teams(browser, provider, go_through, make):
    make.team("payments")
    assert go_through(browser).location == "/"
    dana = the_person()
    assert (dana.issuer, dana.subject) == (provider.issuer, "dana")
    assert (dana.username, dana.name, dana.email) == ("dana", "Dana Reyes", "dana@seabright.example")
    assert dana.status == PersonStatus.ACTIVE
    assert [team.slug for team in dana.teams] == ["payments"]
    assert [grant.role for grant in dana.grants] == [Role.DEVELOPER]
    assert actions() == [("membership:opened", "ok"), ("person:signed_in", "ok")]
    page = browser.get("/account")
    assert page.status_code == 200
    assert "Dana Reyes" in page.text


def test_the_second_sign_in_finds_the_same_person_whatever_the_name(browser, provider, go_through):
    go_through(browser)
    first = the_person().id
    provider.person |= {"name": "Dana Ortiz", "email": "dana.ortiz@seabright.example"}
    go_through(browser)
    assert (the_person().id, the_person().name) == (first, "Dana Ortiz")


def test_the_same_mail_address_is_not_the_same_person(browser, provider, go_through):
    go_through(browser)
    provider.person |= {"sub": "someone-else"}
    go_through(browser)
    assert sorted(person.subject for person in db.session.scalars(select(Person))) == ["dana", "someone-else"]


def test_an_invited_person_becomes_active(browser, provider, go_through, make):
    make.person("dana", issuer=provider.issuer, status=PersonStatus.INVITED)
    go_through(browser)
    assert the_person().status == PersonStatus.ACTIVE


def test_somebody_deactivated_is_refused_with_a_sentence(browser, provider, go_through, make):
    make.person("dana", issuer=provider.issuer, status=PersonStatus.DEACTIVATED)
    answer = go_through(browser)
    assert answer.status_code == 403
    assert "Your account in Slipway is deactivated" in answer.text
    assert signed_in_sessions() == 0
    assert actions() == [("person:signed_in", "denied")]


def test_teams_follow_the_groups(browser, provider, go_through, make):
    make.team("payments"), make.team("orders")
    go_through(browser)
    provider.groups = ["orders", "not-a-team", 7]
    go_through(browser)
    dana = the_person()
    assert [team.slug for team in dana.teams] == ["orders"]
    assert [(grant.role, grant.scope_id) for grant in dana.grants] == [(Role.DEVELOPER, make.team("orders").id)]
    left = db.session.scalars(select(Membership).where(Membership.ended_at.is_not(None))).one()
    assert left.team.slug == "payments"
    assert ("membership:closed", "ok") in actions()


@pytest.mark.parametrize("groups", [[], None, {"payments": True}])
def test_whoever_is_in_no_group_any_more_leaves_the_team(browser, provider, go_through, make, groups):
    make.team("payments")
    go_through(browser)
    provider.groups = groups
    go_through(browser)
    assert the_person().teams == []


def test_one_group_may_come_as_a_text(browser, provider, go_through, make):
    make.team("payments")
    provider.groups = "payments"
    go_through(browser)
    assert [team.slug for team in the_person().teams] == ["payments"]


def test_memberships_made_by_hand_stay(browser, provider, go_through, make):
    dana = make.person("dana", issuer=provider.issuer)
    make.membership(dana, make.team("orders"), source="manual")
    provider.groups = []
    go_through(browser)
    assert [team.slug for team in the_person().teams] == ["orders"]


def test_coming_back_to_a_team_opens_a_second_membership(browser, provider, go_through, make):
    make.team("payments")
    for groups in (["payments"], [], ["payments"]):
        provider.groups = groups
        go_through(browser)
    memberships = db.session.scalars(select(Membership).order_by(Membership.id)).all()
    assert [membership.ended_at is None for membership in memberships] == [False, True]


def test_keys_may_change_without_a_restart(browser, provider, go_through):
    go_through(browser)
    provider.keys.append(Provider.new_key("second"))
    assert go_through(browser).status_code == 303
    provider.keys = [Provider.new_key("third")]
    assert go_through(browser).status_code == 303
    assert signed_in_sessions() == 1


def test_keys_may_change_between_request_and_answer(browser, provider, go_through):
    go_through(browser)
    sent = browser.get("/sign-in/start")
    provider.keys = [Provider.new_key("second")]
    assert browser.get(providers.way_back(provider, sent.location)).status_code == 303


def test_a_provider_with_one_key_needs_no_kid(browser, provider, go_through):
    provider.keys = [Provider.new_key(None)]
    assert go_through(browser).status_code == 303


def test_elliptic_curves_are_fine(browser, provider, go_through):
    provider.keys = [jwk.ECKey.generate_key("P-256", {"kid": "curve", "use": "sig"})]
    provider.wrong.header = lambda header: header | {"alg": "ES256"}
    provider.wrong.claims = lambda claims: claims
    assert go_through(browser).status_code == 303


def test_clocks_may_differ_by_half_a_minute(browser, provider, go_through):
    provider.wrong.claims = lambda claims: claims | {"iat": claims["iat"] + 30, "exp": claims["iat"] - 30}
    assert go_through(browser).status_code == 303


def test_groups_in_the_id_token_are_enough(browser, provider, go_through, make):
    make.team("payments")
    provider.person["groups"] = ["payments"]
    provider.wrong.discovery = lambda document: {k: v for k, v in document.items() if k != "userinfo_endpoint"}
    go_through(browser)
    assert [team.slug for team in the_person().teams] == ["payments"]


def test_one_comes_back_to_the_page_one_wanted(browser, go_through):
    door = browser.get("/account?tab=tokens")
    assert door.location == "/sign-in?next=%2Faccount%3Ftab%3Dtokens"
    page = browser.get(door.location)
    assert "/account?tab=tokens" in page.text
    assert go_through(browser, "/sign-in/start?next=%2Faccount%3Ftab%3Dtokens").location == "/account?tab=tokens"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "evil.example",
        "javascript:x",
        "",
    ],
)
def test_one_never_comes_back_to_anybody_else(browser, go_through, wanted):
    page = browser.get("/sign-in", query_string={"next": wanted})
    assert "evil" not in page.text
    assert go_through(browser, "/sign-in/start?next=" + quote(wanted)).location == "/"


def test_who_is_signed_in_does_not_see_the_door(browser, go_through):
    go_through(browser)
    assert browser.get("/sign-in?next=/account").location == "/account"


def test_signing_out_ends_the_session_here_and_at_the_provider(browser, provider, go_through):
    go_through(browser)
    kept = browser.get_cookie("slipway").value
    page = browser.post("/sign-out")
    assert page.status_code == 200
    assert signed_in_sessions() == 0
    onward = page.text.split("url=")[1].split('"')[0].replace("&amp;", "&")
    sent = dict(parse_qsl(urlsplit(onward).query))
    assert onward.startswith(f"{provider.issuer}/end?")
    assert sent["post_logout_redirect_uri"] == "http://localhost/sign-in?out=1"
    assert sent["id_token_hint"].count(".") == 2
    assert sent["client_id"] == "slipway"
    back = browser.get(f"/sign-in?out=1&state={sent['state']}")
    assert "You are signed out, here and at 127.0.0.1" in back.text
    assert "here and at" not in browser.get(f"/sign-in?out=1&state={sent['state']}").text
    browser.set_cookie("slipway", kept)
    assert browser.get("/account").status_code == 303
    assert ("person:signed_out", "ok") in actions()


@pytest.mark.parametrize("query", ["out=1", "out=1&state=made-up"])
def test_signing_out_at_the_provider_is_believed_only_with_our_state(browser, go_through, query):
    go_through(browser)
    browser.post("/sign-out")
    page = browser.get(f"/sign-in?{query}")
    assert "You are signed out of Slipway." in page.text


def test_signing_out_works_when_the_provider_cannot(browser, provider, go_through):
    provider.wrong.discovery = lambda document: {k: v for k, v in document.items() if k != "end_session_endpoint"}
    go_through(browser)
    assert browser.post("/sign-out").location == "/sign-in?out=1"
    assert signed_in_sessions() == 0


def test_the_id_token_is_kept_sealed_and_only_while_the_session_lives(browser, go_through):
    go_through(browser)
    row = db.session.scalars(select(Session).where(Session.person_id.is_not(None))).one()
    assert row.id_token is not None
    # Whole parts of it: three letters of any may stand in what is sealed by chance.
    parts = seal.unseal(row.id_token).split(".")
    assert len(parts) == 3
    assert not any(part.encode() in row.id_token for part in parts)
    assert row.provider_sid == "provider-session-1"
    browser.post("/sign-out")
    assert row.id_token is None
