"""The catalog's pages: the list, a template, what differs between two of its versions."""

from flask import Blueprint, render_template, request

from app import clock
from app.catalog import listing, queries
from app.identity.current import me
from app.jobs import history
from app.stacks import paces, tallies

bp = Blueprint("catalog", __name__)

FACETS = ("category", "owner", "state", "used")


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
    return render_template(
        "catalog/index.html", nav="catalog", read_at=clock.now(), listing=shown, search=search, keep=keep
    )
