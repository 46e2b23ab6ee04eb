"""The contract suite over two servers of two workers on one database, one of them starting again."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading

import pytest

from tests.conftest import FULL
from tests.contract.test_rest import RestContract, twelfth
from tests.server.running import free_port, server


class Proxy:
    """Passes connections on to servers in turn, as a balancer before them does.

    Args:
        ports: of the servers.
    """

    def __init__(self, ports):
        self.turns = itertools.cycle(ports)
        self.count = len(ports)
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.uri = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.passed = dict.fromkeys(ports, 0)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client):
        for _ in range(self.count):
            port = next(self.turns)
            with contextlib.suppress(OSError):
                there = socket.create_connection(("127.0.0.1", port), timeout=5)
                there.settimeout(None)
                self.passed[port] += 1
                threading.Thread(target=_copy, args=(there, client), daemon=True).start()
                _copy(client, there)
                return
        client.close()


def _copy(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


class Restarted:
    """A server that is asked to end, and started again, over and over."""

    def __init__(self, folder, port, arguments):
        self.folder, self.port, self.arguments = folder, port, arguments
        self.times = 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.is_over.is_set():
            with server(self.folder, *self.arguments, port=self.port):
                self.is_over.wait(1.0)
            self.times += 1

    def close(self):
        self.is_over.set()
        self.thread.join(60)


@pytest.fixture(scope="module")
def balanced(servers, tmp_path_factory):
    """The address of a balancer before the two, and what is behind it."""
    if not FULL:
        pytest.skip("starts servers for half a minute: MILLSTREAM_FULL=1 runs it")
    folder = tmp_path_factory.mktemp("servers")
    uri = servers["postgresql"].empty()
    arguments = ("--backend-store-uri", uri, "--workers", "2", "--no-serve-artifacts",
                 "--default-artifact-root", str(folder / "artifacts"))  # fmt: skip
    ports = [free_port(), free_port()]
    proxy = Proxy(ports)
    with server(folder, *arguments, port=ports[0]):
        again = Restarted(folder, ports[1], arguments)
        yield proxy
        again.close()
    proxy.listening.close()
    assert again.times > 1, "it was not started again"
    assert all(proxy.passed.values()), proxy.passed


@pytest.mark.slow
@twelfth(4)
class TestManyServers(RestContract):
    """Whichever process answers, and whichever is gone meanwhile."""

    test_long_values_are_cut = None  # changes the settings of the server, which runs by itself

    @pytest.fixture
    def store(self, balanced, servers):
        servers["postgresql"].empty()
        self.opened = []
        self.uri = balanced.uri
        yield self._open()
        for store in self.opened:
            store.close()
