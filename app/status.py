"""Every status a page can show: its word, icon and tone, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """How a status looks. Filled shapes are for final states, outlines for what moves or waits."""

    word: str
    icon: str
    tone: str | None = None
    filled: bool = False
    spin: bool = False


def _moving(word: str) -> Look:
    return Look(word, "loader-2", "move", spin=True)


def _good(word: str) -> Look:
    return Look(word, "circle-check", "ok", filled=True)


def _bad(word: str) -> Look:
    return Look(word, "circle-x", "bad", filled=True)


_STACKS = {
    "creating": _moving("Creating"),
    "updating": _moving("Updating"),
    "deleting": _moving("Deleting"),
    "rolling_back": _moving("Rolling back"),
    "ready": _good("Ready"),
    "tainted": Look("Tainted", "alert-triangle", "warn", filled=True),
    "degraded": Look("Degraded", "alert-octagon", "bad", filled=True),
    "failed": _bad("Failed"),
    "delete_failed": _bad("Delete failed"),
    "lost": Look("Lost", "unlink", "bad"),
    "deleted": Look("Deleted", "trash"),
    "suspended": Look("Suspended", "player-pause"),
}
_JOBS = {
    "waiting": Look("Waiting for approval", "user-question", "special"),
    "queued": Look("Queued", "clock"),
    "running": _moving("Running"),
    "succeeded": _good("Succeeded"),
    "cancelled": Look("Cancelled", "ban"),
    "needs_attention": Look("Needs attention", "alert-octagon", "bad", filled=True),
}
_STEPS = {
    "to_come": Look("To come", "circle"),
    "active": _moving("Under way"),
    "done": _good("Done"),
    "skipped": Look("Not needed", "minus"),
}
_CONDITIONS = {
    "yes": _good("Yes"),
    "in_sync": _good("In sync"),
    "drifted": Look("Drifted", "git-compare", "warn"),
    "expiring": Look("Expiring", "hourglass-low", "warn"),
    "behind": Look("Behind", "versions", "warn"),
    "below_standard": Look("Below standard", "shield-x", "warn"),
    "partly_checked": Look("Partly checked", "circle-half-2", "unknown"),
    "stale": Look("Stale", "clock-question", "unknown"),
    "unknown": Look("Unknown", "help-circle", "unknown"),
    "never": Look("Never", "minus"),
}
_RESULTS = {
    "pass": _good("Pass"),
    "fail": _bad("Fail"),
    "warn": Look("Warn", "alert-triangle", "warn", filled=True),
    "error": Look("Error", "bug", "bad"),
    "no_data": Look("No data", "circle-dashed", "unknown"),
    "not_applicable": Look("Not applicable", "minus"),
    "waived": Look("Waived", "shield-half", "special"),
}
_VERSIONS = {
    "draft": Look("Draft", "pencil"),
    "in_review": Look("In review", "eye", "special"),
    "published": _good("Published"),
    "deprecated": Look("Deprecated", "clock-stop", "warn"),
    "retired": Look("Retired", "archive"),
}
_PEOPLE = {
    "invited": Look("Invited", "mail"),
    "deactivated": Look("Deactivated", "ban"),
}
_PLANS = {
    "approved": _good("Approved"),
    "rejected": Look("Rejected", "circle-x", "bad"),
    "outdated": Look("Outdated", "clock-question", "unknown"),
}
# What CloudFormation says of one resource, as received. Its DELETE_FAILED reads like ours of a stack, above.
_RESOURCES = {
    "create_in_progress": _moving("Creating"),
    "create_complete": _good("Ready"),
    "create_failed": _bad("Failed"),
    "update_in_progress": _moving("Updating"),
    "update_complete": _good("Ready"),
    "update_failed": _bad("Update failed"),
    "delete_in_progress": _moving("Deleting"),
    "delete_complete": Look("Removed", "trash"),
    "delete_skipped": Look("Kept", "lock"),
    "import_in_progress": _moving("Importing"),
    "import_complete": _good("Ready"),
    "import_failed": _bad("Import failed"),
    "import_rollback_in_progress": _moving("Undoing the import"),
    "import_rollback_complete": Look("Import undone", "arrow-back-up", "warn"),
    "import_rollback_failed": _bad("Undoing failed"),
    "rollback_in_progress": _moving("Undoing"),
    "rollback_complete": Look("Undone", "arrow-back-up", "warn"),
    "rollback_failed": _bad("Undoing failed"),
    "update_rollback_in_progress": _moving("Undoing the update"),
    "update_rollback_complete": Look("Update undone", "arrow-back-up", "warn"),
    "update_rollback_failed": _bad("Undoing failed"),
}

STATUS = _STACKS | _JOBS | _STEPS | _CONDITIONS | _RESULTS | _VERSIONS | _PEOPLE | _PLANS | _RESOURCES


def look(status: str) -> Look:
    """Return how a status looks; one we do not know keeps its own word and says by its icon that we do not know it."""
    key = str(status).lower()
    return STATUS.get(key) or Look(key.replace("_", " ").capitalize() or "Unknown", "help-circle", "unknown")
