"""CloudFormation of one account in one region."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from operator import attrgetter
from random import Random
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError

from tests.chaos.model import course, outside, refusals
from tests.chaos.model.behaviour import Behaviour, Fate, Range, draw_fate
from tests.chaos.model.client import OPERATIONS, Client
from tests.chaos.model.course import Course
from tests.chaos.model.refusals import Refusal
from tests.chaos.model.stacks import acts_of
from tests.chaos.model.state import ChangeSet, Moment, Operation, Resource, Stack
from tests.chaos.model.wire import Wire


class Call(NamedTuple):
    """One line of the call log: `happened` says whether the call changed anything, whatever its caller was told."""

    t: float
    actor: str
    operation: str
    stack_id: str
    token: str
    happened: bool
    error: str


class CloudFormation:
    """The model. One seed gives one history: neither wall clock nor hash order has a say in it.

    The world and the wire draw from generators of their own, so that a call more does not change how stacks fare.
    """

    def __init__(
        self,
        now: Callable[[], float],
        rng: Random,
        behaviour: Behaviour | None = None,
        *,
        account: str = "111122223333",
        region: str = "eu-west-1",
    ):
        self.now, self.behaviour = now, behaviour or Behaviour()
        self.account, self.region = account, region
        self.world = Random(rng.getrandbits(64))
        self.wire = Wire(self.behaviour, Random(rng.getrandbits(64)))
        self.calls: list[Call] = []
        # In the order of their making; nothing is ever taken out.
        self.stacks: list[Stack] = []
        self.ids: dict[str, Stack] = {}
        self.change_sets: dict[str, ChangeSet] = {}
        self.effects = 0
        self.at = self.started_at = now()
        self._incarnations: dict[str, list[Stack]] = {}
        self._decrees: dict[tuple[str, str], Fate] = {}
        self._due: list[tuple[float, int, Stack]] = []
        self._counter = count()
        self._calling = ""

    def client(self, actor: str = "somebody") -> Client:
        """Return a client; the log names its calls after the actor."""
        return Client(self, actor)

    def behave(self, behaviour: Behaviour) -> None:
        """Behave differently from here on; what has begun goes on as it was drawn."""
        self.behaviour = behaviour
        self.wire.change(behaviour)

    def decree(self, name: str, act: str, fate: Fate) -> None:
        """Decide what the next CREATE, UPDATE, DELETE, IMPORT or ROLLBACK of the stack of this name will meet."""
        self._decrees[name, act] = fate

    # Calls.

    def answer(
        self, actor: str, operation: str, request: Mapping[str, Any], check: Callable[[], None] = lambda: None
    ) -> Any:
        """Answer a call and write it into the log; raises a Refusal or what botocore raises for a broken connection."""
        self.settle()
        effects, error = self.effects, ""
        try:
            check()
            self.wire.there()
            try:
                return self._do(operation, request)
            finally:
                # A refusal gets lost as easily as any other answer.
                self.wire.back()
        except (Refusal, BotoCoreError) as problem:
            error = problem.code if isinstance(problem, Refusal) else type(problem).__name__
            raise
        finally:
            token = request.get("ClientRequestToken") or request.get("ClientToken") or ""
            self.log(actor, operation, self._target(request), token, self.effects != effects, error)

    def perform(self, actor: str, operation: str, request: Mapping[str, Any]) -> bool:
        """Make a call that nothing on the wire can spoil; say whether it changed anything. Raises a Refusal."""
        effects = self.effects
        self._do(operation, request)
        happened = self.effects != effects
        self.log(actor, operation, self._target(request), request.get("ClientRequestToken", ""), happened)
        return happened

    def _do(self, operation: str, request: Mapping[str, Any]) -> Any:
        self._calling = operation
        return OPERATIONS[operation](self, **request)

    def log(self, actor: str, operation: str, stack_id: str, token: str, happened: bool, error: str = "") -> None:
        self.calls.append(Call(self.at, actor, operation, stack_id, token, happened, error))

    def _target(self, request: Mapping[str, Any]) -> str:
        change_set = self.change_sets.get(request.get("ChangeSetName", ""))
        if change_set:
            return change_set.stack.id
        name = str(request.get("StackName", ""))
        stack = self.stack(name)
        return stack.id if stack else name

    def check_role(self) -> None:
        """Raise what STS says while not every part of the cloud knows a new role yet."""
        if not self.is_role_ready():
            raise Refusal("AccessDenied", "User is not authorized to perform: sts:AssumeRole on resource", 403)

    def is_role_ready(self) -> bool:
        return self.at >= self.started_at + self.behaviour.role_ready_after

    def is_repeated(self, stack: Stack, token: str, operation: str) -> bool:
        """Say whether the stack saw this token with this operation already.

        A token of another operation is refused. So is a repeated one where the behaviour says so: how long the real
        cloud answers a repeated token is not documented. Tokens count within one stack, told apart by its id.
        """
        if not token or token not in stack.tokens:
            return False
        if stack.tokens[token] != operation or self.happens(self.behaviour.refuses_tokens):
            raise refusals.token_used()
        return True

    # Time.

    def settle(self) -> None:
        """Let everything happen whose time has come."""
        self.at = self.now()
        while self._due and self._due[0][0] <= self.at:
            stack = heapq.heappop(self._due)[2]
            stack.advance(self.at)
            self._expect(stack)

    def _expect(self, stack: Stack) -> None:
        if stack.timeline:
            heapq.heappush(self._due, (stack.timeline[-1].at, next(self._counter), stack))

    def seen_at(self) -> float:
        """Return the time a reading call answers for: usually now."""
        if not self.behaviour.stale or self.wire.rng.random() >= self.behaviour.stale:
            return self.at
        return self.at - self.wire.rng.uniform(0.0, self.behaviour.stale_seconds)

    # Chance.

    def draw(self, seconds: Range) -> float:
        least, most = seconds
        return least if least == most else self.world.uniform(least, most)

    def happens(self, probability: float) -> bool:
        return probability > 0 and self.world.random() < probability

    def new_id(self) -> str:
        bits = f"{self.world.getrandbits(128):032x}"
        return "-".join((bits[:8], bits[8:12], bits[12:16], bits[16:20], bits[20:]))

    # Finding.

    def stack(self, name_or_id: str) -> Stack | None:
        """Return a stack that is not deleted."""
        known = self.ids.get(name_or_id) or next(reversed(self._incarnations.get(name_or_id, ())), None)
        return known if known and known.status != "DELETE_COMPLETE" else None

    def get_stack(self, name_or_id: str) -> Stack:
        found = self.stack(name_or_id)
        if found is None:
            raise refusals.no_stack(name_or_id)
        return found

    def stack_as_of(self, name_or_id: str, at: float) -> Stack | None:
        """Return what a reader finds who sees things as they were then: by id also a deleted stack."""
        if found := self.ids.get(name_or_id):
            return found if found.status_at(at)[0] else None
        there = (each for each in reversed(self._incarnations.get(name_or_id, ())) if _is_live(each, at))
        return next(there, None)

    def find_change_set(self, name_or_id: str, stack_name: str) -> ChangeSet:
        """Return a change set, also one that was deleted or forgotten."""
        if name_or_id.startswith("arn:"):
            found = self.change_sets.get(name_or_id)
        elif not stack_name:
            raise refusals.invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
        else:
            named = self.get_stack(stack_name).change_sets.values()
            found = next((each for each in reversed(named) if each.name == name_or_id), None)
        if found is None:
            raise refusals.no_change_set(name_or_id)
        return found

    # Making.

    def add_stack(self, name: str, tags: Mapping[str, str]) -> Stack:
        stack_id = f"arn:aws:cloudformation:{self.region}:{self.account}:stack/{name}/{self.new_id()}"
        stack = Stack(stack_id, name, self.at, tags=dict(tags))
        self.stacks.append(stack)
        self.ids[stack_id] = stack
        self._incarnations.setdefault(name, []).append(stack)
        return stack

    def add_change_set(self, change_set: ChangeSet) -> None:
        self.change_sets[change_set.id] = change_set.stack.change_sets[change_set.id] = change_set
        self.effects += 1

    def course(self, stack: Stack, act: str, ids: Sequence[str]) -> Course:
        """Return the beginning of an operation's course, with what it will meet."""
        fate = self._decrees.pop((stack.name, act), None)
        if fate is None:
            fails = getattr(self.behaviour, _FAILS.get(act, ""), 0.0)
            fate = draw_fate(self.world, fails, self.behaviour.rollback_fails, ids)
        return Course(self.at, lambda: self.draw(self.behaviour.resource_seconds), fate)

    def create(self, stack: Stack, operation: Operation) -> None:
        self._hold(stack, operation)
        ids = [change.logical_id for change in operation.changes]
        plan = self.course(stack, "CREATE", ids)
        course.create(plan, ids, stack.is_rolled_back)
        self.run(stack, operation, plan)

    def update(self, stack: Stack, operation: Operation) -> None:
        self._hold(stack, operation)
        acts = acts_of(operation)
        leaving = [change.logical_id for change in operation.changes if change.action == "Remove"]
        plan = self.course(stack, "UPDATE", [each for each, _ in acts])
        course.update(plan, acts, leaving, stack.is_rolled_back, self.draw(self.behaviour.cleanup_seconds))
        stack.updated_at = self.at
        self.run(stack, operation, plan)

    def take_in(self, stack: Stack, operation: Operation) -> None:
        self._hold(stack, operation)
        ids = [change.logical_id for change in operation.changes]
        plan = self.course(stack, "IMPORT", ids)
        course.take_in(plan, ids)
        self.run(stack, operation, plan)

    def _hold(self, stack: Stack, operation: Operation) -> None:
        for change in operation.changes:
            if change.action in ("Add", "Import"):
                new = Resource(change.logical_id, change.type, "", "", "", self.at)
                stack.resources[change.logical_id] = new

    def run(self, stack: Stack, operation: Operation, plan: Course) -> None:
        """Let the stack take this course from now on, whatever it was about to do."""
        if operation.token:
            stack.tokens[operation.token] = self._calling
        if stack.operation.change_set:
            stack.operation.change_set.end(self.at, well=False)
        stack.operation = operation
        self.plan(stack, plan.moments)
        self.effects += 1

    def plan(self, stack: Stack, moments: list[Moment]) -> None:
        """Let this happen to the stack, and begin with what is to happen now."""
        moments.sort(key=attrgetter("at"))
        stack.timeline = moments[::-1]
        stack.advance(self.at)
        self._expect(stack)

    # What happens past the portal.

    def put_stack(self, name: str, status: str, tags: Mapping[str, str] | None = None, **more: Any) -> Stack:
        """Lay a stack in this status there: see `outside.put_stack`."""
        return outside.put_stack(self, name, status, tags, **more)

    def interfere(self, name_or_id: str, what: str) -> bool:
        """Do as a person in the console: see `outside.interfere`."""
        return outside.interfere(self, name_or_id, what)


_FAILS = {"CREATE": "create_fails", "UPDATE": "update_fails", "DELETE": "delete_fails", "IMPORT": "create_fails"}


def _is_live(stack: Stack, at: float) -> bool:
    return stack.status_at(at)[0] not in ("", "DELETE_COMPLETE")
