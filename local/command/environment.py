"""The settings of the programs `up` starts: the installation's own, and nothing of the caller's shell but a few."""

import os
from pathlib import Path

from command.installation import Ports, read_secrets

# How the machine is set up; no addresses, credentials or keys, which could lead elsewhere.
FROM_THE_SHELL = ("HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
# Settings that tune without saying where anything is (app/config.py lists what they mean).
TUNING = (
    "AWS_CALLS_PER_SECOND",
    "FOLLOW_SECONDS",
    "JOB_HOURS",
    "LEASE_SECONDS",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "LOOKUP_SECONDS",
    "SESSION_HOURS",
    "SESSION_IDLE_MINUTES",
    "TICK_SECONDS",
    "WEB_PROCESSES",
    "WEB_THREADS",
    "WORKER_THREADS",
)
# The local cloud belongs to nobody else, so nothing has to be left for others.
UNLIMITED = {"AWS_CALLS_PER_SECOND": "0"}
BASE = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}


def bare() -> dict[str, str]:
    """Return what any program of ours needs to run."""
    return BASE | _of_the_shell(FROM_THE_SHELL)


def of_the_portal(data: Path, ports: Ports) -> dict[str, str]:
    """Return the settings of the web server, the worker and the portal's own commands."""
    return (
        bare()
        | UNLIMITED
        | _of_the_shell(TUNING)
        | read_secrets(data)
        | towards_the_cloud(ports)
        | _portal(data, ports)
    )


def towards_the_cloud(ports: Ports) -> dict[str, str]:
    """Return what points an AWS client at the local cloud and nowhere else."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports.cloud}",
        # The local cloud takes a twelve-digit access key for the account's number.
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


def _portal(data: Path, ports: Ports) -> dict[str, str]:
    return {
        "SLIPWAY_DATA": str(data),
        "PUBLIC_URL": f"http://localhost:{ports.web}",
        "OIDC_ISSUER": f"http://localhost:{ports.idp}",
        "OIDC_CLIENT_ID": "slipway",
        "OIDC_NAME": "Seabright",
        # A profile or a role of the machine must not be found by accident.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _of_the_shell(names: tuple[str, ...]) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}
