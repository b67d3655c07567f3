"""The forms: launch a version, change a stack, launch a failed one again."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app import clock, db
from app.catalog.bodies import parsed
from app.environments.models import Environment
from app.errors import Invalid
from app.identity import policy
from app.identity.current import me
from app.identity.models import Team
from app.services.models import Service
from app.stacks import actions, forms, lifecycle, pages, queries
from app.stacks.actions import Launch
from app.stacks.models import Stack
from app.stacks.requests import Request
from app.ui import announce

bp = Blueprint("launch", __name__)

Answers = Mapping[str, str | list[str]]


@bp.get("/catalog/<slug>/launch")
def new(slug: str) -> str:
    """Show the form, prefilled from the address or from another stack's answers (`?from=stk_…`)."""
    template = pages.get_template(slug)
    version = pages.get_version(template, request.args.get("version"))
    answers = forms.typed_answers(request.args, parsed(version).parameters)
    given: dict[str, Any] = dict(request.args)
    if source := request.args.get("from"):
        stack = queries.access_stack(me, source)
        if policy.may_read_details(me, stack):
            answers = {**stack.answers, **answers}
            given = {"environment": stack.environment.slug, "team": stack.team.slug, **given}
    page = pages.launch_page(me, template, version, given, answers)
    return render_template("launch/new.html", nav="catalog", page=page, read_at=clock.now())


@bp.post("/catalog/<slug>/launch/check")
def check(slug: str) -> str:
    """Judge what is typed so far: answers with the preview, and each field's message; writes nothing."""
    db.reading()
    template = pages.get_template(slug)
    version = pages.get_version(template, request.form.get("version"))
    answers = forms.typed_answers(request.form, parsed(version).parameters)
    page = pages.launch_page(me, template, version, request.form, answers, _typed_errors(request.form))
    return render_template("launch/_checked.html", page=page, whole=_is_place_changed(request.form, page))


def _typed_errors(form: MultiDict[str, str]) -> dict[str, list[str]]:
    name = form.get("name", "")
    return {"name": [actions.NAME_RULE]} if name and not actions.NAME.fullmatch(name) else {}


def _is_place_changed(form: MultiDict[str, str], page: pages.FormPage) -> bool:
    """The form was made for a place and a version; when one changes, so do fields and choices."""
    made_for = form.get("made_for", "")
    return made_for != f"{page.version.number} {page.environment.slug if page.environment else ''}"


@bp.post("/catalog/<slug>/launch")
def create(slug: str) -> Response | tuple[str, int]:
    template = pages.get_template(slug)
    version = pages.get_version(template, request.form.get("version"))
    answers = forms.typed_answers(request.form, parsed(version).parameters)
    try:
        stack, _ = actions.launch(_wanted(version, answers), Request(me))
    except Invalid as problem:
        db.session.rollback()
        page = pages.launch_page(
            me, pages.get_template(slug), pages.get_version(template, version.number), request.form, answers,
            problem.errors,
        )  # fmt: skip
        return render_template("launch/new.html", nav="catalog", page=page, read_at=clock.now()), 422
    db.session.commit()
    announce(f"Launch of {stack.name} asked for")
    return redirect(url_for("stacks.show", ref=stack.ref), 303)


def _wanted(version: Any, answers: Answers) -> Launch:
    """Read environment, owner, service and name; raises Invalid naming the one that does not exist."""
    form = request.form
    environment = _by_slug(Environment, form.get("environment"), "environment", "Choose an environment.")
    team = environment.team or _by_slug(Team, form.get("team"), "team", "Choose the team that will own it.")
    service = _by_slug(Service, form["service"], "service", "Choose a service.") if form.get("service") else None
    return Launch(version, environment, team, form.get("name", "").strip(), answers, service)


def _by_slug(model: Any, slug: str | None, field: str, sentence: str) -> Any:
    found = db.session.scalar(select(model).where(model.slug == (slug or "")))
    if found is None:
        raise Invalid(sentence, field=field)
    return found


@bp.get("/stacks/<ref>/updates/new")
def change(ref: str) -> str:
    """Show the form of a running stack with its answers; `?version=` plans an upgrade."""
    stack = queries.access_stack(me, ref)
    policy.require(policy.may_change(me, stack))
    return _change_form(stack, request.args.get("version"), actions.running_answers(stack), {})


@bp.get("/stacks/<ref>/retries/new")
def retry(ref: str) -> str:
    """Show the form of a failed stack with its answers."""
    stack = queries.access_stack(me, ref)
    policy.require(policy.may_change(me, stack))
    return _change_form(stack, request.args.get("version"), stack.answers, {})


def _change_form(stack: Stack, number: str | None, answers: Answers, errors: dict[str, list[str]]) -> str:
    template = pages.get_template(stack.template.slug)
    version = pages.get_version(template, number or stack.version.number)
    is_retry = lifecycle.can(stack, lifecycle.RETRY)
    page = pages.change_page(me, stack, template, version, answers, errors, is_retry=is_retry)
    return render_template(
        "launch/change.html", nav="stacks", page=page, stack=stack, is_retry=is_retry, read_at=clock.now()
    )


@bp.post("/stacks/<ref>/updates/check")
def check_change(ref: str) -> str:
    """Judge the typed changes; writes nothing."""
    db.reading()
    stack = queries.access_stack(me, ref)
    template = pages.get_template(stack.template.slug)
    version = pages.get_version(template, request.form.get("version"))
    answers = forms.typed_answers(request.form, parsed(version).parameters)
    is_retry = lifecycle.can(stack, lifecycle.RETRY)
    page = pages.change_page(me, stack, template, version, answers, is_retry=is_retry)
    whole = _is_place_changed(request.form, page)
    return render_template("launch/_checked.html", page=page, stack=stack, is_retry=is_retry, whole=whole)


@bp.post("/stacks/<ref>/updates")
def update(ref: str) -> Response | tuple[str, int]:
    return _submit_change(ref, actions.request_update, "A plan is being made; nothing changes before you confirm it")


@bp.post("/stacks/<ref>/retries")
def launch_again(ref: str) -> Response | tuple[str, int]:
    return _submit_change(ref, actions.request_retry, "Launched again")


def _submit_change(ref: str, action: Any, words: str) -> Response | tuple[str, int]:
    stack = queries.access_stack(me, ref)
    version = pages.get_version(pages.get_template(stack.template.slug), request.form.get("version"))
    answers = forms.typed_answers(request.form, parsed(version).parameters)
    try:
        action(stack, version, answers, Request(me))
    except Invalid as problem:
        db.session.rollback()
        return _change_form(queries.access_stack(me, ref), version.number, answers, problem.errors), 422
    db.session.commit()
    announce(words)
    return redirect(url_for("stacks.show", ref=ref), 303)
