"""Requests to a provider end soon, carry little, and go where they may."""

from __future__ import annotations

import gzip
import ssl
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mlflow.server.auth.openid.errors import AwayError
from mlflow.server.auth.openid.fetch import MOST, Deadline, ask, check_address, decoded

from .lying import LyingProvider, Reply


def get(provider, seconds=10.0, path="/x", **options):
    return ask(provider.issuer + path, Deadline(seconds), is_local=True, **options)


@pytest.mark.parametrize(
    "url",
    ["http://id.example.org/", "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "ftp://id.example.org/",
     "file:///etc/passwd", "gopher://id.example.org/", "https://", "https:///x", "//id.example.org/", "id.example.org", "",
     "https://u:p@id.example.org/", "https://id.example.org\\@evil/", "https://id.example.org/#x", "https://id.example.org/ x",
     "https://id.example.org/\r\nX: y", "https://é.example/", "https://id.example.org:x/", "https://[::1/", "https://x/" + "a" * 3000,
     None, 7, ["https://id.example.org/"], {}],
)  # fmt: skip
@pytest.mark.parametrize("is_local", [True, False])
def test_addresses_that_are_not_asked(url, is_local):
    with pytest.raises(AwayError):
        check_address(url, is_local=is_local)


LOCAL = ["http://127.0.0.1:9/", "http://localhost/", "https://localhost/", "https://[::1]/", "https://127.0.0.2/",
         "https://x.localhost/", "https://LOCALHOST./"]  # fmt: skip


def test_only_a_provider_on_this_machine_leads_to_this_machine():
    for url in LOCAL:
        assert url == check_address(url, is_local=True)
        with pytest.raises(AwayError, match="on this machine"):
            check_address(url, is_local=False)


def test_another_host_may_be_named():
    """As large providers do; a certificate says that it is who it is."""
    url = "https://oauth.example.com/token?tenant=1"
    assert url == check_address(url, is_local=False)


def test_what_is_sent(provider):
    provider.replies["/x"] = Reply({"a": 1})
    answer = get(provider, path="/x?p=1", headers={"Authorization": "Bearer t"})
    assert {"a": 1} == decoded(answer, "answer")
    assert 200 == get(provider, body=b"a=1&b=").status
    (_, path, headers, _), (method, _, _, form) = provider.asked
    assert ("/x?p=1", "Bearer t", "POST") == (path, headers["Authorization"], method)
    assert {"a": "1", "b": ""} == form
    assert "identity" == headers["Accept-Encoding"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(provider, status):
    provider.replies["/x"] = Reply(b"{}", status, [("Location", provider.issuer + "/y")])
    with pytest.raises(AwayError, match=f"its answer answers {status}"):
        decoded(get(provider), "answer")
    assert ["/x"] == provider.paths()


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"3", b"null", b'{"a":', b"\xff", b'{"a":' * 50_000, b"[" * 100_000]
)
def test_answers_that_are_no_objects(provider, body):
    provider.replies["/x"] = Reply(body)
    with pytest.raises(AwayError, match="no object"):
        decoded(get(provider), "answer")


def test_large_answers_are_not_read(provider):
    provider.replies["/x"] = Reply(b"x" * (MOST + 1))
    with pytest.raises(AwayError, match=f"more than {MOST} bytes"):
        get(provider)


def test_packed_answers_are_not_unpacked(provider):
    packed = gzip.compress(b"{" + b" " * 10_000_000 + b"}")
    provider.replies["/x"] = Reply(packed, 200, [("Content-Encoding", "gzip")])
    with pytest.raises(AwayError, match="packs"):
        get(provider)


def raw(*parts, pause=0.02):
    def answer(handler):
        with suppress(OSError):  # nobody listens any more
            for part in parts:
                handler.wfile.write(part)
                time.sleep(pause)
        handler.close_connection = True

    return answer


@pytest.mark.parametrize(
    "parts", [[b"nonsense\r\n\r\n"], [b""], [b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}"],
              [b"HTTP/1.1 999999 X\r\n\r\n"], [b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"y" * 60_000 + b"\r\n"] * 3, b"\r\n"],
              [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n"]],
)  # fmt: skip
def test_answers_that_are_no_http(provider, parts):
    """A line of headers may be long; what is odd ends the matter."""
    provider.replies["/x"] = raw(*parts)
    with pytest.raises(AwayError, match="cannot be asked|no object"):
        decoded(get(provider), "answer")


DRIPS = {
    "headers": [b"HTTP/1.1 200 OK\r\nX: ", *[b"y"] * 500],
    "body": [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b" "] * 500],
    "chunks": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n"] * 500],
    "nothing": [b"HTTP/1.1 ", *[b""] * 500],
}


@pytest.mark.parametrize("name", DRIPS)
def test_one_that_drips_is_cut_off(provider, name):
    """Each byte comes soon enough; all of them would take ten seconds."""
    provider.replies["/x"] = raw(*DRIPS[name])
    start = time.monotonic()
    with pytest.raises(AwayError, match="too long"):
        get(provider, 0.3)
    assert 5 > time.monotonic() - start
    assert not [one for one in threading.enumerate() if one.name == "openid-watch"]


def test_one_that_is_not_there(provider):
    with pytest.raises(AwayError, match="cannot be asked"):
        ask("http://127.0.0.1:1/x", Deadline(), is_local=True)
    with pytest.raises(AwayError, match="too long"):
        get(provider, 0)
    assert [] == provider.asked


def test_tls_has_to_be_good(provider, monkeypatch):
    """A server that speaks none is not asked in the clear, whatever clients are told to trust."""
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
    with pytest.raises(AwayError, match="cannot be asked"):
        ask(provider.issuer.replace("http:", "https:") + "/x", Deadline(), is_local=True)
    assert [] == provider.asked


def certificate(folder, name):
    """Write a certificate that a host of a name has made for itself, and return its file."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(
        private.private_bytes(serialization.Encoding.PEM, *form)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.parametrize(
    ("name", "is_trusted"), [("localhost", True), ("localhost", False), ("other.example", True)]
)
def test_who_answers_over_tls_has_to_be_who_it_says(tmp_path, monkeypatch, name, is_trusted):
    path = certificate(tmp_path, name)
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with LyingProvider(context) as provider:
        provider.replies["/x"] = Reply({"a": 1})
        if (name, is_trusted) == ("localhost", True):
            assert {"a": 1} == decoded(get(provider), "answer")
            return
        with pytest.raises(AwayError, match="cannot be asked"):
            get(provider)
        assert [] == provider.asked
