"""How an installation ends, and what the next start finds."""

import os
import signal
import sqlite3
import time

import boto3


def queues(up):
    """The queues of the local cloud's first account, by a client of our own."""
    port = (up.data / "ports.json").read_text().split('"cloud": ')[1].strip("}")
    return boto3.client(
        "sqs",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="111122223333",
        aws_secret_access_key="any",
        region_name="eu-west-1",
    )


def test_stopping_ends_everything_and_starting_again_finds_everything(slipway, tmp_path, is_gone):
    first = slipway.up(tmp_path)
    queues(first).create_queue(QueueName="kept")
    slipway("token", "create", "--person", "dana", "--name", "kept", "--data", tmp_path)
    children = first.children()
    code, said = first.end(signal.SIGTERM)
    assert (code, said.splitlines()[-1]) == (0, "  Stopped")
    assert all(is_gone(pid) for pid in children.values())

    second = slipway.up(tmp_path, first.port)
    # On a machine that runs other tests beside; alone it takes a third of this.
    assert second.seconds < 30
    assert queues(second).list_queues()["QueueUrls"][0].endswith("/kept")
    with sqlite3.connect(tmp_path / "slipway.db") as database:
        assert database.execute("SELECT count(*) FROM api_token WHERE name = 'kept'").fetchone() == (1,)
    assert second.end(signal.SIGINT)[0] == 0


def test_what_a_killed_up_leaves_is_stopped_by_the_next(slipway, tmp_path, is_gone):
    killed = slipway.up(tmp_path)
    children = killed.children()
    killed.end(signal.SIGKILL)
    assert not any(is_gone(pid) for pid in children.values())

    following = slipway.up(tmp_path, killed.port)
    assert all(is_gone(pid) for pid in children.values())
    assert not any(is_gone(pid) for pid in following.children().values())

    # A service that dies takes the others with it, and is named.
    children = following.children()
    os.kill(children["worker"], signal.SIGKILL)
    code, said = following.wait()
    assert code == 1
    assert "slipway: The worker stopped by itself (signal 9). The log is" in said
    assert all(is_gone(pid) for pid in children.values())


def test_it_can_be_stopped_before_it_is_ready(slipway, tmp_path, is_gone, venvs):
    starting = slipway.begin(tmp_path)
    until = time.monotonic() + 30
    while len(children := starting.children()) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    code, said = starting.end(signal.SIGTERM)
    assert code == 0
    assert "Traceback" not in said
    assert all(is_gone(pid) for pid in children.values())
    assert starting.children() == {}


def test_reset_forgets_everything_but_the_secrets(slipway, tmp_path):
    for name in ("slipway.db", "slipway.db-wal", "secrets.json"):
        (tmp_path / name).write_text("something")
    (tmp_path / "cloud").mkdir()
    assert slipway("demo", "reset", "--data", tmp_path).returncode == 0
    assert {file.name for file in tmp_path.iterdir()} == {"secrets.json", "up.lock"}
