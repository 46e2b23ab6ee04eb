"""The source of data that came from the web."""

from __future__ import annotations

import socket

import pytest

from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.exceptions import MlflowException


@pytest.mark.parametrize("url", ["http://x/y", "https://x/y?q=1", "HTTPS://x"])
def test_an_address_is_recorded_as_given(url: str) -> None:
    """In any case of the scheme."""
    assert HTTPDatasetSource._can_resolve(url)
    source = HTTPDatasetSource._resolve(url)
    assert (source.url, source._get_source_type()) == (url, "http")
    assert source.to_dict() == {"url": url}
    assert HTTPDatasetSource.from_json(source.to_json()).url == url


@pytest.mark.parametrize("other", ["x", "file:///x", "s3://b/k", "httpx://x", "http:x", 5, None])
def test_what_is_no_address_is_left_to_other_kinds(other: object) -> None:
    """The two slashes belong to it."""
    assert not HTTPDatasetSource._can_resolve(other)


def test_a_record_without_address_is_refused() -> None:
    """The message names the key."""
    with pytest.raises(MlflowException, match='HTTPDatasetSource. Missing expected key: "url"'):
        HTTPDatasetSource.from_dict({"uri": "http://x"})


def test_loading_reaches_out_to_no_one() -> None:
    """A server that listens hears nothing; the message says that a later version will load."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        source = HTTPDatasetSource(f"http://127.0.0.1:{server.getsockname()[1]}/wine.csv")
        with pytest.raises(MlflowException, match="not in this version") as caught:
            source.load()
        with pytest.raises(BlockingIOError):
            server.accept()
    assert caught.value.error_code == "NOT_IMPLEMENTED"
