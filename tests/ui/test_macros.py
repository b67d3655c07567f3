import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from app import clock

Render = Callable[..., str]


def _bare(html: str) -> str:
    return re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)


def test_a_badge_is_a_word_an_icon_and_a_tone(render: Render) -> None:
    html = render('{% from "ui/badge.html" import badge %}{{ badge("creating", pill=True) }}')
    assert html.startswith('<span class="badge" data-tone="move" data-pill><svg class="icon" data-spin ')
    assert html.endswith("Creating</span>")


def test_a_badge_may_say_its_status_in_other_words(render: Render) -> None:
    html = render('{% from "ui/badge.html" import badge %}{{ badge("stale", "Was ready <3 h ago", stale=True) }}')
    assert _bare(html) == '<span class="badge" data-tone="unknown" data-stale>Was ready &lt;3 h ago</span>'


def test_an_age_carries_the_exact_moment(render: Render) -> None:
    at = clock.now() - timedelta(hours=2, minutes=1)
    html = render("{{ at | age }}", at=at)
    assert f'datetime="{at:%Y-%m-%dT%H:%M:%SZ}" title="{at:%Y-%m-%d %H:%M:%S} UTC">2 h ago</time>' in html
    assert "data-stale" in render("{{ at | age(stale=True) }}", at=at)
    assert render("{{ none | age }}") == '<span class="age">never</span>'


def test_an_icon_alone_has_a_name_and_beside_a_word_has_none(render: Render) -> None:
    assert 'aria-hidden="true"' in render('{{ icon("copy") }}')
    assert 'role="img" aria-label="a &#34;b&#34;"' in render('{{ icon("copy", label=\'a "b"\') }}')


def test_a_template_that_names_an_icon_we_do_not_ship_gets_the_stack(render: Render) -> None:
    assert render('{{ glyph("../../../etc/passwd") }}') == render('{{ icon("stack-2") }}')


def test_attributes_are_escaped_and_absent_ones_left_out(render: Render) -> None:
    source = '{% from "ui/button.html" import button %}{{ button("Go", hx_post=\'/a"b\', hidden=False, **extra) }}'
    html = render(source, extra={"hx-status:422": "target:#f", "formnovalidate": True})
    assert html == (
        '<button class="button" type="submit" hx-post="/a&#34;b" hx-status:422="target:#f" formnovalidate>Go</button>'
    )


def test_a_field_ties_its_error_and_help_to_the_control(render: Render) -> None:
    source = """{% from "ui/field.html" import number %}
        {{- number("Storage", "Storage", "<2000>", help="In GiB.", error=errors, unit="GiB") }}"""
    html = render(source, errors=["Too much.", "Whole numbers."])
    assert '<label for="f-Storage">' in html
    assert 'aria-invalid="true" aria-describedby="f-Storage-e f-Storage-h"' in html
    assert 'value="&lt;2000&gt;"' in html
    assert "Too much. Whole numbers." in _bare(html)


def test_a_secret_is_never_printed(render: Render) -> None:
    html = render('{% from "ui/field.html" import secret %}{{ secret("p", "Password", kept=True, value="hunter2") }}')
    assert "hunter2" not in html
    assert "leave blank to keep it" in html
    assert 'type="password"' in html


def test_a_choice_that_may_not_be_made_says_why(render: Render) -> None:
    source = """{% from "ui/field.html" import choice, select %}
        {{- choice("e", "E", "b", options=options) }}{{ select("s", "S", "b", options=options) }}"""
    html = render(source, options=[("a", "A"), ("b", "B"), ("c", "C", "", "not your team")])
    assert '<input type="radio" name="e" value="b" checked>' in html
    assert 'value="c" disabled>C<small>not your team</small>' in html
    assert '<option value="b" selected>' in html
    assert '<option value="c" disabled>C, not your team</option>' in html


def test_several_of_many_are_ticks_without_script(render: Render) -> None:
    source = '{% from "ui/lookup.html" import lookup_many %}{{ lookup_many("sn", "Subnets", ["b"], options=options) }}'
    html = render(source, options=[("a", "data-a"), ("b", "data-b")])
    assert '<input type="checkbox" name="sn" value="b" checked>' in html
    assert '<input type="checkbox" name="sn" value="a">' in html


def test_the_summary_of_errors_leads_to_the_fields(render: Render) -> None:
    source = '{% from "ui/field.html" import error_summary %}{{ error_summary(errors) }}'
    assert render(source, errors=[]) == ""
    html = _bare(render(source, errors=[("Storage", "f-Storage"), ("VPC", "f-VPC")]))
    assert "2 answers need another look" in html
    assert 'href="#f-VPC"' in html


def test_steps_mark_the_one_under_way(render: Render) -> None:
    source = '{% from "ui/steps.html" import steps %}{{ steps(items) }}'
    html = _bare(
        render(source, items=[{"name": "Planned", "status": "done"}, {"name": "Creating", "status": "active"}])
    )
    assert html.count('aria-current="step"') == 1
    assert '<li data-tone="ok"><span class="step-name">Planned<span class="visually-hidden">, done</span>' in html


def test_a_lane_runs_to_the_present_and_one_to_come_has_no_bar(render: Render) -> None:
    source = '{% from "ui/lanes.html" import lanes %}{{ lanes(lane_clock(100, 50), rows) }}'
    running = {"name": "Queue", "type": "AWS::SQS::Queue", "status": "CREATE_IN_PROGRESS", "start": 10}
    to_come = {
        "name": "Alarm",
        "type": "AWS::CloudWatch::Alarm",
        "status": "queued",
        "usual_start": 60,
        "usual_end": 80,
    }
    html = render(source, rows=[running, to_come])
    assert '<rect class="fill-move" x="84.0" y="5" width="336.0"' in html
    assert html.count('class="fill-') == 1
    assert '<rect class="usual" x="504.0"' in html
    assert "style=" not in html


def test_an_address_that_is_an_output_is_a_link_and_nothing_else_is(render: Render) -> None:
    source = '{% from "ui/code.html" import outputs %}{{ outputs(items) }}'
    items = [{"name": "Url", "value": "https://a.example/?b=1&c"}, {"name": "Odd", "value": "javascript:alert(1)"}]
    html = render(source, items=items)
    assert 'href="https://a.example/?b=1&amp;c"' in html
    assert 'href="javascript' not in html
    assert 'data-copy="javascript:alert(1)" aria-label="Copy Odd"' in html


def test_a_replacement_that_holds_data_stands_open(render: Render) -> None:
    source = """{% from "ui/plan.html" import change %}
        {%- call change("Db", "T", "Replaced.", "bad", holds_data=True) %}d{% endcall %}
        {%- call change("Q", "T", "In place.") %}d{% endcall %}"""
    html = render(source)
    assert '<section class="change" data-tone="bad"' in html
    assert "holds data" in html
    assert '<details class="change">' in html


def test_a_facet_puts_its_value_in_and_takes_it_out_again(render: Render) -> None:
    source = '{% from "ui/facets.html" import facets, chips %}{{ facets(groups) }}{{ chips(groups) }}'
    choices = [
        {"value": "a", "label": "A", "count": 3, "chosen": True},
        {"value": "b", "label": "B", "count": 1200, "chosen": False},
    ]
    groups = [{"label": "Kind", "name": "kind", "choices": choices}, {"label": "Empty", "name": "x", "choices": []}]
    html = _bare(render(source, "/stacks?q=led&kind=a&page=3", groups=groups))
    assert '<a href="/stacks?q=led" aria-current="true" rel="nofollow">A' in html
    assert '<a href="/stacks?q=led&amp;kind=a&amp;kind=b" rel="nofollow">B<span class="count">1,200</span>' in html
    assert "Empty" not in html


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ("status='ready'", "/stacks?q=a%26b&status=ready"),
        ("page=3", "/stacks?q=a%26b&page=3"),
        ("q=none", "/stacks"),
        ("kind=['x', 'y']", "/stacks?q=a%26b&kind=x&kind=y"),
    ],
)
def test_the_same_page_with_other_arguments(render: Render, changes: str, address: str) -> None:
    html = render("{{ page_url(" + changes + ") | safe }}", "/stacks?q=a%26b&page=2")
    assert html == address


def test_a_head_sorts_and_sorts_back(render: Render) -> None:
    source = (
        '{% from "ui/table.html" import sortable %}{{ sortable("Name", "name", chosen, num=True, shows="mid-only") }}'
    )
    assert 'href="/stacks?sort=-name"' in render(source, chosen="name")
    html = render(source, chosen="-name")
    assert 'class="num mid-only" aria-sort="descending"><a href="/stacks?sort=name"' in html


def test_a_team_keeps_its_hue(render: Render) -> None:
    source = '{{ "payments" | hue }}{{ "orders" | hue }}{{ "platform" | hue }}'
    assert render(source) == "abc"


def test_a_browser_without_script_may_choose_its_theme(look_client: FlaskClient) -> None:
    origin = {"Referer": "http://localhost/patterns?q=1"}
    answer = look_client.post("/preferences", data={"theme": "dark"}, headers=origin)
    assert (answer.status_code, answer.location) == (303, "/patterns?q=1")
    assert '<html lang="en" data-theme="dark">' in look_client.get("/patterns").text
    look_client.post("/preferences", data={"keys": "off"}, headers=origin)
    assert 'data-keys="off"' in look_client.get("/patterns").text


@pytest.mark.parametrize("referrer", ["https://evil.example/", "http://localhost//evil.example/", ""])
def test_a_choice_never_leads_away_from_the_portal(look_client: FlaskClient, referrer: str) -> None:
    answer = look_client.post("/preferences", data={"theme": "<x>"}, headers={"Referer": referrer})
    assert not answer.location.startswith(("//", "http"))
    assert "Set-Cookie" not in answer.headers


def test_the_shell_carries_what_htmx_needs_and_marks_where_one_is(look_client: FlaskClient) -> None:
    html = look_client.get("/patterns").text
    assert """hx-headers:inherited='{"X-CSRFToken": "token"}'""" in html
    assert 'href="/stacks" aria-current="page"' in html
    assert html.count("<h1") == 1
    assert " style=" not in html
    assert "onclick" not in html
