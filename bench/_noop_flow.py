"""A kind of job that does nothing."""

from app.jobs.flows import Cancelled, Done, Flow, Step

KIND = "noop"
FLOW = Flow(KIND, (Step("nothing", lambda run: Done()),), lambda run: Cancelled())
