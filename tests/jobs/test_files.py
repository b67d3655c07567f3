"""Files for a broker: nobody ever sees half a message, and half a message ends nobody."""

import json
import subprocess
import sys
import threading
import time
from queue import Empty

import kombu
import pytest

MANY = 30
WRITER = """
import json, sys, kombu
transport, folders, many = json.loads(sys.argv[1])
queue = kombu.Connection(transport=transport, transport_options=folders).SimpleQueue("slipway")
for number in range(many):
    # So large that it cannot be written in one moment.
    queue.put({"job": number, "padding": "x" * 2_000_000})
"""
TRANSPORT = "app.jobs.files:Transport"


@pytest.fixture
def folders(tmp_path):
    for name in ("messages", "control"):
        (tmp_path / name).mkdir()
    return {
        "data_folder_in": str(tmp_path / "messages"),
        "data_folder_out": str(tmp_path / "messages"),
        "control_folder": str(tmp_path / "control"),
        "polling_interval": 0.02,
    }


@pytest.fixture
def queue(folders):
    with kombu.Connection(transport=TRANSPORT, transport_options=folders) as connection:
        yield connection.SimpleQueue("slipway")


def hear(queue, seconds=5):
    """Return the next job that is named, or None when none is for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            message = queue.get(timeout=0.5)
        except Empty:
            continue
        message.ack()
        return message.payload["job"]
    return None


def test_a_reader_never_meets_half_a_message(queue, folders):
    command = [sys.executable, "-c", WRITER, json.dumps([TRANSPORT, folders, MANY])]
    with subprocess.Popen(command) as writer:
        heard = [hear(queue) for _ in range(MANY)]
        assert writer.wait(30) == 0
    assert sorted(heard) == list(range(MANY))


@pytest.mark.parametrize("half", [b"", b'{"body": "W1s'])
def test_half_a_message_is_passed_over(queue, tmp_path, half):
    queue.put({"job": 7})
    (tmp_path / "messages" / "0_cut.slipway.msg").write_bytes(half)
    assert hear(queue) == 7


def test_a_table_of_queues_that_is_just_written_is_read_again(queue, tmp_path):
    queue.put({"job": 6})
    table = next((tmp_path / "control").glob("slipway.exchange"))
    whole = table.read_bytes()
    table.write_bytes(b"")
    threading.Timer(0.1, table.write_bytes, [whole]).start()
    queue.put({"job": 7})
    assert {hear(queue), hear(queue)} == {6, 7}
