"""Clients for a place (account, role, region), made through the assumed role and kept while its credentials live."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.session
from botocore.config import Config as BotoConfig
from flask import current_app

from app.aws.errors import translated

# A role's session lasts an hour; a client is dropped well before.
KEEP_SECONDS = 45 * 60
MOST_CLIENTS = 256


@dataclass(frozen=True)
class Place:
    """Where to act: an account's role in a region."""

    account: str
    role_arn: str
    region: str


class Clients:
    """A small cache of boto3 clients. boto3 clients may be shared between threads; making them may not."""

    def __init__(self, endpoint_url: str, external_id: str):
        self.endpoint_url = endpoint_url or None
        self.external_id = external_id
        self._lock = threading.Lock()
        self._kept: dict[tuple[Any, ...], tuple[float, Any]] = {}
        self._credentials: dict[tuple[Place, str], tuple[float, dict[str, str]]] = {}
        self._core = botocore.session.get_session()

    def get(self, service: str, place: Place, session_name: str, *, quick: bool = False) -> Any:
        """Return a client acting in the place under the session name. `quick`: for somebody waiting at a page."""
        key = (service, place, session_name, quick)
        with self._lock:
            made_at, client = self._kept.get(key, (0.0, None))
            if client is None or time.monotonic() - made_at > KEEP_SECONDS:
                client = self._make(service, place, session_name, quick)
                while len(self._kept) >= MOST_CLIENTS:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key] = (time.monotonic(), client)
        return client

    def _make(self, service: str, place: Place, session_name: str, quick: bool) -> Any:
        session = boto3.Session(
            botocore_session=self._core, region_name=place.region, **self._assume(place, session_name, quick)
        )
        return session.client(service, endpoint_url=self.endpoint_url, config=_boto_config(quick))

    def _assume(self, place: Place, session_name: str, quick: bool) -> dict[str, str]:
        made_at, credentials = self._credentials.get((place, session_name), (0.0, {}))
        if credentials and time.monotonic() - made_at <= KEEP_SECONDS:
            return credentials
        sts = boto3.Session(botocore_session=self._core, region_name=place.region).client(
            "sts", endpoint_url=self.endpoint_url, config=_boto_config(quick)
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
        while len(self._credentials) >= MOST_CLIENTS:
            self._credentials.pop(next(iter(self._credentials)))
        self._credentials[place, session_name] = (time.monotonic(), credentials)
        return credentials


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
    app.extensions["aws"] = Clients(config["AWS_ENDPOINT_URL"], config["AWS_EXTERNAL_ID"])


def client(service: str, place: Place, session_name: str, *, quick: bool = False) -> Any:
    """Return the application's client for a service in a place."""
    return current_app.extensions["aws"].get(service, place, session_name, quick=quick)
