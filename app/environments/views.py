"""Pages of the places stacks go: each with what needs somebody there, worst first."""

from flask import Blueprint, render_template, request

from app import clock
from app.environments import queries
from app.environments.board import row_of, rows_of
from app.identity import policy
from app.identity.current import me
from app.stacks import tallies
from app.stacks.attention import needing_someone, observed_by_environment
from app.stacks.models import Stack

bp = Blueprint("environments", __name__)

PAGE = 40


@bp.get("/environments")
def index() -> str:
    """Show every environment with its stacks by status, the one that needs somebody most first."""
    number = page_number(request.args.get("page"))
    total = queries.count_environments()
    ids = tallies.worst_environments(PAGE, (number - 1) * PAGE, total)
    rows = rows_of(
        queries.environments_with(ids),
        tallies.counts_by_environment(ids),
        observed_by_environment(ids) if ids else {},
    )
    return render_template(
        "environments/index.html",
        nav="environments",
        read_at=clock.now(),
        rows=rows,
        total=total,
        stacks=tallies.live_stacks(),
        first=(number - 1) * PAGE + 1,
        number=number,
        size=PAGE,
    )


def page_number(text: str | None) -> int:
    """Return the page asked for, counted from one; whatever is no number means the first."""
    return int(text) if text and text.isdigit() and 0 < len(text) < 6 and int(text) else 1


@bp.get("/environments/<slug>")
def show(slug: str) -> str:
    """Show one environment: where it is, who owns it, and the stacks there that need somebody."""
    environment = queries.get_environment(slug)
    counts = tallies.counts_of_environment(environment.id)
    observed_at = observed_by_environment([environment.id]).get(environment.id)
    return render_template(
        "environments/show.html",
        nav="environments",
        read_at=clock.now(),
        environment=environment,
        row=row_of(environment, counts, observed_at),
        needing=[(stack, _reason(stack)) for stack in needing_someone(environment.id)],
        launch=policy.may_launch(me, environment),
    )


def _reason(stack: Stack) -> str:
    """Say why a stack needs somebody. Reasons may quote answers, so only who may read those reads them."""
    known = stack.status_reason if policy.may_read_details(me, stack) else ""
    return known or f"{stack.template.slug} v{stack.version.number}"
