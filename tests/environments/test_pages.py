"""Environments: which needs somebody most, every number a link to its stacks, and the same few queries at any size."""

import html
import re
from datetime import timedelta

import pytest

from app import clock
from app.stacks.lifecycle import RANK, StackStatus


@pytest.fixture
def dana(make, sign_in):
    return sign_in(make.person("dana"))


@pytest.fixture
def places(make):
    """Staging in trouble, production well, a sandbox without stacks."""
    staging, prod = make.environment("payments-staging"), make.environment("payments-prod")
    make.environment("sandbox")
    seen = clock.now() - timedelta(hours=2)
    for status in (
        StackStatus.READY,
        StackStatus.READY,
        StackStatus.TAINTED,
        StackStatus.UPDATING,
        StackStatus.DELETED,
    ):
        make.stack(environment=staging, status=status, observed_at=seen)
    make.stack(
        "fraud-cache",
        environment=staging,
        status=StackStatus.FAILED,
        status_reason="The name is taken.",
        observed_at=seen,
    )
    make.stack(environment=prod)
    return staging, prod


def text_of(response) -> str:
    assert response.status_code == 200
    main = response.text[response.text.index("<main") : response.text.index("</main>")]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def links(response) -> list[str]:
    return [html.unescape(href) for href in re.findall(r'href="(/stacks[^"]*)"', response.text)]


def test_environments_stand_worst_first_with_their_stacks_by_status(places, dana):
    words = text_of(dana.get("/environments"))
    assert "3 environments, 6 stacks, worst first" in words
    assert words.index("payments-staging") < words.index("payments-prod") < words.index("sandbox sandbox")
    staging = words[words.index("payments-staging") : words.index("payments-prod")]
    assert "staging Failed 1 of 5 stacks 2 of 5 1 failed, 1 tainted 1 of 5 1 updating 2 of 5 2 ready 2 h ago" in staging
    assert "Pa payments seabright-nonprod eu-west-1" in staging
    assert "No stacks yet" in words[words.index("sandbox sandbox") :]


def test_every_number_leads_to_exactly_its_stacks(places, dana):
    found = links(dana.get("/environments"))
    assert "/stacks?environment=payments-staging" in found
    assert "/stacks?environment=payments-staging&status=failed&status=tainted" in found
    assert "/stacks?environment=payments-staging&status=updating" in found
    assert "/stacks?environment=payments-prod&status=ready" in found
    assert not any("payments-prod&status=failed" in each for each in found)


def test_a_status_no_stack_is_in_any_more_is_not_listed(make, dana):
    stack = make.stack(status=StackStatus.TAINTED)
    stack.status, stack.rank = StackStatus.READY, RANK[StackStatus.READY]
    words = text_of(dana.get("/environments/payments-staging"))
    assert "Ready, 1 of 1" in words
    assert "Tainted" not in words


def test_an_environment_shows_its_facts_and_who_needs_somebody(places, dana):
    page = dana.get("/environments/payments-staging")
    words = text_of(page)
    assert "Failed, 1 of 5" in words
    assert "Failed 1 of 5 Tainted 1 of 5 Updating 1 of 5 Ready 2 of 5" in words
    assert "fraud-cache Failed. The name is taken." in words
    assert "Account seabright-nonprod 111122223333" in words
    assert "Owner Pa payments #payments" in words
    assert "Last observed 2 h ago" in words
    assert "/stacks?environment=payments-staging&status=ready" in links(page)


def test_why_a_stack_failed_is_for_its_team_and_those_who_watch_over_it(places, make, sign_in):
    for name in ("dana", "mona", "alan", "petra"):
        assert "The name is taken." in text_of(sign_in(make.person(name)).get("/environments/payments-staging"))
    words = text_of(sign_in(make.person("omar")).get("/environments/payments-staging"))
    assert "fraud-cache Failed. sqs-queue v1.0.0" in words
    assert "The name is taken." not in words


def test_at_most_ten_are_named_and_the_rest_is_a_link(make, dana):
    for number in range(12):
        make.stack(f"export-{number:02}", status=StackStatus.TAINTED)
    make.stack("the-worst", status=StackStatus.FAILED)
    page = dana.get("/environments/payments-staging")
    named = re.findall(r'<a class="row-title" href="/stacks/stk_\w+">([^<]+)</a>', page.text)
    assert len(named) == 10
    assert named[0] == "the-worst"
    assert "All 13 that need someone" in text_of(page)


def test_when_nothing_is_wrong_the_page_says_of_how_many(make, dana):
    make.stack()
    assert "1 stack here, none of them failed" in text_of(dana.get("/environments/payments-staging"))


def test_an_empty_environment_says_what_to_do_first(make, dana):
    make.environment("sandbox")
    assert "No stacks yet A stack is something launched" in text_of(dana.get("/environments/sandbox"))
    assert "Last observed never" in text_of(dana.get("/environments/sandbox"))


def test_whoever_may_not_launch_there_reads_who_can_help(make, sign_in):
    make.environment("orders-prod")
    make.team("orders")
    page = sign_in(make.person("dana")).get("/environments/orders-prod")
    assert "payments may not launch in orders-prod; it belongs to orders. Ask #orders" in text_of(page)


def test_without_environments_the_page_says_what_they_are(dana):
    assert "No environments yet" in text_of(dana.get("/environments"))


def test_an_unknown_environment_is_not_found(dana):
    page = dana.get("/environments/nowhere")
    assert page.status_code == 404
    assert "There is no environment nowhere" in page.text


def test_the_number_of_queries_does_not_grow(make, dana, count_queries):
    counts = []
    for many in (1, 10, 100):
        for number in range(many):
            environment = make.environment(f"place-{many}-{number}", team_id=make.team(f"team-{number}").id)
            make.stack(environment=environment, status=StackStatus.TAINTED, team=make.team(f"team-{number}"))
            make.stack(status=StackStatus.FAILED, team=make.team(f"team-{number}"))
        with count_queries() as queries:
            dana.get("/environments")
        with count_queries() as more:
            dana.get("/environments/payments-staging")
        counts.append((len(queries), len(more)))
    assert len(set(counts)) == 1
    assert max(counts[0]) <= 8
