"""The local cloud: MiniStack on loopback, paced, with faults on request and every published resource type.

    python local/cloud.py --port 4566 --data var/cloud [--pace SECONDS] [--faults FILE]

`GET /_slipway/ready` answers 200 once it can be used. All state lies under the data directory.
"""

import argparse
import asyncio
import logging
import os
import socket
import sys
from importlib.metadata import version
from pathlib import Path

import yaml

MINISTACK = "1.5.33"
HERE = Path(__file__).resolve().parent


def main() -> None:
    """Serve until told to stop; state is kept under the data directory."""
    options = parse_options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("slipway.local").setLevel(logging.INFO)
    check_machine(options.port)
    set_environment(options.port, options.data.resolve())
    serve(options)
    # Threads that still wait for something would hold the exit up, and what they do no longer matters.
    logging.shutdown()
    os._exit(0)


def parse_options() -> argparse.Namespace:
    """The command line, with a sentence for what cannot be used."""
    parser = argparse.ArgumentParser(description="A cloud on this machine, for trying Slipway out.")
    parser.add_argument("--port", type=int, required=True, help="port on loopback")
    parser.add_argument("--data", type=Path, required=True, help="directory for all state")
    parser.add_argument("--pace", type=float, default=1.0, help="seconds an ordinary resource takes (default 1)")
    parser.add_argument("--faults", type=Path, help="fault rules (default: faults.yaml in the data directory)")
    parser.add_argument("--organisation", type=Path, default=HERE / "demo.yaml", help="accounts and regions to seed")
    options = parser.parse_args()
    if options.pace < 0:
        parser.error("--pace cannot be negative.")
    if not options.organisation.is_file():
        parser.error(f"--organisation: there is no file {options.organisation}.")
    return options


def check_machine(port: int) -> None:
    """Stop with one sentence where the local cloud could not work."""
    if version("ministack") != MINISTACK:
        sys.exit(f"The local cloud needs MiniStack {MINISTACK}; this environment holds {version('ministack')}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            sys.exit(f"Port {port} cannot be used for the local cloud: {problem.strerror}.")


def set_environment(port: int, data: Path) -> None:
    """Tell MiniStack where it is and what it must not do. It reads this while it is imported."""
    try:
        for part in ("s3", "tmp"):
            (data / part).mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        sys.exit(f"The data directory {data} cannot be used: {problem.strerror}.")
    os.environ.update(
        {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(data / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(data / "s3"),
            "TMPDIR": str(data / "tmp"),
            # Code that a template brings along needs a container, and there is no way to get one.
            "LAMBDA_EXECUTOR": "docker",
            "LAMBDA_STRICT": "1",
            "DOCKER_HOST": f"unix://{data}/no-docker-here",
            # Listeners of their own, which nothing here uses.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
    )


def serve(options: argparse.Namespace) -> None:
    """Turn MiniStack into the local cloud and run it."""
    # Imported only now: MiniStack reads its settings at import.
    from localcloud import contract, server
    from localcloud.change_sets import correct_change_sets
    from localcloud.confinement import confine
    from localcloud.events import correct_events
    from localcloud.faults import Faults
    from localcloud.lifecycle import watch_over_resources
    from localcloud.published_types import published_types
    from localcloud.registry import register_types
    from localcloud.resume import remember_operations
    from localcloud.saving import save_instead_of_ministack
    from localcloud.seed import seed_organisation
    from localcloud.template_rules import correct_template_rules
    from localcloud.zones import correct_zones

    if missing := contract.missing_names():
        sys.exit(f"MiniStack has changed under the local cloud; it lacks {', '.join(missing)}.")
    register_types(published_types(options.data))
    correct_template_rules()
    correct_change_sets()
    correct_zones()
    correct_events()
    remember_operations()
    save_instead_of_ministack()
    watch_over_resources(options.pace, Faults(options.faults or options.data / "faults.yaml"))
    confine()
    accounts = yaml.safe_load(options.organisation.read_text())["accounts"]
    asyncio.run(server.run(options.port, lambda port: seed_organisation(accounts, port)))


if __name__ == "__main__":
    main()
