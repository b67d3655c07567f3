"""The pages of stacks, jobs and plans, as people of every kind read them."""

import html
import re

import pytest

from app import clock, db
from app.jobs import engine
from app.stacks import lists
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Plan, Resource, StackEvent


def text_of(answer):
    assert answer.status_code == 200, answer.text[:500]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def names(answer):
    assert answer.status_code == 200
    return re.findall(r'class="name" href="/(?:stacks|jobs)/[^"]+">([^<]+)</a>', answer.text)


def names_on_every_page(browser, address):
    """The names of a list and of the pages that follow it."""
    seen = []
    while address:
        page = browser.get(address)
        seen += names(page)
        more = re.search(r'href="([^"]+after=[^"]+)"', page.text)
        address = html.unescape(more[1]) if more else None
    return seen


def facet(answer, label):
    """The choices of one facet with their counts."""
    section = re.search(rf'<section aria-label="{label}">(.*?)</section>', answer.text, re.S)
    found = re.findall(r'rel="nofollow">([^<]+)<span class="count">([\d,]+)', section[1]) if section else []
    return {name: int(count.replace(",", "")) for name, count in found}


@pytest.fixture
def many(make):
    """Stacks of two teams in every kind of state."""
    orders = make.team("orders")
    make.stack("refunds", status="ready")
    make.stack("ledger", status="ready", environment=make.environment("sandbox"))
    make.stack("fraud", status="failed")
    make.stack("basket", status="tainted", team=orders, environment=make.environment("orders-staging"))
    make.stack("search", status="creating", team=orders, environment=make.environment("orders-staging"))
    make.stack("gone", status="deleted", deleted_at=clock.now())


@pytest.fixture
def browser(sign_in, dana):
    return sign_in(dana)


def test_the_list_is_worst_first_and_leaves_out_what_is_deleted(many, browser):
    page = browser.get("/stacks")
    assert names(page)[:2] == ["fraud", "basket"]
    assert set(names(page)) == {"fraud", "basket", "search", "refunds", "ledger"}
    assert "5 of 5" in text_of(page)


def test_facets_count_what_the_others_leave(many, browser):
    page = browser.get("/stacks")
    assert facet(page, "Status") == {"Ready": 2, "Failed": 1, "Tainted": 1, "Creating": 1, "Deleted": 1}
    assert facet(page, "Owner") == {"payments": 3, "orders": 2}
    assert facet(page, "Environment") == {"payments-staging": 2, "orders-staging": 2, "sandbox": 1}
    page = browser.get("/stacks?team=payments")
    assert facet(page, "Status") == {"Ready": 2, "Failed": 1, "Deleted": 1}
    assert facet(page, "Owner") == {"payments": 3, "orders": 2}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("team=orders", {"basket", "search"}),
        ("team=orders&team=payments&status=ready", {"refunds", "ledger"}),
        ("status=trouble", {"fraud", "basket"}),
        ("status=moving", {"search"}),
        ("status=deleted", {"gone"}),
        ("environment=sandbox", {"ledger"}),
        ("team=payments&environment=orders-staging", set()),
        ("template=sqs-queue&status=failed", {"fraud"}),
        ("q=FUND", {"refunds"}),
        ("q=%25", set()),
        ("q=_", set()),
        ("status=nonsense", set()),
        ("after=nonsense", {"fraud", "basket", "search", "refunds", "ledger"}),
        ("after=99999999999999999999.1", {"fraud", "basket", "search", "refunds", "ledger"}),
    ],
)
def test_filters_combine(many, browser, query, expected):
    assert set(names(browser.get(f"/stacks?{query}"))) == expected


def test_a_stack_is_found_by_its_id(make, browser):
    stack = make.stack("refunds")
    make.stack("other")
    assert names(browser.get(f"/stacks?q={stack.ref.lower()}")) == ["refunds"]


def test_a_search_that_fits_many_finds_them_all_worst_first(make, browser, monkeypatch):
    monkeypatch.setattr(lists, "MOST_NAMED", 3)
    for number in range(60):
        make.stack(f"queue-{number:02}", status="failed" if number == 4 else "ready")
    make.stack("ledger")
    assert names(browser.get("/stacks?q=queue"))[0] == "queue-04"
    assert names(browser.get("/stacks?q=queue&status=failed")) == ["queue-04"]
    seen = names_on_every_page(browser, "/stacks?q=queue")
    assert sorted(seen) == [f"queue-{number:02}" for number in range(60)]


def test_paging_is_complete_and_repeats_nothing(make, browser):
    for number in range(120):
        make.stack(f"queue-{number:03}", status=list(StackStatus)[number % 9])
    seen = names_on_every_page(browser, "/stacks?team=payments")
    assert len(seen) == len(set(seen)) == 120


def test_an_empty_list_says_what_to_do(browser):
    assert "No stacks yet" in text_of(browser.get("/stacks"))
    assert "Nothing matches" in text_of(browser.get("/stacks?q=zzz"))


TABS = ("overview", "resources", "jobs", "events", "answers")


@pytest.mark.parametrize("tab", TABS)
def test_a_running_stack_shows_every_tab(ready, browser, tab):
    stack = ready()
    page = text_of(browser.get(f"/stacks/{stack.ref}?tab={tab}"))
    shown = {
        "overview": "QueueUrl",
        "resources": "DeadLetterQueue",
        "jobs": "Create",
        "events": "CREATE_COMPLETE",
        "answers": "VisibilityTimeoutSeconds",
    }
    assert shown[tab].lower().replace("_", " ") in page.lower().replace("_", " ")


def test_details_are_for_those_who_may_read_them(make, sign_in):
    stack = make.stack("refunds", outputs=[{"key": "QueueUrl", "value": "https://inside.example", "description": ""}])
    job = make.job(stack, status="failed", failure={"sentence": "Inner reason.", "reason": "Inner reason."})
    engine.add_steps(job)
    for username in ("dana", "omar", "petra", "mona", "alan", "ada"):
        browser = sign_in(make.person(username))
        may = username != "omar"
        for tab in TABS:
            assert ("https://inside.example" in browser.get(f"/stacks/{stack.ref}?tab={tab}").text) == (
                may and tab == "overview"
            )
        assert ("Inner reason." in browser.get(f"/jobs/{job.ref}").text) is may
        assert ("Inner reason." in browser.get("/jobs").text) is may
        assert "refunds" in browser.get("/stacks").text


def test_a_plan_is_for_those_who_may_read_it(make, sign_in):
    plan = waiting_plan(make)
    for username, status in {"dana": 200, "petra": 200, "mona": 200, "alan": 200, "ada": 200, "omar": 403}.items():
        assert sign_in(make.person(username)).get(f"/plans/{plan.ref}").status_code == status


def waiting_plan(make, **values):
    stack = make.stack()
    job = make.job(stack, kind="update", status="waiting", finished_at=None)
    engine.add_steps(job)
    change = {
        "kind": "modify", "logical_id": "Queue", "physical_id": "", "type": "AWS::SQS::Queue", "holds_data": False,
        "sentence": "Changes in place.", "properties": [],
    }  # fmt: skip
    plan = Plan(
        ref=db.new_ref("pln"), job_id=job.id, change_set_id="x", digest="d" * 64, changes=[change], answer_changes=[],
        created_at=clock.now(), **values,
    )  # fmt: skip
    db.session.add(plan)
    db.session.flush()
    return plan


def test_a_plan_is_confirmed_once_and_the_stale_tab_is_told(make, sign_in, dana):
    plan = waiting_plan(make)
    address = f"/plans/{plan.ref}/confirmation"
    assert sign_in(dana).post(address, data={"digest": "0" * 64}).status_code == 409
    assert sign_in(dana).post(address, data={"digest": plan.digest}).status_code == 303
    late = sign_in(make.person("petra")).post(address, data={"digest": plan.digest})
    assert late.status_code == 409
    assert "Dana Reyes confirmed it already, at" in html.unescape(late.text)


def test_every_post_needs_a_token(make, browser):
    plan = waiting_plan(make)
    stack, failed = make.stack(), make.stack(status="failed")
    job = make.job(make.stack(status="creating"), status="running", finished_at=None)
    for address in (
        f"/stacks/{stack.ref}/deletion",
        f"/stacks/{stack.ref}/protection",
        f"/stacks/{stack.ref}/acceptance",
        f"/stacks/{stack.ref}/updates",
        f"/stacks/{stack.ref}/updates/check",
        f"/stacks/{failed.ref}/retries",
        f"/jobs/{job.ref}/cancellation",
        f"/plans/{plan.ref}/confirmation",
        f"/plans/{plan.ref}/withdrawal",
        f"/catalog/{stack.template.slug}/launch",
        f"/catalog/{stack.template.slug}/launch/check",
    ):
        assert browser.post(address, csrf=False).status_code == 400, address


@pytest.mark.parametrize(
    "address", ["/stacks/stk_NOTHING1", "/jobs/job_NOTHING1", "/plans/pln_NOTHING1", "/stacks/'--"]
)
def test_what_is_not_there_is_404(browser, address):
    assert browser.get(address).status_code == 404


def test_deleting_from_the_page_needs_the_name(make, browser):
    stack = make.stack("refunds")
    assert "refunds" in browser.get(f"/stacks/{stack.ref}/delete").text
    assert browser.post(f"/stacks/{stack.ref}/deletion", data={"confirmation": "refund"}).status_code == 422
    assert browser.post(f"/stacks/{stack.ref}/deletion", data={}).status_code == 422
    assert browser.post(f"/stacks/{stack.ref}/deletion", data={"confirmation": "refunds"}).status_code == 303


def test_jobs_are_listed_newest_first_and_narrowed(make, browser):
    for status in ("succeeded", "failed", "running", "waiting"):
        make.job(make.stack(f"s-{status}"), status=status, finished_at=None)
    assert names(browser.get("/jobs")) == ["s-waiting", "s-running", "s-failed", "s-succeeded"]
    assert names(browser.get("/jobs?status=unfinished")) == ["s-waiting", "s-running"]
    assert names(browser.get("/jobs?status=failed")) == ["s-failed"]
    assert names(browser.get("/jobs?status=nonsense")) == names(browser.get("/jobs"))
    assert browser.get("/jobs?before=99999999999999999999999").status_code == 200


def fill(stack, job, number):
    """Give a stack so many resources and events, and as many jobs."""
    now = clock.now()
    for n in range(number):
        db.session.add(
            Resource(
                stack_id=stack.id, job_id=job.id, logical_id=f"R{n}", type="AWS::SQS::Queue", status="CREATE_COMPLETE"
            )
        )
        db.session.add(
            StackEvent(
                stack_id=stack.id, job_id=job.id, event_id=f"e{n}", logical_id=f"R{n}", type="AWS::SQS::Queue",
                status="CREATE_COMPLETE", occurred_at=now,
            )
        )  # fmt: skip


def test_every_page_asks_the_same_number_of_questions(make, browser, count_queries):
    asked, rows = {}, 0
    for number in (1, 10, 100):
        for _ in range(number - rows):
            make.job(make.stack())
        rows = number
        stack, job = busy_stack(make, number)
        for address in pages_of(stack, job):
            browser.get(address)
            with count_queries() as queries:
                assert browser.get(address).status_code == 200
            asked.setdefault(re.sub(r"_[0-9A-Z]{8}", "", address), []).append(len(queries))
    assert {address: counts for address, counts in asked.items() if len(set(counts)) > 1} == {}
    assert {address: counts for address, counts in asked.items() if max(counts) > 15} == {}


def busy_stack(make, number):
    stack = make.stack(f"busy-{number}")
    for _ in range(number):
        make.job(stack)
    job = make.job(stack, status="running", finished_at=None)
    engine.add_steps(job)
    fill(stack, job, number)
    db.session.flush()
    return stack, job


def pages_of(stack, job):
    return [
        "/stacks",
        "/jobs",
        *(f"/stacks/{stack.ref}?tab={tab}" for tab in TABS),
        f"/jobs/{job.ref}",
        f"/stacks/{stack.ref}/updates/new",
        f"/stacks/{stack.ref}/delete",
        f"/catalog/{stack.template.slug}/launch",
    ]


def test_an_address_that_only_takes_forms_says_so(make, browser):
    answer = browser.get(f"/stacks/{make.stack().ref}/protection")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}
    assert "This is not a page" in answer.text
