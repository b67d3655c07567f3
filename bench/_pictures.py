"""Take the pictures of the README from a running `./slipway up`, light and dark.

`python -m bench._pictures --data DIR [--to docs/pictures]`, on an installation that holds nothing yet: dana signs in,
launches a few stacks, one of which fails, asks for a change, and watches one more come up.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext

from tests.journeys.people import sign_in
from tests.support.chromium import chromium

ROOT = Path(__file__).resolve().parents[1]
SIZE = {"width": 1440, "height": 900}
# The stack that fails does so as one of a company at its limits would.
FAULT = {
    "stack": "receipts-*",
    "type": "AWS::SQS::Queue",
    "logical_id": "Queue",
    "reason": "The maximum number of queues (100) has been reached.",
}
STANDING = (
    ("ledger-events", "event-bus", "payments-staging", "ledger"),
    ("refunds-queue", "sqs-queue", "payments-prod", "refunds"),
    ("receipts-queue", "sqs-queue", "payments-staging", "receipts"),
    ("ledger-archive", "s3-bucket", "payments-prod", "ledger"),
)
# A forecast is given once a few have gone before.
REHEARSALS = 5


class Api:
    """The JSON API as one person."""

    def __init__(self, address: str, token: str):
        self.address = address
        self.token = token

    def ask(self, path: str, document: Any = None, method: str | None = None) -> Any:
        """Send a document, or ask without one, and return the answer."""
        data = None if document is None else json.dumps(document).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/api/v1{path}", data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def launch(self, name: str, template: str, environment: str, service: str) -> tuple[str, str]:
        """Launch a stack with the template's defaults; return its id and its job's."""
        wanted = {"template": template, "environment": environment, "name": name, "service": service}
        answer = self.ask("/stacks", wanted)
        return answer["stack"]["id"], answer["job"]["id"]

    def delete(self, stack: str) -> str:
        """Ask for a stack's deletion; return the job's id."""
        return self.ask(f"/stacks/{stack}", method="DELETE")["job"]["id"]

    def wait(self, job: str) -> None:
        """Return once nothing moves the job any further by itself."""
        while self.ask(f"/jobs/{job}")["status"] in ("queued", "running"):
            time.sleep(0.5)


def main(words: list[str]) -> None:
    """Take every picture into the folder."""
    parser = argparse.ArgumentParser(description="Take the pictures of the README.")
    parser.add_argument("--data", type=Path, required=True, help="the running installation's data directory")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "pictures", help="where the pictures go")
    options = parser.parse_args(words)
    (options.data / "cloud" / "faults.yaml").write_text(json.dumps([FAULT]))
    address = f"http://localhost:{json.loads((options.data / 'ports.json').read_text())['web']}"
    with chromium() as browser:
        windows = _windows(browser, address)
        api = Api(address, _token(options.data))
        _rehearse(api)
        _fill(api)
        stack, job = api.launch("ledger-network", "private-vpc", "payments-staging", "ledger")
        time.sleep(9)
        _take(windows, f"/stacks/{stack}", options.to / "stack")
        api.wait(job)
        _take(windows, "/", options.to / "home")


def _windows(browser: Browser, address: str) -> dict[str, BrowserContext]:
    """Give a browser in daylight and one at night, dana signed in to both."""
    windows = {}
    for scheme in ("light", "dark"):
        windows[scheme] = browser.new_context(base_url=address, viewport=SIZE, color_scheme=scheme)
        sign_in(windows[scheme].new_page(), "dana")
    return windows


def _token(data: Path) -> str:
    # After the first sign-in: a token of somebody who never signed in speaks for nobody.
    words = ("token", "create", "--data", data, "--person", "dana", "--name", "pictures")
    return subprocess.run(
        [sys.executable, ROOT / "slipway", *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def _rehearse(api: Api) -> None:
    """Launch the network of the picture a few times, so that its usual pace is known, and delete all of them."""
    launched = [
        api.launch(f"rehearsal-{number}", "private-vpc", "sandbox", "ledger") for number in range(1, REHEARSALS + 1)
    ]
    for _stack, job in launched:
        api.wait(job)
    for job in [api.delete(stack) for stack, _job in launched]:
        api.wait(job)


def _fill(api: Api) -> None:
    """Have stacks that are ready, one that failed, and a plan that waits for a yes."""
    launched = {name: api.launch(name, *rest) for name, *rest in STANDING}
    for _stack, job in launched.values():
        api.wait(job)
    queue, _job = launched["refunds-queue"]
    asked = api.ask(f"/stacks/{queue}/updates", {"parameters": {"VisibilityTimeoutSeconds": 90}})
    api.wait(asked["job"]["id"])


def _take(windows: dict[str, BrowserContext], path: str, to: Path) -> None:
    for scheme, window in windows.items():
        page = window.pages[0]
        page.goto(path)
        page.wait_for_timeout(400)
        page.screenshot(path=to.with_name(f"{to.name}-{scheme}.png"))


if __name__ == "__main__":
    main(sys.argv[1:])
