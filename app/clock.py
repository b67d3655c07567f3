"""The one place that says what time it is."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return this process's wall clock, aware and in UTC. Leases use the database's clock instead (`db.now`)."""
    return datetime.now(UTC)
