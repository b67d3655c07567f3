"""The patterns page: every token and component on one page, to compare by eye and to test by machine."""

from flask import Blueprint, render_template

from app import clock

bp = Blueprint("patterns", __name__)


@bp.get("/patterns")
def show() -> str:
    """Show the patterns page."""
    return render_template("patterns.html", now=clock.now())
