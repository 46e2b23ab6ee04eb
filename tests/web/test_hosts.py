"""Host names are read as names and addresses, not as patterns."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.web.hosts import AllowedHosts, host_name, is_loopback, read_host


@pytest.mark.parametrize(
    ("name", "expected"),
    [("localhost", True), ("LOCALHOST", True), ("a.localhost", True), ("127.9.9.9", True),
     ("::1", True), ("example.org", False), ("127.0.0.1.example.org", False), ("", False)],
)  # fmt: skip
def test_loopback_names(name, expected):
    """Only names that cannot mean another machine count as loopback."""
    assert expected is is_loopback(name)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost:5000", "localhost"), ("Example.ORG", "example.org"), ("[::1]:80", "::1"),
     ("[::1]", "::1"), ("", ""), ("127.0.0.1:5000", "127.0.0.1")],
)  # fmt: skip
def test_the_name_in_a_host_header(host, expected):
    """The port and the brackets are no part of the name."""
    assert expected == host_name(host)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost:5000", "localhost"), ("LOCALHOST.", "localhost"), ("[::1]:5000", "::1"),
     ("my_host:80", "my_host"), ("10.0.0.7", "10.0.0.7"), ("[::1]x", None), ("[evil]", None),
     ("[::1", None), ("a b", None), ("a:b", None), ("a:", None), ("a:123456", None), ("", None),
     ("localhost:x@evil.example", None), ("user@host", None), ("a/b", None), ("-a", None),
     ("é", None), ("a" * 256, None), ("[fe80::1%25eth0]", None), ("a:80:90", None),
     ("host:٨٠", None)],
)  # fmt: skip
def test_a_host_header_is_read_whole(host, expected):
    """A name or address and at most a port; anything else is no host."""
    assert expected == read_host(host)


STRANGERS = [
    "evil.example", "10.attacker.example", "192.168.evil.example:5000", "172.16.evil.example",
    "127.0.0.1.evil.example", "127.0.0.1:5000.evil.example", "localhost:x@evil.example",
    "localhost.evil.example", "fd00:evil.example", "notlocalhost", "2130706433", "0177.0.0.1",
    "0x7f.1", "127.1", "",
]  # fmt: skip


@pytest.mark.parametrize("host", STRANGERS)
@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0", "::"])
def test_names_of_strangers(bound, host):
    """A name that looks like an address, or holds a known name, is still a stranger's."""
    assert not AllowedHosts(bound, ["mlflow", "10.*", "*.example.org", "good.example"]).allow(host)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:5000", "localhost.", "127.0.0.1:5000", "[::1]:5000",
             "a.localhost"]
)  # fmt: skip
@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0", "::1"])
def test_this_machine_is_always_known(bound, host):
    """Loopback names cannot be another machine's."""
    assert AllowedHosts(bound).allow(host)


@pytest.mark.parametrize(
    ("named", "host", "expected"),
    [("mlflow", "mlflow:5000", True), ("mlflow:5000", "mlflow", True), ("MLflow", "mlflow", True),
     ("mlflow", "mlflow.example", False), ("*.corp.example", "ml.corp.example:80", True),
     ("*.corp.example", "corp.example", False), ("*.corp.example", "evilcorp.example", False),
     ("192.168.*", "192.168.7.7", True), ("192.168.*", "192.169.0.1", False),
     ("10.0.0.0/8", "10.9.9.9:5000", True), ("10.1.2.3", "10.1.2.3", True),
     ("fd00::/8", "[fd00::1]:80", True), ("*", "whatever.example", True), ("*", "a b", False)],
)  # fmt: skip
def test_names_that_are_allowed(named, host, expected):
    """A server on loopback answers under the names it was given, whatever the port."""
    assert expected is AllowedHosts("127.0.0.1", [named]).allow(host)


def test_addresses_are_for_servers_that_other_machines_reach():
    """A probe asks a pod by its address; a server on loopback is asked by no address but its own."""
    assert AllowedHosts("0.0.0.0").allow("10.244.1.17:5000")
    assert not AllowedHosts("127.0.0.1").allow("10.244.1.17:5000")
    assert AllowedHosts("ml.example").allow("ml.example")


@pytest.mark.parametrize("text", ["a*b", "http://a", "a b", "*.", "10.0.0.0/99", "1.2.3.4.*"])
def test_what_is_no_host_name(text):
    """Is refused at the start, with what may be written."""
    with pytest.raises(MlflowException, match="is no host name"):
        AllowedHosts("127.0.0.1", [text])
