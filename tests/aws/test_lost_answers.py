"""Answers that get lost on a real connection: whatever happened to it, we say that we do not know."""

import contextlib
import socket
import struct
import threading

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from app.aws import cloudformation as cfn
from app.aws.errors import NoAnswer

HALF = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 500\r\n\r\n<DescribeStacksResponse"
NOT_XML = b"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n<html>maintenance</htm"


def reset(connection):
    """Close with a reset instead of a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut(connection):
    connection.sendall(HALF)


def babble(connection):
    connection.sendall(NOT_XML)


def hang(connection):
    with contextlib.suppress(OSError):
        connection.settimeout(5)
        connection.recv(1)


@pytest.fixture
def answering():
    """`answering(how)` is a client whose every request is read and then answered like that."""
    servers = []

    def start(how):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)
        threading.Thread(target=serve, args=(server, how), daemon=True).start()
        return client_of(server)

    yield start
    for server in servers:
        server.close()


def client_of(server):
    return boto3.client(
        "cloudformation",
        endpoint_url=f"http://127.0.0.1:{server.getsockname()[1]}",
        region_name="eu-west-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"mode": "standard", "max_attempts": 1}, read_timeout=0.3, proxies={}),
    )


def serve(server, how):
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                how(connection)


@pytest.mark.parametrize("how", [reset, cut, babble, hang], ids=lambda how: how.__name__)
def test_a_lost_answer_is_no_answer(answering, how):
    with pytest.raises(NoAnswer):
        cfn.execute_change_set(answering(how), "p-1", "p-1-execute")


def test_a_refused_connection_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        client = client_of(closed)
    with pytest.raises(NoAnswer):
        cfn.find_stack(client, "refunds")


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (cfn.delete_stack, "delete_stack"),
        (cfn.cancel_update, "cancel_update_stack"),
        (cfn.continue_rollback, "continue_update_rollback"),
    ],
)
def test_a_call_that_was_taken_before_is_as_good_as_this_one(call, operation):
    """The first answer was lost; the second says that the token is known."""
    client = boto3.client(
        "cloudformation", region_name="eu-west-1", aws_access_key_id="any", aws_secret_access_key="any"
    )
    with Stubber(client) as answers:
        answers.add_client_error(operation, "TokenAlreadyExistsException", "A client request token already exists.")
        call(client, "refunds", "p-1-again")
        answers.assert_no_pending_responses()
