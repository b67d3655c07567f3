"""The course of each operation, written down in advance: what will happen when, to which resource.

Statuses and their order are those of the CloudFormation user guide ("Understand stack creation events", "Stack failure
options") and of events recorded from the real service. Every resource starts at once, so that a failure has siblings
that are cancelled because of it, as in a real stack.
"""

from collections.abc import Callable, Iterable, Sequence

from tests.chaos.model.behaviour import Fate
from tests.chaos.model.state import Moment

Acts = Sequence[tuple[str, str]]  # logical id and CREATE, UPDATE, DELETE or IMPORT
_CANCELLED = {
    "CREATE": "Resource creation cancelled",
    "UPDATE": "Resource update cancelled",
    "IMPORT": "Resource import cancelled",
}
_FAILED_TO = "The following resource(s) failed to {verb}: [{ids}]."


class Course:
    """Writes one course; `at` is how far it has come, `draw` gives the duration of an act."""

    def __init__(self, at: float, draw: Callable[[], float], fate: Fate):
        self.at, self.draw, self.fate = at, draw, fate
        self.moments: list[Moment] = []

    def turn(self, status: str, reason: str = "") -> None:
        self.moments.append(Moment(self.at, "", status, reason))

    def wait(self, seconds: float) -> None:
        self.at += seconds

    def perform(self, acts: Acts, failing: str) -> list[str]:
        """Write the acts down, all begun now; return what failed.

        Deletions go on beside one that fails; creations and updates are cancelled by it.
        """
        ends = {logical_id: self.at + self.draw() for logical_id, _ in acts}
        failed = [failing] if failing in ends else []
        cancels = bool(failed) and dict(acts)[failing] != "DELETE"
        last = ends[failing] if cancels else max(ends.values(), default=self.at)
        # The one that fails goes first, so that it also comes first among events of one time.
        for logical_id, verb in sorted(acts, key=lambda act: act[0] != failing):
            end = ends[logical_id]
            self._begin(logical_id, verb, min(end, last))
            if logical_id == failing:
                self._end(end, logical_id, f"{verb}_FAILED", self.fate.reason)
            elif end <= last:
                self._end(end, logical_id, f"{verb}_COMPLETE")
            else:
                self._end(last, logical_id, f"{verb}_FAILED", _CANCELLED[verb])
                failed.append(logical_id)
        self.at = last
        return failed

    def _begin(self, logical_id: str, verb: str, end: float) -> None:
        self.moments.append(Moment(self.at, logical_id, f"{verb}_IN_PROGRESS"))
        if verb == "CREATE":
            begun = self.at + (end - self.at) / 4
            self.moments.append(Moment(begun, logical_id, "CREATE_IN_PROGRESS", "Resource creation Initiated"))

    def _end(self, at: float, logical_id: str, status: str, reason: str = "") -> None:
        self.moments.append(Moment(at, logical_id, status, reason))


def failed_to(verb: str, ids: Iterable[str]) -> str:
    return _FAILED_TO.format(verb=verb, ids=", ".join(ids))


def create(course: Course, ids: Sequence[str], is_rolled_back: bool) -> None:
    """Create everything; a failure is rolled back, or left as it is where rollback is off."""
    course.turn("CREATE_IN_PROGRESS", "User Initiated")
    failed = course.perform([(each, "CREATE") for each in ids], course.fate.fails)
    if not failed:
        course.turn("CREATE_COMPLETE")
    elif not is_rolled_back:
        course.turn("CREATE_FAILED", failed_to("create", failed))
    else:
        course.turn("ROLLBACK_IN_PROGRESS", failed_to("create", failed) + " Rollback requested by user.")
        stuck = course.perform([(each, "DELETE") for each in ids], course.fate.rollback_fails)
        course.turn("ROLLBACK_FAILED" if stuck else "ROLLBACK_COMPLETE", failed_to("delete", stuck) if stuck else "")


def update(course: Course, acts: Acts, leaving: Sequence[str], is_rolled_back: bool, cleanup: float) -> None:
    """Change the stack, then clean up what it no longer holds."""
    course.turn("UPDATE_IN_PROGRESS", "User Initiated")
    failed = course.perform(acts, course.fate.fails)
    if not failed:
        course.turn("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        course.wait(cleanup)
        # What cannot be removed here is left behind; CloudFormation calls the update complete all the same.
        course.perform([(each, "DELETE") for each in leaving], course.fate.rollback_fails)
        course.turn("UPDATE_COMPLETE")
    elif not is_rolled_back:
        course.turn("UPDATE_FAILED", failed_to("update", failed))
    else:
        undo_update(course, acts, failed_to("update", failed), cleanup)


def undo_update(course: Course, acts: Acts, reason: str, cleanup: float) -> None:
    """Bring changed resources back, then remove what the update had added."""
    course.turn("UPDATE_ROLLBACK_IN_PROGRESS", reason)
    restored = [(each, verb) for each, verb in acts if verb == "UPDATE"]
    stuck = course.perform(restored, course.fate.rollback_fails)
    if stuck:
        course.turn("UPDATE_ROLLBACK_FAILED", failed_to("update", stuck))
        return
    course.turn("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    course.wait(cleanup)
    course.perform([(each, "DELETE") for each, verb in acts if verb == "CREATE"], "")
    course.turn("UPDATE_ROLLBACK_COMPLETE")


def cancel(course: Course, unfinished: Acts) -> None:
    """Stop what is under way, because somebody asked for it."""
    for logical_id, verb in unfinished:
        course.moments.append(Moment(course.at, logical_id, f"{verb}_FAILED", _CANCELLED[verb]))


def delete(course: Course, ids: Sequence[str], skipped: Sequence[str] = ()) -> None:
    """Delete everything but what shall be retained."""
    course.turn("DELETE_IN_PROGRESS", "User Initiated")
    course.moments += [Moment(course.at, each, "DELETE_SKIPPED") for each in skipped]
    stuck = course.perform([(each, "DELETE") for each in ids], course.fate.fails)
    if not ids:
        course.wait(course.draw() / 4)
    course.turn("DELETE_FAILED" if stuck else "DELETE_COMPLETE", failed_to("delete", stuck) if stuck else "")


def take_in(course: Course, ids: Sequence[str]) -> None:
    """Import existing resources into the stack."""
    course.turn("IMPORT_IN_PROGRESS", "User Initiated")
    failed = course.perform([(each, "IMPORT") for each in ids], course.fate.fails)
    if not failed:
        course.turn("IMPORT_COMPLETE")
        return
    course.turn("IMPORT_ROLLBACK_IN_PROGRESS", failed_to("import", failed))
    course.wait(course.draw())
    stuck = course.fate.rollback_fails
    course.turn("IMPORT_ROLLBACK_FAILED" if stuck else "IMPORT_ROLLBACK_COMPLETE", failed_to("import", failed))
