"""Pages of the places stacks go."""

from flask import Blueprint

bp = Blueprint("environments", __name__)
