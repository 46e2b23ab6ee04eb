"""Where credentials come from, and which of them count."""

from __future__ import annotations

import base64
import os
import sys

import pytest

from mlflow.exceptions import MlflowException
from mlflow.transport import credentials
from mlflow.transport.address import Address

PLAIN = Address.parse("http://h.example")
NAMED = Address.parse("http://eve:hers@h.example")


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.fixture
def files():
    """Every place that may hold credentials, each with its own."""
    home = os.path.expanduser("~")
    os.makedirs(f"{home}/.mlflow")
    with open(f"{home}/.mlflow/credentials", "w") as file:
        file.write("[mlflow]\nmlflow_tracking_username = filed\nmlflow_tracking_password = f%1\n")
    with open(f"{home}/.netrc", "w") as file:
        file.write("machine h.example login netted password n\nmachine other login x password y\n")
    os.chmod(f"{home}/.netrc", 0o600)
    return home


def test_nobody():
    """Without credentials there is no header."""
    assert credentials.authorization(PLAIN) is None


def test_the_order(files, monkeypatch):
    """Environment, token, address, file, netrc."""
    address_of = credentials.authorization
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "abc\n")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "p:w")
    assert basic("ada:p:w") == address_of(NAMED)
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME")
    assert "Bearer abc" == address_of(NAMED)
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    assert basic("eve:hers") == address_of(NAMED)
    assert basic("filed:f%1") == address_of(PLAIN)
    os.unlink(f"{files}/.mlflow/credentials")
    assert basic("netted:n") == address_of(PLAIN)
    assert address_of(Address.parse("http://third.example")) is None


def test_a_name_of_the_environment_and_a_password_of_the_file(files, monkeypatch):
    """Each may be kept where it belongs."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")

    assert basic("ada:f%1") == credentials.authorization(PLAIN)


@pytest.mark.parametrize("name", ["netrc", "credentials"])
def test_files_that_cannot_be_read(files, name):
    """Are as if they were not there."""
    path = f"{files}/.netrc" if name == "netrc" else f"{files}/.mlflow/credentials"
    other = f"{files}/.mlflow/credentials" if name == "netrc" else f"{files}/.netrc"
    os.unlink(other)
    with open(path, "wb") as file:
        file.write(b"\xff\xfe[[[\n=\x00")

    assert credentials.authorization(PLAIN) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("MLFLOW_TRACKING_TOKEN", "a\r\nX-Evil: 1"), ("MLFLOW_TRACKING_TOKEN", "ä"),
     ("MLFLOW_TRACKING_USERNAME", "a:b")],
)  # fmt: skip
def test_what_no_header_may_have(monkeypatch, name, value):
    """Is refused, and not repeated in the message."""
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "p")
    monkeypatch.setenv(name, value)
    with pytest.raises(MlflowException) as caught:
        credentials.authorization(PLAIN)

    assert "INVALID_PARAMETER_VALUE" == caught.value.error_code
    assert value not in caught.value.message


PLUGIN = """
class Auth:
    def __call__(self, request):
        request.headers["X-Signed"] = f"{request.method} {request.path_url} {request.body!r}"
        return request

class Provider:
    def get_name(self):
        return "mine"
    def get_auth(self):
        return Auth()
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """An installed plug-in that signs requests."""
    place = tmp_path / "my-packages"
    (place / "signing-1.dist-info").mkdir(parents=True)
    (place / "signing_plugin.py").write_text(PLUGIN)
    (place / "signing-1.dist-info" / "entry_points.txt").write_text(
        "[mlflow.request_auth_provider]\nlabel = signing_plugin:Provider\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(place)])
    credentials._plugins._found.pop(credentials.AUTH_PLUGINS, None)
    yield
    credentials._plugins._found.pop(credentials.AUTH_PLUGINS, None)
    sys.modules.pop("signing_plugin", None)


@pytest.mark.parametrize("name", ["mine", "label"])
def test_a_plug_in_signs(plugin, monkeypatch, name):
    """It is called with the request as `requests` prepares it."""
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", name)
    sign = credentials.signer()
    url, headers, body = sign("POST", "http://h/a?b=c", {"A": "1"}, b"{}")

    assert ("http://h/a?b=c", b"{}") == (url, body)
    assert ("1", "POST /a?b=c b'{}'") == (headers["A"], headers["X-Signed"])


def test_no_plug_in(plugin, monkeypatch):
    """None is asked for, or one that is not there."""
    assert credentials.signer() is None
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", "other")
    with pytest.raises(MlflowException, match="'mine'"):
        credentials.signer()


def test_a_library_that_is_missing(monkeypatch):
    """Says what to install."""
    monkeypatch.setenv("MLFLOW_TRACKING_AWS_SIGV4", "true")
    with pytest.raises(MlflowException, match="pip install requests-auth-aws-sigv4"):
        credentials.signer()
