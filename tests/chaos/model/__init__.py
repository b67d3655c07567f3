"""CloudFormation in memory: as the documents describe it, misbehaving by seed, and counting every call.

The local stand-ins know no idempotency tokens, no stale reads and few failures, so what the portal promises about
those is proved here. Nothing waits and nothing runs beside it: what has happened by now follows from `now()` when
somebody asks.

What it does not know: conditions and dependencies of a template (every resource starts at once), nested stacks,
drift, stack policies, quotas.
"""

from tests.chaos.model.behaviour import Behaviour, Fate
from tests.chaos.model.cloud import CloudFormation

__all__ = ["Behaviour", "CloudFormation", "Fate"]
