"""The start page and search."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from app import clock
from app.home import queries
from app.identity.current import me
from app.stacks.job_lists import newest_jobs

bp = Blueprint("home", __name__)


@bp.get("/")
def index() -> str:
    teams = queries.teams_of_home(me)
    now = clock.now()
    return render_template(
        "home/index.html",
        nav="home",
        today=f"{now:%A}, {now.day} {now:%B}",
        teams=teams,
        needs=queries.needs(teams),
        page=queries.stacks_of(teams),
        jobs=newest_jobs(teams, queries.MOST_JOBS),
        read_at=now,
    )


@bp.get("/search")
def search() -> str | Response:
    """Show what matches; an id that names exactly one thing leads straight to it."""
    words = request.args.get("q", "").strip()
    found = queries.search(words)
    if len(found) == 1 and words.startswith(("stk_", "job_", "arn:")):
        return redirect(found[0].href, 303)
    return render_template("home/search.html", nav="", words=words, found=found, read_at=clock.now())
