"""The catalog's pages: the list, a template, what differs between two of its versions."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for

from app import clock
from app.catalog import comparing, listing, queries, reading
from app.catalog.bodies import parsed
from app.catalog.markdown import render
from app.catalog.models import Template, Version
from app.environments.queries import launchable
from app.identity.current import me
from app.jobs import history
from app.stacks import paces, tallies
from app.stacks.forecasts import usual

bp = Blueprint("catalog", __name__)

FACETS = ("category", "owner", "state", "used")
TABS = ("overview", "versions", "parameters", "failures", "source")


@bp.get("/catalog")
def index() -> str:
    """Show the templates that match the search and the chosen facets."""
    search = request.args.get("q", "").strip()[:200]
    found = queries.entries(search)
    items = listing.items_of(
        found,
        tallies.use_by_template({team.id for team in me.teams}),
        history.outcomes_by_template(),
        paces.paces_by_template([entry.id for entry in found]),
    )
    chosen = {name: request.args.getlist(name) for name in FACETS}
    shown = listing.listing(items, chosen, request.args.get("sort", ""), bool(search))
    keep = [(name, value) for name in (*FACETS, "sort") for value in request.args.getlist(name)]
    return _page("catalog/index.html", listing=shown, search=search, keep=keep)


@bp.get("/catalog/<slug>")
def show(slug: str) -> str:
    """Show a template: what it creates and asks, its documentation, versions, record and who keeps it."""
    template = queries.get_template(slug)
    version = queries.choose_version(template, request.args.get("version"))
    tab = request.args.get("tab", "")
    outcomes = history.outcomes_of(template.id)
    return _page(
        "catalog/show.html",
        template=template,
        version=version,
        tab=tab if tab in TABS else "overview",
        body=parsed(version) if version else None,
        reading=reading.read(parsed(version), usual(template.id, "create").resources) if version else None,
        readme=render(template.readme),
        changelog=render(template.changelog),
        outcomes=outcomes,
        causes=history.causes_of_failures(template.id) if outcomes.failed else [],
        pace=paces.pace_of(template.id),
        teams=tallies.teams_using(template.id),
        launch=_launch(template, version),
    )


@bp.get("/catalog/<slug>/versions/<number>/body")
def body(slug: str, number: str) -> Response:
    """Answer with a version's body as it was published."""
    template = queries.get_template(slug)
    text = parsed(queries.get_version(template, number)).text
    return Response(text, mimetype="text/plain")


@bp.get("/catalog/<slug>/diff/<before>/<after>")
def diff(slug: str, before: str, after: str) -> str:
    """Show what differs between two versions of a template."""
    template = queries.get_template(slug)
    old, new = queries.get_version(template, before), queries.get_version(template, after)
    return _page(
        "catalog/diff.html",
        template=template,
        old=old,
        new=new,
        comparison=comparing.compare(parsed(old), parsed(new)),
    )


def _page(name: str, **context: Any) -> str:
    return render_template(name, nav="catalog", read_at=clock.now(), **context)


@dataclass(frozen=True)
class _Launch:
    """Where the person asking may launch a version, or why nowhere: `refusal` and who can change that."""

    places: list[tuple[str, str]]
    path: str
    url: str
    refusal: str = ""
    who: str = ""


def _launch(template: Template, version: Version | None) -> _Launch:
    allowed = [(each.slug, each.stage.value) for each in launchable(me)]
    refusal, who = _why_not(template, version, bool(allowed))
    path, public = _launch_path(template, version), current_app.extensions["config"]["PUBLIC_URL"].rstrip("/")
    return _Launch(allowed, path, public + path, refusal, who)


def _why_not(template: Template, version: Version | None, has_place: bool) -> tuple[str, str]:
    if version is None:
        return f"{template.slug} has no version yet.", ""
    if not version.may_be_launched:
        return f"v{version.number} is {version.status.value.replace('_', ' ')} and takes no launches.", ""
    if not has_place:
        return "Only developers of a team launch, in environments open to it.", "Admins give roles."
    return "", ""


def _launch_path(template: Template, version: Version | None) -> str:
    """Return the address of the launch form; it names a version only when that is not the usual one."""
    path = url_for("catalog.show", slug=template.slug) + "/launch"
    return path if version is None or version.is_recommended else f"{path}?version={version.number}"
