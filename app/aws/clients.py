"""Clients for a place (account, role, region), made through the assumed role and kept while its credentials live."""

import math
import threading
import time
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import boto3
import botocore.session
from botocore.config import Config as BotoConfig
from flask import current_app

from app.aws.calls import noted
from app.aws.errors import EXPIRED, translated
from app.aws.pace import Paces

# A role's session lasts an hour; a client is dropped well before.
KEEP_SECONDS = 45 * 60
MOST_CLIENTS = 256

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Place:
    """Where to act: an account's role in a region."""

    account: str
    role_arn: str
    region: str


class _Kept(Generic[Key, Value]):
    """What was made lately, by key: so many at most, the oldest dropped first, none kept for too long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[Key, tuple[float, Value]] = {}

    def get(self, key: Key) -> Value | None:
        with self._lock:
            made_at, value = self._made.get(key, (0.0, None))
        return value if time.monotonic() - made_at <= KEEP_SECONDS else None

    def put(self, key: Key, value: Value) -> Value:
        with self._lock:
            self._made.pop(key, None)
            while len(self._made) >= MOST_CLIENTS:
                self._made.pop(next(iter(self._made)))
            self._made[key] = (time.monotonic(), value)
        return value

    def drop(self, which: Any) -> None:
        """Forget every key for which `which(key)` is true."""
        with self._lock:
            for key in [key for key in self._made if which(key)]:
                del self._made[key]

    def __len__(self) -> int:
        return len(self._made)


class Clients:
    """A small cache of boto3 clients. boto3 clients may be shared between threads; making them may not.

    The lock for making is never held while STS is asked: a slow account must not stop work in the others.
    """

    def __init__(self, endpoint_url: str, external_id: str, calls_per_second: float = 0):
        self.paces = Paces(calls_per_second)
        self.endpoint_url = endpoint_url or None
        self.external_id = external_id
        self._making = threading.Lock()
        self._clients: _Kept[tuple[str, Place, str, bool], Any] = _Kept()
        # STS with the portal's own credentials, through which every role is assumed.
        self._doors: _Kept[tuple[str, bool], Any] = _Kept()
        self._credentials: _Kept[tuple[Place, str], dict[str, str]] = _Kept()
        self._core = botocore.session.get_session()

    def get(self, service: str, place: Place, session_name: str, *, quick: bool = False) -> Any:
        """Return a client acting in the place under the session name. `quick`: for somebody waiting at a page."""
        key = (service, place, session_name, quick)
        kept = self._clients.get(key)
        if kept is not None:
            return kept
        client = self._make(service, place.region, quick, **self._assume(place, session_name, quick))
        client.meta.events.register("after-call", self._forget_when_expired(place, session_name))
        if service == "cloudformation":
            self.paces.govern(client, place.account, place.region)
        return self._clients.put(key, client)

    def _make(self, service: str, region: str, quick: bool, **credentials: str) -> Any:
        with self._making:
            session = boto3.Session(botocore_session=self._core, region_name=region, **credentials)
            return noted(session.client(service, endpoint_url=self.endpoint_url, config=_boto_config(quick)))

    def _assume(self, place: Place, session_name: str, quick: bool) -> dict[str, str]:
        kept = self._credentials.get((place, session_name))
        if kept is not None:
            return kept
        sts = self._doors.get((place.region, quick)) or self._doors.put(
            (place.region, quick), self._make("sts", place.region, quick)
        )
        request = {"RoleArn": place.role_arn, "RoleSessionName": session_name[:64]}
        if self.external_id:
            request["ExternalId"] = self.external_id
        with translated():
            given = sts.assume_role(**request)["Credentials"]
        credentials = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
        return self._credentials.put((place, session_name), credentials)

    def _forget_when_expired(self, place: Place, session_name: str) -> Any:
        """Return a hook that forgets these credentials, and every client with them, once AWS refuses them."""

        def forget(parsed: Any, **kwargs: Any) -> None:
            if parsed.get("Error", {}).get("Code") in EXPIRED:
                self._credentials.drop(lambda key: key == (place, session_name))
                self._clients.drop(lambda key: key[1:3] == (place, session_name))

        return forget


def _boto_config(quick: bool) -> BotoConfig:
    # "standard" retries time-outs and throttling with jitter; the default mode does not retry a request time-out.
    return BotoConfig(
        retries={"mode": "standard", "max_attempts": 2 if quick else 4},
        connect_timeout=2 if quick else 5,
        read_timeout=3 if quick else 20,
        max_pool_connections=20,
        user_agent_extra="slipway",
    )


def init_app(app: Any, config: Any) -> None:
    app.extensions["aws"] = Clients(config["AWS_ENDPOINT_URL"], config["AWS_EXTERNAL_ID"], _calls_per_second(config))


def _calls_per_second(config: Any) -> float:
    rate: float = config.number("AWS_CALLS_PER_SECOND")
    if not 0 <= rate < math.inf:
        raise SystemExit(f"AWS_CALLS_PER_SECOND must be 0 or more, not {config['AWS_CALLS_PER_SECOND']!r}.")
    return rate


def client(service: str, place: Place, session_name: str, *, quick: bool = False) -> Any:
    """Return the application's client for a service in a place."""
    return current_app.extensions["aws"].get(service, place, session_name, quick=quick)
