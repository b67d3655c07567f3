"""Every table, imported in one place for migrations and for whoever needs the whole metadata."""

from app.audit import AuditEntry
from app.catalog.models import Template, Version
from app.db import Base
from app.environments.models import Account, Environment
from app.identity.models import ApiToken, Membership, Person, RoleGrant, Session, Team, Unit
from app.jobs.models import Job, JobStep, JobTally, Outbox, WorkerSeen
from app.services.models import Service
from app.stacks.models import Duration, Orphan, PlaceSeen, Plan, Resource, Stack, StackEvent, StackTally

__all__ = [
    "Account",
    "ApiToken",
    "AuditEntry",
    "Base",
    "Duration",
    "Environment",
    "Job",
    "JobStep",
    "JobTally",
    "Membership",
    "Orphan",
    "Outbox",
    "Person",
    "PlaceSeen",
    "Plan",
    "Resource",
    "RoleGrant",
    "Service",
    "Session",
    "Stack",
    "StackEvent",
    "StackTally",
    "Team",
    "Template",
    "Unit",
    "Version",
    "WorkerSeen",
]
