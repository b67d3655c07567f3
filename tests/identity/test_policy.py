"""Who may do what: the six people of the demo, in every environment, with every stack."""

import pytest

from app import db
from app.errors import Forbidden
from app.identity import policy
from app.identity.models import Role, Team
from tests.support.factories import CAST

PEOPLE = tuple(CAST)
ENVIRONMENTS = ("sandbox", "payments-staging", "payments-prod", "orders-staging", "orders-prod")

# Environment or owning team: who may. Everybody not named may not.
MAY_LAUNCH = {
    "sandbox": {"dana", "omar", "petra", "ada"},
    "payments-staging": {"dana", "petra", "ada"},
    "payments-prod": {"dana", "petra", "ada"},
    "orders-staging": {"omar", "petra", "ada"},
    "orders-prod": {"omar", "petra", "ada"},
}
MAY_CHANGE = {
    "payments": {"dana", "petra", "ada"},
    "orders": {"omar", "petra", "ada"},
    "platform": {"petra", "ada"},
}
# Managers see their units, auditors everything.
MAY_READ = {
    "payments": {"dana", "petra", "ada", "alan", "mona"},
    "orders": {"omar", "petra", "ada", "alan", "mona"},
    "platform": {"petra", "ada", "alan"},
}
LAUNCH_FOR = {
    "dana": {"payments"},
    "omar": {"orders"},
    "petra": {"payments", "orders", "platform"},
    "mona": set(),
    "alan": set(),
    "ada": {"payments", "orders", "platform"},
}


@pytest.fixture
def cast(make) -> dict:
    people = {username: make.person(username) for username in PEOPLE}
    for slug in MAY_READ:
        make.team(slug)
    return people


@pytest.fixture
def stacks(cast, make) -> dict:
    teams = {slug: make.team(slug) for slug in MAY_CHANGE}
    places = {"payments": "payments-staging", "orders": "orders-staging", "platform": "sandbox"}
    return {
        slug: make.stack(f"{slug}-queue", team=team, environment=make.environment(places[slug]))
        for slug, team in teams.items()
    }


def test_launching(cast, make):
    for slug in ENVIRONMENTS:
        environment = make.environment(slug)
        may = {username for username, person in cast.items() if policy.may_launch(person, environment)}
        assert may == MAY_LAUNCH[slug], slug


@pytest.mark.parametrize("question", [policy.may_change, policy.may_delete])
def test_changing_and_deleting(cast, stacks, question):
    for slug, stack in stacks.items():
        assert {username for username, person in cast.items() if question(person, stack)} == MAY_CHANGE[slug], slug


def test_reading_details(cast, stacks):
    for slug, stack in stacks.items():
        may = {username for username, person in cast.items() if policy.may_read_details(person, stack)}
        assert may == MAY_READ[slug], slug


def test_visible_teams_are_those_whose_details_may_be_read(cast):
    for username, person in cast.items():
        visible = {team.slug for team in policy.visible_teams(person)}
        assert visible == {slug for slug, people in MAY_READ.items() if username in people}, username


def test_operating(cast):
    assert {username for username, person in cast.items() if policy.may_operate(person)} == {"petra", "ada"}


def test_teams_to_launch_for(cast, make):
    for username, person in cast.items():
        assert {team.slug for team in policy.teams_to_launch_for(person)} == LAUNCH_FOR[username], username
        open_to_all = policy.teams_to_launch_for(person, make.environment("sandbox"))
        assert {team.slug for team in open_to_all} == LAUNCH_FOR[username], username
        for slug in ENVIRONMENTS:
            environment = make.environment(slug)
            assert bool(policy.teams_to_launch_for(person, environment)) == (username in MAY_LAUNCH[slug])


def test_in_an_environment_of_one_team_one_launches_for_that_team(cast, make):
    dana = cast["dana"]
    make.membership(dana, make.team("orders"))
    make.grant(dana, Role.DEVELOPER, "team:orders")
    db.session.expire(dana)
    for_whom = policy.teams_to_launch_for(dana, make.environment("payments-prod"))
    assert [team.slug for team in for_whom] == ["payments"]


def test_a_developer_is_one_only_where_role_and_membership_meet(cast, make):
    environment = make.environment("payments-staging")
    mona, alan = cast["mona"], cast["alan"]
    make.grant(mona, Role.DEVELOPER, "team:payments")
    make.membership(alan, make.team("payments"))
    db.session.expire_all()
    assert not policy.may_launch(mona, environment)
    assert not policy.may_launch(alan, environment)


def test_a_role_in_a_unit_reaches_the_teams_below_it(make):
    lena = make.person("lena")
    make.team("payments"), make.team("platform")
    make.grant(lena, Role.MANAGER, "unit:seabright")
    assert {team.slug for team in policy.visible_teams(lena)} == {"payments", "platform"}


def test_a_role_in_a_unit_does_not_reach_above_or_beside_it(make):
    lena = make.person("lena")
    make.team("payments"), make.team("platform"), make.team("board", unit_id=make.unit("seabright").id)
    make.grant(lena, Role.AUDITOR, "unit:commerce")
    assert {team.slug for team in policy.visible_teams(lena)} == {"payments"}


def test_a_role_in_a_team_stays_there(make):
    lena = make.person("lena")
    make.team("payments"), make.team("orders")
    make.grant(lena, Role.CURATOR, "team:orders")
    assert {team.slug for team in policy.visible_teams(lena)} == {"orders"}
    assert not policy.may_operate(lena)


def test_a_ring_of_units_does_not_go_on_for_ever(make):
    lena = make.person("lena")
    upper, lower = make.unit("seabright"), make.unit("commerce")
    upper.parent_id = lower.id
    team = make.team("payments")
    make.grant(lena, Role.MANAGER, "unit:engineering-platform")
    assert team not in policy.visible_teams(lena)


@pytest.mark.parametrize(
    ("username", "slug", "rule", "who"),
    [
        (
            "omar",
            "payments-prod",
            "orders may not launch in payments-prod; it belongs to payments.",
            "Ask #payments, or the platform team.",
        ),
        (
            "mona",
            "sandbox",
            "Mona Lindqvist may not launch in sandbox: only developers of a team launch.",
            "Ask the platform team: admins give roles.",
        ),
    ],
)
def test_a_no_names_the_rule_and_who_can_change_it(cast, make, username, slug, rule, who):
    decision = policy.may_launch(cast[username], make.environment(slug))
    assert (decision.rule, decision.who) == (rule, who)
    with pytest.raises(Forbidden) as refused:
        policy.require(decision)
    assert (refused.value.sentence, refused.value.who) == (rule, who)


def test_a_yes_passes(cast, make):
    policy.require(policy.may_launch(cast["dana"], make.environment("payments-prod")))


def test_the_tree_is_read_once_a_request(app, cast, make, sign_in, count_queries):
    @app.get("/readable")
    def readable() -> str:
        from app.identity.current import me

        return " ".join(team.slug for team in policy.visible_teams(me))

    numbers = []
    for more in (0, 10):
        for n in range(more):
            make.team(f"team-{n}", unit_id=make.unit(f"unit-{n}").id)
        browser = sign_in(cast["mona"])
        with count_queries() as queries:
            assert browser.get("/readable").text == "orders payments"
        numbers.append(len(queries))
    assert numbers == [3, 3]


@pytest.mark.parametrize(
    ("username", "line"),
    [
        ("dana", "developer, payments"),
        ("petra", "curator, platform"),
        ("mona", "manager"),
        ("alan", "auditor"),
        ("ada", "admin"),
        ("newcomer", "no team yet"),
    ],
)
def test_the_line_under_ones_name(make, username, line):
    person = make.person(username)
    assert policy.role_line(person) == line


def test_the_cast_is_complete(cast):
    assert db.session.query(Team).count() == 3
