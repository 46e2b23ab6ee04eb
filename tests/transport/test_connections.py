"""Connections are kept and used again; TLS and proxies are as the environment says."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from mlflow.exceptions import MlflowException
from mlflow.transport.address import Address
from mlflow.transport.client import Transport
from mlflow.transport.connections import Connections, Tls
from tests.server.serving import Served

from .raw import OK, Raw


def get(transport):
    return transport.request("GET", "/a", is_safe=True)


async def hello(scope, receive, send):
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    await send(head)
    await send({"type": "http.response.body", "body": b"{}"})


def test_threads_share_what_is_idle():
    """As many connections as there are requests at one time, not more."""
    with Served(hello) as server:
        transport = Transport(server.uri)

        def ten():
            for _ in range(10):
                assert 200 == get(transport).status

        threads = [threading.Thread(target=ten) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert 1 <= len(transport._connections._idle) <= 4
        transport.close()
        assert [] == transport._connections._idle
        assert 200 == get(transport).status
        transport.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_forked_child_has_connections_of_its_own():
    """Two processes on one connection would read each other's answers."""
    with Served(hello) as server:
        transport = Transport(server.uri)
        get(transport)
        child = os.fork()
        if child == 0:
            is_fine = transport._connections._idle == [] and get(transport).status == 200
            os._exit(0 if is_fine else 1)
        _, status = os.waitpid(child, 0)

        assert 0 == os.waitstatus_to_exitcode(status)
        assert 1 == len(transport._connections._idle)
        assert 200 == get(transport).status
        transport.close()


def test_sockets_are_closed_with_their_owner():
    """A transport that is forgotten leaves nothing open."""
    with Raw(OK) as server:
        connections = Connections(Address.parse(server.uri), 5)
        connection = connections.take()
        connections.give_back(connection)
        sock = connection.sock
        del connections

        assert -1 == sock.fileno()


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody knows."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl that would make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key),
         "-out", str(cert)],
        check=True, capture_output=True,
    )  # fmt: skip
    return str(cert), str(key)


@pytest.fixture
def secure(certificate):
    cert, key = certificate
    with Served(hello, ssl_certfile=cert, ssl_keyfile=key) as server:
        yield server


def test_a_stranger_is_not_believed(secure):
    """A certificate that nobody vouches for ends it, and it is not tried again."""
    with pytest.raises(MlflowException, match="is not trusted") as caught:
        get(Transport(secure.uri))

    assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in caught.value.message


@pytest.mark.parametrize("name", ["MLFLOW_TRACKING_SERVER_CERT_PATH", "REQUESTS_CA_BUNDLE"])
def test_a_certificate_that_is_named(secure, certificate, monkeypatch, name):
    """Makes the server known; its name is checked all the same."""
    monkeypatch.setenv(name, certificate[0])
    transport = Transport(secure.uri)
    assert 200 == get(transport).status
    transport.close()
    with pytest.raises(MlflowException, match="is not trusted"):
        get(Transport(f"https://localhost:{secure.port}"))


def test_certificates_that_are_not_checked(secure, monkeypatch):
    """Only when asked for."""
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
    transport = Transport(secure.uri)
    assert 200 == get(transport).status
    transport.close()


def test_a_certificate_of_ours(certificate, monkeypatch):
    """Is shown to servers that ask for one."""
    cert, key = certificate
    both = f"{cert}.both"
    with open(both, "w") as file:
        file.write(Path(cert).read_text() + Path(key).read_text())
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", cert)
    options = {"ssl_certfile": cert, "ssl_keyfile": key, "ssl_ca_certs": cert,
               "ssl_cert_reqs": ssl.CERT_REQUIRED}  # fmt: skip
    with Served(hello, **options) as server:
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        with pytest.raises(MlflowException):
            get(Transport(server.uri))
        monkeypatch.setenv("MLFLOW_TRACKING_CLIENT_CERT_PATH", both)
        transport = Transport(server.uri)
        assert 200 == get(transport).status
        transport.close()


def test_settings_that_contradict(monkeypatch):
    """Or name what is not there."""
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "/no/such/file")
    with pytest.raises(MlflowException, match="no certificate"):
        Tls.from_environment()
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
    with pytest.raises(MlflowException, match="must not be set"):
        Tls.from_environment()


# --- proxies -------------------------------------------------------------------------------------


def test_a_proxy(monkeypatch):
    """Gets the whole address, and its own credentials."""
    with Raw(OK) as proxy:
        monkeypatch.setenv("http_proxy", f"http://ada:pw@127.0.0.1:{proxy.port}")
        transport = Transport("http://tracking.example:5/p")
        assert 200 == get(transport).status
        transport.close()

    head = proxy.requests[0].split("\r\n")
    assert "GET http://tracking.example:5/p/a HTTP/1.1" == head[0]
    assert "Host: tracking.example:5" in head
    assert any(line.lower().startswith("proxy-authorization: basic ") for line in head)


def test_what_goes_past_the_proxy(monkeypatch):
    """Hosts that are named in `no_proxy`."""
    with Raw(OK) as server:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        transport = Transport(server.uri)
        assert 200 == get(transport).status
        transport.close()

    assert server.requests[0].startswith("GET /a HTTP/1.1")


def test_a_tunnel(secure, certificate, monkeypatch):
    """What is encrypted passes through a proxy unseen."""
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", certificate[0])
    seen = []
    listening = socket.create_server(("127.0.0.1", 0))

    def pass_on():
        near, _ = listening.accept()
        seen.append(near.recv(65536))
        far = socket.create_connection(("127.0.0.1", secure.port))
        near.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        back = threading.Thread(target=copy, args=(far, near))
        back.start()
        copy(near, far)
        back.join()

    thread = threading.Thread(target=pass_on)
    thread.start()
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listening.getsockname()[1]}")
    transport = Transport(secure.uri)
    assert 200 == get(transport).status
    transport.close()
    thread.join()
    listening.close()

    assert seen[0].startswith(f"CONNECT 127.0.0.1:{secure.port} ".encode())


def copy(source, target):
    with source, target:
        while True:
            try:
                data = source.recv(65536)
                target.sendall(data)
            except OSError:
                return
            if not data:
                target.close()
                return


def test_a_proxy_of_another_kind(monkeypatch):
    """Is refused, not gone past."""
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:9")
    with pytest.raises(MlflowException, match="proxy"):
        Transport("https://tracking.example")
