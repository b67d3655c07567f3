"""The proxy before a database or a broker breaks what it is told to break, and puts it right again."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.chaos.proxy import Proxy

pytestmark = pytest.mark.chaos


@pytest.fixture
def echo() -> Iterator[int]:
    """A port that answers everything with itself."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with Proxy(echo) as proxy:
        yield proxy


@pytest.fixture
def caller(proxy: Proxy) -> Iterator[socket.socket]:
    """A connection through the proxy."""
    with call(proxy) as connection:
        yield connection


def call(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=3)


def say(caller: socket.socket, words: bytes = b"hello") -> bytes:
    caller.sendall(words)
    return listen(caller, len(words))


def listen(caller: socket.socket, length: int) -> bytes:
    heard = b""
    while len(heard) < length and (data := caller.recv(65536)):
        heard += data
    return heard


class TestProxy:
    def test_passes_everything_on(self, caller: socket.socket) -> None:
        words = bytes(range(256)) * 4000
        threading.Thread(target=caller.sendall, args=(words,)).start()
        assert listen(caller, len(words)) == words

    def test_delays(self, proxy: Proxy, caller: socket.socket) -> None:
        say(caller)
        proxy.delay(0.1)
        began = time.monotonic()
        assert say(caller) == b"hello"
        assert 0.2 <= time.monotonic() - began < 0.6

    def test_cuts_what_is_open_and_takes_new_connections(self, proxy: Proxy, caller: socket.socket) -> None:
        say(caller)
        proxy.cut()
        assert caller.recv(1) == b""
        with call(proxy) as other:
            assert say(other) == b"hello"

    def test_resets(self, proxy: Proxy, caller: socket.socket) -> None:
        say(caller)
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            caller.recv(1)

    def test_refuses_until_healed_on_the_same_port(self, proxy: Proxy, caller: socket.socket) -> None:
        say(caller)
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            call(proxy)
        assert caller.recv(1) == b""
        proxy.heal()
        with call(proxy) as other:
            assert say(other) == b"hello"

    def test_a_black_hole_holds_everything_back_until_healed(self, proxy: Proxy, caller: socket.socket) -> None:
        say(caller)
        proxy.blackhole()
        caller.sendall(b"late")
        caller.settimeout(0.2)
        with pytest.raises(TimeoutError):
            caller.recv(1)
        caller.settimeout(3)
        proxy.heal()
        assert listen(caller, 4) == b"late"

    def test_throttles(self, proxy: Proxy, caller: socket.socket) -> None:
        proxy.throttle(20_000)
        began = time.monotonic()
        assert say(caller, b"x" * 4000) == b"x" * 4000
        assert 0.14 <= time.monotonic() - began < 2

    def test_cuts_in_the_middle_of_an_answer(self, proxy: Proxy, caller: socket.socket) -> None:
        say(caller)
        proxy.cut_after(8)
        caller.sendall(b"hello")
        assert listen(caller, 5) == b"hel"

    def test_ends_with_its_test(self, echo: int) -> None:
        with Proxy(echo) as proxy:
            caller = call(proxy)
            say(caller)
            assert proxy.connections == 1
        assert caller.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            call(proxy)
