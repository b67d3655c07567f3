"""`./slipway cloud`: point the aws command at the local cloud."""

from pathlib import Path

from command import environment
from command.installation import known_ports
from command.problems import Refused
from command.processes import leftovers

# The account most of the demo's environments lie in; the number is the access key.
ACCOUNT = "111122223333"


def cloud(words: list[str], data: Path) -> int:
    """Print the export lines, for `eval "$(./slipway cloud)"`."""
    if words:
        raise Refused(f"./slipway cloud takes no {words[0]}.", 2)
    ports = known_ports(data)
    if "cloud" not in leftovers(data):
        raise Refused(f"The local cloud of {data} is not running. Start it with: ./slipway up")
    for name, value in (environment.towards_the_cloud(ports) | {"AWS_ACCESS_KEY_ID": ACCOUNT}).items():
        print(f"export {name}={value}")
    return 0
