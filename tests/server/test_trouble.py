"""What is told of failures that are not the caller's."""

from __future__ import annotations

import errno

import pytest

from mlflow.server.trouble import error_of


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        (errno.ENOSPC, 429, "disk or quota is full"),
        (errno.EDQUOT, 429, "disk or quota is full"),
        (errno.EMFILE, 503, "no file handles"),
        (errno.EROFS, 403, "may not write"),
        (errno.EIO, 500, "cannot be read or written"),
        (errno.EXDEV, 500, "An internal error"),
    ],
)
def test_files(number, status, words):
    """The kind of failure is told, the place is not."""
    found = error_of(OSError(number, "words of the system", "/secret/place"), "abc")

    assert (status, True) == (found.get_http_status_code(), words in found.message)
    assert "abc" in found.message
    assert "secret" not in found.message


def test_anything_else():
    """It is the server's own business."""
    found = error_of(ValueError("x"), "abc")

    assert "An internal error happened; the server's log has it as abc." == found.message
