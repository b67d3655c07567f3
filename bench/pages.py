"""Latency of every page at 100, 10,000 and 100,000 stacks: one client, then sixteen.

`python -m bench.pages [--stacks 100 10000 100000] [--database sqlite postgresql]`
"""

import argparse
import http.client
import itertools
import multiprocessing
import random
import time
from collections.abc import Callable

from sqlalchemy import update

from app import db
from app.stacks.lifecycle import RANK, StackStatus
from app.stacks.models import Stack
from bench import _servers, _world
from bench._figures import emit, machine, percentile

ROUNDS = 40
CLIENTS = 16
SECONDS = 8.0


def pages(world: _world.World) -> dict[str, str]:
    """Return the pages people open, by name."""
    return {
        "home": "/",
        "catalog": "/catalog",
        "catalog search": "/catalog?q=queue",
        "template": "/catalog/sqs-queue",
        "stacks, all": "/stacks",
        "stacks, mine": f"/stacks?team={world.busy_team}",
        "stacks, in trouble": "/stacks?status=trouble",
        "stacks, search": "/stacks?q=service-99",
        "stack": f"/stacks/{world.a_stack}",
        "stack, answers": f"/stacks/{world.a_stack}?tab=answers",
        "jobs": "/jobs",
        "job": f"/jobs/{world.a_job}",
        "environments": "/environments",
        "environment": "/environments/payments-prod",
        "search": "/search?q=service-77",
        "account": "/account",
    }


def fetch(connection: http.client.HTTPConnection, path: str, cookie: str) -> tuple[float, int]:
    """Return how long one answer took, in milliseconds, and its status."""
    began = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookie, "Accept-Encoding": "identity"})
    response = connection.getresponse()
    response.read()
    return (time.perf_counter() - began) * 1000, response.status


# Pages whose sums are remembered until a stack changes.
COUNTED = ("home", "catalog", "template", "stacks, all", "stacks, mine", "environments")


def one_client(port: int, path: str, cookie: str, before: Callable[[], None] = lambda: None) -> list[float]:
    """Return the times of one client that asks again and again, after a warm-up; `before` each of them is not timed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times = []
    for number in range(ROUNDS + 6):
        before()
        took, status = fetch(connection, path, cookie)
        if status != 200:
            raise SystemExit(f"{path} answered {status}.")
        if number >= 6:
            times.append(took)
    return times


def _client(
    port: int, paths: list[str], cookie: str, seed: int, seconds: float, results: "multiprocessing.Queue"
) -> None:
    rng, connection = random.Random(seed), http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    until, times = time.monotonic() + seconds, []
    while time.monotonic() < until:
        times.append(fetch(connection, rng.choice(paths), cookie)[0])
    results.put(times)


def many_clients(port: int, paths: list[str], cookie: str) -> list[float]:
    """Return the times of sixteen clients that open pages at random for some seconds."""
    results: multiprocessing.Queue = multiprocessing.Queue()
    clients = [
        multiprocessing.Process(target=_client, args=(port, paths, cookie, seed, SECONDS, results))
        for seed in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    times = [took for _ in clients for took in results.get()]
    for client in clients:
        client.join()
    return times


def _change_of(world: _world.World) -> Callable[[], None]:
    """Return what changes one stack to and fro, so that the next page has to count anew."""
    engine = db.connect(world.config.database_url)
    statuses = itertools.cycle([StackStatus.TAINTED, StackStatus.READY])

    def change() -> None:
        status = next(statuses)
        with engine.begin() as connection:
            changed = update(Stack).where(Stack.ref == world.a_stack)
            connection.execute(changed.values(status=status, rank=RANK[status]))

    return change


def measure(kind: str, stacks: int) -> None:
    with _servers.scratch() as directory, _servers.database(kind, directory) as url:
        began = time.monotonic()
        world = _world.build(_world.config_of(directory, url), stacks)
        emit(bench="pages", step="filled", database=kind, stacks=stacks, seconds=round(time.monotonic() - began, 1))
        cookie = "=".join(world.cookie)
        with _servers.web(world.config) as (port, _):
            paths = pages(world)
            for name, path in paths.items():
                times = one_client(port, path, cookie)
                emit(
                    bench="pages", database=kind, stacks=stacks, page=name, clients=1,
                    p50_ms=percentile(times, 50), p95_ms=percentile(times, 95), n=len(times),
                )  # fmt: skip
            for name in COUNTED:
                times = one_client(port, paths[name], cookie, _change_of(world))
                emit(
                    bench="pages", database=kind, stacks=stacks, page=name, clients=1, after="a change",
                    p50_ms=percentile(times, 50), p95_ms=percentile(times, 95), n=len(times),
                )  # fmt: skip
            times = many_clients(port, list(paths.values()), cookie)
            emit(
                bench="pages", database=kind, stacks=stacks, page="all, mixed", clients=CLIENTS,
                p50_ms=percentile(times, 50), p95_ms=percentile(times, 95), n=len(times),
                per_second=round(len(times) / SECONDS),
            )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stacks", type=int, nargs="*", default=[100, 10_000, 100_000])
    parser.add_argument("--database", nargs="*", default=["sqlite", "postgresql"])
    given = parser.parse_args()
    emit(bench="pages", machine=machine())
    for kind in given.database:
        for stacks in given.stacks:
            measure(kind, stacks)


if __name__ == "__main__":
    main()
