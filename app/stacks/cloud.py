"""A stack's place in the cloud, and what the portal writes on everything it creates there."""

from typing import Any

from app import db
from app.aws.clients import Place, client
from app.cloudformation.inputs import pseudo_parameters
from app.environments.models import Environment
from app.identity.models import Person
from app.jobs.models import Job
from app.stacks.case import token
from app.stacks.models import Stack


def place_of(environment: Environment) -> Place:
    """Return where stacks of an environment live."""
    return Place(environment.account.number, environment.account.role_arn, environment.region)


def place_name(account: str, region: str) -> str:
    """Return what a place is called among those that watch it."""
    return f"{account}/{region}"


def cloudformation(stack: Stack, job: Job) -> Any:
    """Return a CloudFormation client acting as the launch role; the session's name says for whom and which job.

    Ends the transaction: assuming the role, and whatever is asked next, happens outside.
    """
    place, name = place_of(stack.environment), session_name(job.requested_by, job.ref)
    db.release()
    return client("cloudformation", place, name)


def session_name(person: Person, purpose: str) -> str:
    """Return a role session name: who and what for, in the characters STS permits."""
    name = "".join(letter if letter.isalnum() or letter in "=,.@-" else "-" for letter in person.username)
    return f"{name[:40]}-{purpose.replace('_', '-')}"


def pseudo(stack: Stack) -> dict[str, str]:
    """Return the pseudo parameters CloudFormation sets for the stack."""
    return pseudo_parameters(stack.environment.region, stack.environment.account.number, stack.cloud_name)


def tags(stack: Stack) -> dict[str, str]:
    """Return the stack's tags, which CloudFormation hands on to the resources: slugs, never a person's data."""
    found = {
        "owner": stack.team.slug,
        "environment": stack.environment.slug,
        "service": stack.service.slug if stack.service else "",
        "cost-center": stack.team.cost_center,
        "slipway:stack": stack.ref,
        "slipway:template": stack.template.slug,
    }
    return {key: value for key, value in found.items() if value}


def change_set_name(job: Job) -> str:
    """Return the name of a job's change set, which is the token of its request too."""
    return token(job.ref, "plan", job.payload.get("generation", 1))
