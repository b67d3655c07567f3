"""Many accounts and regions behind one door, each with a CloudFormation of its own, and STS to get in."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from threading import Lock
from typing import Any

from tests.chaos.model.behaviour import Behaviour
from tests.chaos.model.client import OPERATIONS
from tests.chaos.model.cloud import Call, CloudFormation
from tests.chaos.model.refusals import Refusal

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
_HOUR = 3600.0


@dataclass(frozen=True)
class Caller:
    """Who signed a request, as its Authorization header says. Signatures are not checked."""

    key: str
    region: str
    service: str

    @classmethod
    def of(cls, authorization: str) -> "Caller":
        found = _CREDENTIAL.search(authorization)
        if found is None:
            raise Refusal("MissingAuthenticationToken", "The request is not signed.", 403)
        return cls(*found.groups())


@dataclass(frozen=True)
class Session:
    """An assumed role: whose account, under which session name, until when."""

    account: str
    name: str
    expires_at: float


class Accounts:
    """Answers calls for all of them, one at a time."""

    def __init__(self, now: Callable[[], float], seed: int, behaviour: Behaviour | None = None):
        self.now, self.seed, self.behaviour = now, seed, behaviour or Behaviour()
        self.places: dict[tuple[str, str], CloudFormation] = {}
        self.sessions: dict[str, Session] = {}
        self.started_at = now()
        self._lock = Lock()

    def place(self, account: str, region: str) -> CloudFormation:
        """Return the CloudFormation of an account's region."""
        if (account, region) not in self.places:
            rng = Random(f"{self.seed}/{account}/{region}")
            made = CloudFormation(self.now, rng, self.behaviour, account=account, region=region)
            self.places[account, region] = made
        return self.places[account, region]

    def behave(self, behaviour: Behaviour) -> None:
        with self._lock:
            self.behaviour = behaviour
            for place in self.places.values():
                place.behave(behaviour)

    def put_stack(self, account: str, region: str, **row: Any) -> str:
        """Lay a stack there; return its id."""
        with self._lock:
            return self.place(account, region).put_stack(**row).id

    def calls(self) -> list[Call]:
        """Return the call logs of all places as one, in the order of time."""
        with self._lock:
            return sorted(call for place in self.places.values() for call in place.calls)

    def answer(self, caller: Caller, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a call; raises a Refusal or what botocore raises for a broken connection."""
        with self._lock:
            if caller.service == "sts" and operation == "AssumeRole":
                return self._assume_role(**request)
            if caller.service != "cloudformation" or operation not in OPERATIONS:
                raise Refusal("InvalidAction", f"Could not find operation {operation}")
            # Keys that were never given out belong to the account they are called after.
            session = self.sessions.get(caller.key) or Session(caller.key, caller.key, float("inf"))
            place = self.place(session.account, caller.region)
            found: dict[str, Any] = place.answer(session.name, operation, request, lambda: self._check(session))
            return found

    def _check(self, session: Session) -> None:
        if session.expires_at <= self.now():
            raise Refusal("ExpiredToken", "The security token included in the request is expired", 403)

    def _assume_role(self, RoleArn: str, RoleSessionName: str, **_ignored: Any) -> dict[str, Any]:
        if self.now() < self.started_at + self.behaviour.role_ready_after:
            raise Refusal("AccessDenied", f"User is not authorized to perform: sts:AssumeRole on {RoleArn}", 403)
        lives = min(self.behaviour.credentials_seconds, _HOUR)
        key = f"ASIA{len(self.sessions):016d}"
        session = Session(RoleArn.split(":")[4], RoleSessionName, self.now() + lives)
        self.sessions[key] = session
        # What is told is always an hour: a client that learns of the end beforehand would never meet ExpiredToken.
        told = datetime.fromtimestamp(self.now() + _HOUR, UTC)
        credentials = {"AccessKeyId": key, "SecretAccessKey": "any", "SessionToken": key, "Expiration": told}
        user = {"AssumedRoleId": f"AROA:{RoleSessionName}", "Arn": f"{RoleArn}/{RoleSessionName}"}
        return {"Credentials": credentials, "AssumedRoleUser": user}
