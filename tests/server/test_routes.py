"""Which request reaches what."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.messages import AnsweredError
from mlflow.server.routes import BASES, LATER, PUBLIC, Routes

from .asking import Client


class Asked:
    def __init__(self, method, path):
        self.method, self.path, self.names = method, path, {}


async def handler(request):
    raise NotImplementedError


@pytest.fixture
def routes():
    made = Routes("/p")
    made.add("GET", "/a", handler, PUBLIC)
    made.add("GET", "/things/{name}", handler, PUBLIC)
    made.add("DELETE", "/things/{name}/tags/{key}", handler, PUBLIC)
    made.add("PUT", "/files/{path...}", handler, PUBLIC)
    made.add("GET", "/bare", handler, PUBLIC, is_prefixed=False)
    return made


@pytest.mark.parametrize(
    ("method", "path", "names"),
    [("GET", "/p/a", {}), ("HEAD", "/p/a", {}), ("GET", "/bare", {}),
     ("GET", "/p/things/x", {"name": "x"}), ("GET", "/p/things/a%2Fb%25", {"name": "a/b%"}),
     ("DELETE", "/p/things/x/tags/k%20k", {"name": "x", "key": "k k"}),
     ("PUT", "/p/files/a/b%2Fc", {"path": "a/b/c"}), ("PUT", "/p/files/", {"path": ""})],
)  # fmt: skip
def test_found(routes, method, path, names):
    """Names are decoded once, after the route is chosen."""
    asked = Asked(method, path)
    routes.find(asked)

    assert names == asked.names


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/a"), ("GET", "/p/b"), ("GET", "/p/things/"), ("GET", "/p/things/a/b"), ("GET", "/p/a/"),
     ("GET", "/p%2Fa"), ("GET", "/p/./a"), ("GET", "//p/a"), ("PUT", "/p/files"), ("GET", "")],
)  # fmt: skip
def test_not_found(routes, method, path):
    """Another spelling of a path is another path."""
    with pytest.raises(MlflowException) as caught:
        routes.find(Asked(method, path))

    assert "ENDPOINT_NOT_FOUND" == caught.value.error_code


@pytest.mark.parametrize("path", ["/p/a", "/p/things/x"])
def test_another_method(routes, path):
    """The answer says which ones there are."""
    with pytest.raises(AnsweredError) as caught:
        routes.find(Asked("POST", path))

    assert 405 == caught.value.answer.status
    assert (b"allow", b"GET") in caught.value.answer.headers


def test_a_path_that_is_no_text(routes):
    """Bytes that are no UTF-8 name nothing."""
    with pytest.raises(MlflowException) as caught:
        routes.find(Asked("GET", "/p/things/%ff"))

    assert "INVALID_PARAMETER_VALUE" == caught.value.error_code


def test_a_route_without_a_permission_does_not_start():
    """Who may use it must be said, even if it is everybody."""
    with pytest.raises(TypeError, match="declares no permission"):
        Routes().add("GET", "/a", handler, None)


def test_every_route_of_the_server_has_a_permission(client):
    """Enumerated from the server itself."""
    routes = client.app.routes.all()

    assert 300 < len(routes)
    assert [] == [path for _, path, endpoint in routes if not endpoint.permission.action]
    public = {
        path.rpartition("/")[2] for _, path, endpoint in routes if endpoint.permission is PUBLIC
    }
    assert {"", "{name}", "health", "version", "openapi.json", "server-info"} == public


@pytest.mark.parametrize("base", BASES)
def test_every_base(client, base):
    """The API is found below all of its names."""
    answer = client.get(f"{base}mlflow/experiments/get", experiment_id="0")

    assert "Default" == answer.json["experiment"]["name"]


@pytest.mark.parametrize("name", sorted(LATER))
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_what_later_versions_have(client, name, method):
    """Says so, instead of being a riddle."""
    path = name if name.startswith("/") else f"/api/3.0/mlflow/{name}/x"
    answer = client.ask(method, path)

    assert (501, "NOT_IMPLEMENTED") == (answer.status, answer.code)
    assert LATER[name] in answer.json["message"]


def test_a_prefix():
    """It stands in front of everything; probes need not know it."""
    with Client() as plain:
        from mlflow.server.app import Settings

        with Client(plain.store, settings=Settings(prefix="/ml")) as client:
            assert 200 == client.get("/ml/api/2.0/mlflow/experiments/search", max_results=1).status
            assert 404 == client.get("experiments/search", max_results=1).status
            assert [b"OK", b"OK"] == [client.get(p).body for p in ("/health", "/ml/health")]
            assert 501 == client.get("/ml/api/2.0/mlflow/traces").status
