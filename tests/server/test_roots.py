"""What a URI in a record means, and what it never means."""

from __future__ import annotations

import os

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.roots import ArtifactRoots
from mlflow.store.artifact.paths import ArtifactPath


@pytest.fixture
def roots(tmp_path):
    return ArtifactRoots(str(tmp_path / "kept"), [str(tmp_path / "mlruns")])


def test_places_inside(roots, tmp_path):
    """The proxy's URIs, and paths in the folders of the server."""
    kept, runs = str(tmp_path / "kept"), str(tmp_path / "mlruns")
    for uri, root, path in (
        ("mlflow-artifacts:/0/r/artifacts", kept, "0/r/artifacts"),
        ("mlflow-artifacts:/", kept, ""),
        (f"{runs}/0/r/artifacts", runs, "0/r/artifacts"),
        (f"file://{runs}/0", runs, "0"),
        (f"file:{kept}/0%20a", kept, "0 a"),
        (runs, runs, ""),
    ):
        spot = roots.find(uri)
        assert (root, path) == (spot.root.path, str(spot.path))
    spot = roots.find("mlflow-artifacts:/0").below(ArtifactPath.parse("a/b"))
    assert "0/a/b" == str(spot.path)


def test_a_root_behind_a_link(tmp_path):
    """Records hold the one name or the other."""
    (tmp_path / "real").mkdir()
    os.symlink(tmp_path / "real", tmp_path / "link")
    roots = ArtifactRoots(str(tmp_path / "link"))

    assert "0" == str(roots.find(str(tmp_path / "real" / "0")).path)
    assert "0" == str(roots.find(str(tmp_path / "link" / "0")).path)


@pytest.mark.parametrize(
    "uri", ["", "/etc", "file:///etc/passwd", "//proc/self/root", "{runs}2/x", "{runs}/../x",
            "file://{runs}/%2e%2e/x", "file://evil{runs}/0", "file:{runs}/a?b", "file:{runs}/a#b",
            "mlflow-artifacts:/../x", "mlflow-artifacts://evil/x", "mlflow-artifacts:x",
            "mlflow-artifacts:/a//b", "mlflow-artifacts:", "s3://bucket/x", "http://evil/x",
            "ftp://evil", "runs:/r/x", "models:/a/1", "jar:file:/x", "FILE:///etc", "{runs}\n/0",
            "."]
)  # fmt: skip
def test_places_outside(roots, tmp_path, uri):
    """Whatever they look like."""
    with pytest.raises(MlflowException) as caught:
        roots.find(uri.format(runs=tmp_path / "mlruns"))
    assert caught.value.get_http_status_code() in (400, 403)
    assert str(tmp_path / "kept") not in caught.value.message


def test_buckets_are_places_and_their_neighbours_are_none():
    roots = ArtifactRoots("s3://bucket/x", ["gs://other/y/"])

    assert "0/r/artifacts" == str(roots.find("s3://bucket/x/0/r/artifacts").path)
    assert roots.proxied is roots.find("mlflow-artifacts:/0").root
    assert "s" == str(roots.find("gs://other/y/s").path)
    for uri in ("s3://bucket/xy/a", "s3://bucket", "s3://bucket2/x/a", "gs://bucket/x/a"):
        with pytest.raises(MlflowException, match="MILLSTREAM_SERVER_ARTIFACT_ROOTS"):
            roots.find(uri)
    with pytest.raises(MlflowException, match="Invalid artifact path"):
        roots.find("s3://bucket/x/../y")


def test_another_server_is_no_place():
    with pytest.raises(MlflowException, match="cannot keep artifacts at 'http://host/x'"):
        ArtifactRoots("http://host/x")
