"""The demo organisation: loaded once or twice, it is the same."""

from sqlalchemy import func, select

from app import db, demo
from app.environments.models import Environment
from app.identity import policy
from app.identity.models import Person, PersonStatus, RoleGrant
from app.models import Base


def counts() -> dict[str, int]:
    tables = Base.metadata.sorted_tables
    return {table.name: db.session.scalar(select(func.count()).select_from(table)) for table in tables}


def person(username: str) -> Person:
    return db.session.scalars(select(Person).filter_by(username=username)).one()


def test_everything_in_the_file_is_there(app):
    assert demo.load() == {
        "units": 3,
        "teams": 3,
        "people": 6,
        "roles": 7,
        "accounts": 2,
        "environments": 5,
        "services": 6,
    }
    dana = person("dana")
    assert (dana.issuer, dana.subject, dana.status) == (
        app.extensions["config"]["OIDC_ISSUER"],
        "dana",
        PersonStatus.INVITED,
    )
    prod = db.session.scalars(select(Environment).filter_by(slug="orders-prod")).one()
    assert (prod.stage, prod.region, prod.account.number, prod.team.slug) == (
        "prod",
        "us-east-1",
        "444455556666",
        "orders",
    )
    assert db.session.scalars(select(Environment).filter_by(slug="sandbox")).one().team is None


def test_loading_twice_changes_nothing(app):
    first = demo.load()
    before = counts()
    assert demo.load() == first
    assert counts() == before


def test_what_changed_in_the_file_changes_and_what_people_did_stays(app, tmp_path):
    demo.load()
    dana = person("dana")
    dana.status = PersonStatus.ACTIVE
    dana.name = "Renamed by somebody"
    db.session.commit()
    demo.load()
    db.session.expire_all()
    assert (dana.status, dana.name) == (PersonStatus.ACTIVE, "Dana Reyes")


def test_another_issuer_has_other_people(app):
    demo.load()
    demo.load(issuer="https://other.example")
    assert db.session.scalar(select(func.count()).select_from(Person)) == 12
    assert db.session.scalar(select(func.count()).select_from(RoleGrant)) == 14


def test_the_cast_has_the_roles_the_design_gives_them(app):
    demo.load()
    assert bool(policy.may_operate(person("petra")))
    assert bool(policy.may_operate(person("ada")))
    assert {team.slug for team in policy.visible_teams(person("mona"))} == {"payments", "orders"}
    assert {team.slug for team in policy.visible_teams(person("alan"))} == {"payments", "orders", "platform"}
