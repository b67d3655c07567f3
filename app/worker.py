"""Entry point of the worker: `celery -A app.worker worker --pool threads`."""

from app.jobs.worker import start_with
from app.web import create_app

flask_app = create_app()
celery = flask_app.extensions["celery"]
start_with(celery, flask_app)
