"""The kinds of job a stack knows, made known to the engine."""

from app.jobs.flows import Flow, Step, register
from app.stacks import deleting, launching

_CHANGE = (
    Step("plan", launching.plan),
    Step("confirm", launching.confirm),
    Step("execute", launching.execute),
    Step("follow", launching.follow, handles_cancel=True),
    Step("verify", launching.verify, handles_cancel=True),
)

register(Flow("create", (Step("check", launching.check), *_CHANGE), launching.cancel, launching.ended))
register(Flow("update", (Step("check", launching.check_update), *_CHANGE), launching.cancel, launching.ended))
register(
    Flow(
        "delete",
        (
            Step("check", deleting.check),
            Step("execute", deleting.execute),
            Step("follow", deleting.follow, handles_cancel=True),
            Step("verify", deleting.verify, handles_cancel=True),
        ),
        deleting.cancel,
        deleting.ended,
    )
)
