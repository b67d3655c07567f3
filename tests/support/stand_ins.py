"""The stand-ins of `local/`, as processes a test can start."""

import os
from collections.abc import Sequence
from pathlib import Path

from tests.support.processes import Process, free_port, start

ROOT = Path(__file__).resolve().parents[2]
# Secrets may begin with anything.
CLIENT_SECRET = "-a secret of the tests"


def cloud_python() -> Path:
    """The interpreter that holds MiniStack."""
    return Path(os.environ.get("SLIPWAY_CLOUD_PYTHON") or ROOT / "var/venvs/cloud/bin/python")


def idp_python() -> Path:
    """The interpreter that holds Canaille."""
    return Path(os.environ.get("SLIPWAY_IDP_PYTHON") or ROOT / "var/venvs/idp/bin/python")


def start_cloud(
    data: Path,
    *,
    pace: float = 0,
    port: int | None = None,
    faults: Path | None = None,
    organisation: Path | None = None,
) -> Process:
    """Start the local cloud, for the demo's accounts or another organisation's; without a pace nothing takes time."""
    port = port or free_port()
    command = [cloud_python(), ROOT / "local/cloud.py", "--port", str(port), "--data", data, "--pace", str(pace)]
    command += ["--faults", faults] if faults else []
    command += ["--organisation", organisation] if organisation else []
    return start(command, url=f"http://127.0.0.1:{port}", ready_path="/_slipway/ready", log=data / "log.txt")


def start_idp(data: Path, *, redirect_uris: Sequence[str], post_logout_uri: str, port: int | None = None) -> Process:
    """Start the local identity provider for a portal at these addresses."""
    port = port or free_port()
    command = [idp_python(), ROOT / "local/idp.py", "--port", str(port), "--data", data]
    command += ["--people", ROOT / "local/demo.yaml", "--post-logout-uri", post_logout_uri]
    command += ["--client-id", "slipway"]
    for uri in redirect_uris:
        command += ["--redirect-uri", uri]
    return start(
        command,
        url=f"http://localhost:{port}",
        ready_path="/.well-known/openid-configuration",
        log=data / "log.txt",
        env={"OIDC_CLIENT_SECRET": CLIENT_SECRET},
    )
