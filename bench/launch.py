"""From the click to the cloud: how long after a launch is sent does its change set arrive there.

`python -m bench.launch [--rounds 60]`: with SQLite and files as `./slipway up` has them, and with PostgreSQL and a
Redis-protocol broker. A small proxy before the local cloud notes when each CreateChangeSet arrives.
"""

import argparse
import http.client
import os
import re
import socket
import threading
import time
import urllib.parse

from bench import _servers, _world
from bench._figures import emit, machine, percentile
from tests.support import processes
from tests.support.stand_ins import start_cloud

MARK = b"Action=CreateChangeSet"
PAUSE = 0.15


class Watch:
    """Forwards connections to the cloud and notes when a CreateChangeSet passes."""

    def __init__(self, target: int):
        self.target = target
        self.seen: list[float] = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._pump, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_request: bool) -> None:
        try:
            while data := source.recv(65536):
                if is_request and MARK in data:
                    self.seen.append(time.perf_counter())
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                end.close()


def measure(database: str, broker: str, rounds: int) -> None:
    with (
        _servers.scratch() as directory,
        _servers.database(database, directory) as url,
        _servers.broker(broker) as broker_url,
    ):
        cloud = start_cloud(directory / "cloud", pace=0)
        watch = Watch(cloud.port)
        try:
            config = _world.config_of(
                directory, url, CELERY_BROKER_URL=broker_url, AWS_ENDPOINT_URL=f"http://127.0.0.1:{watch.port}"
            )
            world = _world.build(config, 100)
            os.environ.update(
                AWS_ACCESS_KEY_ID="000000000000", AWS_SECRET_ACCESS_KEY="local", AWS_DEFAULT_REGION="eu-west-1"
            )
            with _servers.web(config) as (port, _), _servers.worker(config):
                time.sleep(6)
                times = [_launch(port, world, watch, number) for number in range(rounds)][5:]
        finally:
            processes.stop(cloud)
        emit(
            bench="launch", database=database, broker=broker, n=len(times),
            p50_ms=percentile(times, 50), p95_ms=percentile(times, 95),
        )  # fmt: skip


def _launch(port: int, world: _world.World, watch: Watch, number: int) -> float:
    """Send the form once and return the milliseconds until its change set arrived."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    cookie = {"Cookie": "=".join(world.cookie), "Host": "localhost"}
    connection.request("GET", "/catalog/sqs-queue/launch", headers=cookie)
    page = connection.getresponse().read().decode()
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    form = {
        "csrf_token": token.group(1) if token else "",
        "environment": "payments-staging",
        "team": "payments",
        "version": "1.1",
        "name": f"bench-{number:04}",
    }
    before, began = len(watch.seen), time.perf_counter()
    headers = {**cookie, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/catalog/sqs-queue/launch", urllib.parse.urlencode(form), headers)
    response = connection.getresponse()
    response.read()
    if response.status != 303:
        raise SystemExit(f"The launch answered {response.status}.")
    until = began + 20
    while len(watch.seen) == before and time.perf_counter() < until:
        time.sleep(0.001)
    if len(watch.seen) == before:
        raise SystemExit("No change set arrived within 20 s.")
    time.sleep(PAUSE)
    return (watch.seen[before] - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    emit(bench="launch", machine=machine())
    measure("sqlite", "files", rounds)
    measure("postgresql", "redis", rounds)


if __name__ == "__main__":
    main()
