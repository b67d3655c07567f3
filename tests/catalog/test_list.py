"""The catalog's list: what a search and its facets leave, in which order, with which numbers."""

import html
import re
from datetime import date, timedelta

import pytest

from app import clock, db
from app.catalog.models import VersionStatus
from app.jobs.lifecycle import JobStatus
from app.stacks.models import Duration


@pytest.fixture
def dana(make):
    return make.person("dana")


@pytest.fixture
def catalog(make):
    """Three templates a team would look for."""
    queue = make.template(
        "sqs-queue", summary="A queue with a dead-letter queue.", keywords=["messages", "worker"], category="Messaging"
    )
    postgres = make.template(
        "rds-postgres", summary="PostgreSQL with backups.", keywords=["sql", "database"], category="Databases",
        readme="# Postgres\n\nNot a queue: do not poll a table.\n",
    )  # fmt: skip
    website = make.template("static-website", category="Web", team=make.team("orders"))
    make.version("1.0.0", template=queue, released_on=date(2026, 3, 1))
    make.version("2.0.0", template=postgres, released_on=date(2026, 9, 1))
    make.version("1.0.0", template=website, released_on=date(2026, 6, 1))
    return queue, postgres, website


def cards(response) -> list[str]:
    assert response.status_code == 200
    return re.findall(r'<h3><a href="/catalog/([a-z0-9-]+)"', response.text)


def text_of(response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def launched(make, template, succeeded=0, failed=0, seconds=60.0, days_ago=1):
    """Finish launches of a template, each on a stack of its own."""
    version = make.version("1.0.0", template=template)
    at = clock.now() - timedelta(days=days_ago)
    for status, count in ((JobStatus.SUCCEEDED, succeeded), (JobStatus.FAILED, failed)):
        for _ in range(count):
            make.job(make.stack(version=version), status=status, finished_at=at)
    for _ in range(succeeded):
        db.session.add(Duration(template_id=template.id, kind="create", logical_id="", type="", seconds=seconds, at=at))
    db.session.flush()


def test_the_list_shows_every_template_with_its_version_owner_and_use(catalog, make, sign_in, dana):
    launched(make, catalog[0], succeeded=19, failed=1, seconds=62)
    page = sign_in(dana).get("/catalog")
    assert cards(page) == ["sqs-queue", "rds-postgres", "static-website"]
    card = text_of(page).split("sqs-queue ")[1].split("rds-postgres")[0]
    assert "v1.0.0" in card
    assert "A queue with a dead-letter queue." in card
    assert "Succeeds 95 % n=20 Usually about 60 s" in card
    assert "platform 20 stacks" in card


def test_few_launches_are_counted_and_none_is_no_data(catalog, make, sign_in, dana):
    launched(make, catalog[0], succeeded=2, failed=1)
    words = text_of(sign_in(dana).get("/catalog"))
    assert "Succeeds 2 of 3 n=3 Usually too few runs" in words
    assert "Succeeds no data Usually no data" in words


def test_only_the_last_90_days_count(catalog, make, sign_in, dana):
    launched(make, catalog[0], succeeded=5, days_ago=1)
    launched(make, catalog[0], failed=5, days_ago=100)
    assert "Succeeds 100 % n=5" in text_of(sign_in(dana).get("/catalog"))


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("queue", ["sqs-queue", "rds-postgres"]),
        ("QUEUE dead", ["sqs-queue"]),
        ("database", ["rds-postgres"]),
        ("poll", ["rds-postgres"]),
        ("messages worker", ["sqs-queue"]),
        ("post%gres", []),
        ("kafka", []),
    ],
)
def test_a_search_finds_every_word_and_puts_the_best_match_first(catalog, sign_in, dana, search, found):
    assert cards(sign_in(dana).get("/catalog", query_string={"q": search})) == found


def test_nothing_found_says_what_was_searched_and_offers_the_way_back(catalog, sign_in, dana):
    page = sign_in(dana).get("/catalog?q=<kafka>&owner=platform")
    assert "No template matches “<kafka>”" in text_of(page)
    assert "<kafka>" not in page.text
    assert 'href="/catalog?owner=platform"' in page.text


def test_facets_narrow_and_count_what_they_would_leave(catalog, sign_in, dana):
    browser = sign_in(dana)
    page = browser.get("/catalog?owner=platform")
    assert cards(page) == ["rds-postgres", "sqs-queue"]
    words = text_of(page)
    assert "2 of 3 templates" in words
    assert "Databases 1 Messaging 1 Kept by orders 1 platform 2" in words
    assert cards(browser.get("/catalog?category=Web&category=Databases")) == ["rds-postgres", "static-website"]
    left = browser.get("/catalog?category=Web&owner=platform")
    assert cards(left) == []
    assert "Nothing is left" in text_of(left)
    assert 'href="/catalog"' in left.text


def test_used_by_my_team_is_a_facet(catalog, make, sign_in, dana):
    version = make.version("1.0.0", template=catalog[2])
    make.stack(version=version)
    make.stack(version=make.version("1.0.0", template=catalog[0]), team=make.team("orders"))
    assert cards(sign_in(dana).get("/catalog?used=mine")) == ["static-website"]
    assert "My team" not in text_of(sign_in(make.person("petra")).get("/catalog"))


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("used", ["static-website", "sqs-queue", "rds-postgres"]),
        ("reliable", ["sqs-queue", "static-website", "rds-postgres"]),
        ("newest", ["rds-postgres", "static-website", "sqs-queue"]),
        ("name", ["rds-postgres", "sqs-queue", "static-website"]),
        ("nonsense", ["static-website", "sqs-queue", "rds-postgres"]),
    ],
)
def test_the_list_can_be_sorted(catalog, make, sign_in, dana, order, found):
    launched(make, catalog[2], succeeded=6, failed=3)
    launched(make, catalog[0], succeeded=4)
    assert cards(sign_in(dana).get(f"/catalog?sort={order}")) == found


def test_drafts_do_not_appear_and_what_cannot_be_launched_says_so(make, sign_in, dana):
    make.version("1.0.0", template=make.template("kinesis-stream"), status=VersionStatus.DRAFT)
    retired = make.template("msk-cluster")
    make.version("1.0.0", template=retired, status=VersionStatus.RETIRED, is_recommended=False)
    page = sign_in(dana).get("/catalog")
    assert cards(page) == ["msk-cluster"]
    assert "No version can be launched now." in text_of(page)


def test_an_empty_catalog_says_where_templates_come_from(sign_in, dana):
    assert "The catalog is empty" in text_of(sign_in(dana).get("/catalog"))


def test_nobody_reads_the_catalog_without_signing_in(client):
    assert client.get("/catalog").headers["Location"] == "/sign-in?next=%2Fcatalog"


def test_the_number_of_queries_does_not_grow_with_the_catalog(make, sign_in, dana, count_queries):
    browser, counts = sign_in(dana), []
    for many in (1, 10, 100):
        for number in range(many):
            template = make.template(f"template-{number}")
            launched(make, template, succeeded=1 if number % 3 else 0)
        browser.get("/catalog")
        with count_queries() as queries:
            browser.get("/catalog?q=template")
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] <= 8
