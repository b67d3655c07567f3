"""The page of orphans and their number."""

import pytest

from app import db
from app.stacks import sightings
from app.stacks.models import Orphan
from tests.support.counting import count_queries


@pytest.fixture
def orphan(app):
    def add(name, **values):
        place = "111122223333/eu-west-1"
        about = {"cloud_id": f"arn:{name}", "status": "CREATE_COMPLETE", "tags": {"owner": "payments"}}
        about |= {"reason": "Its body is not that of any version of sqs-queue.", "ref": "stk_ABCDEFGH"}
        moments = {"first_seen_at": db.now(-120), "last_seen_at": db.now()}
        db.session.add(Orphan(place=place, name=name, **about | moments | values))
        db.session.commit()

    return add


@pytest.fixture
def petra(sign_in, make):
    return sign_in(make.person("petra"))


def test_an_orphan_is_shown_with_what_is_known_and_what_to_do(petra, orphan):
    orphan("refunds-abcdefgh")
    orphan("settled-abcdefgh", settled_at=db.now())
    page = petra.get("/operations/orphans").text
    for words in (
        "1 orphan",
        "refunds-abcdefgh",
        "payments",
        "not that of any version",
        "delete it in the AWS console",
    ):
        assert words in page, words
    assert "settled-abcdefgh" not in page


def test_a_place_that_cannot_be_listed_says_since_when(petra, make):
    make.environment()
    make.environment("orders-staging")
    sightings.note_seen("111122223333/eu-west-1")
    sightings.note_blind("111122223333/eu-west-1", "The launch role may not do this.")
    sightings.note_seen("111122223333/us-east-1")
    page = petra.get("/operations/orphans").text
    assert page.index("The launch role may not do this.") < page.index("us-east-1")
    assert "Not looked at since" in page
    assert "Compared" in page
    assert "No orphans" in page


def test_it_is_for_those_who_run_the_platform(sign_in, make):
    assert sign_in(make.person("dana")).get("/operations/orphans").status_code == 403
    assert "/operations/orphans" in sign_in(make.person("ada")).get("/").text


def test_its_queries_do_not_grow_with_its_rows(petra, orphan):
    counts = []
    for number in (1, 10, 100):
        for each in range(number):
            orphan(f"planted-{number}-{each}")
        petra.get("/operations/orphans")
        with count_queries() as queries:
            petra.get("/operations/orphans")
        counts.append(len(queries))
    assert len(set(counts)) == 1


def test_prometheus_is_told(client, orphan):
    orphan("refunds-abcdefgh")
    sightings.note_blind("111122223333/eu-west-1", "Denied.")
    numbers = client.get("/metrics").text
    assert "slipway_orphans 1.0" in numbers
    assert "slipway_places_unseen 1.0" in numbers
