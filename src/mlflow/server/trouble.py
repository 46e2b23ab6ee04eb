"""What failures of the server's own files mean to those who asked."""

from __future__ import annotations

import errno

from mlflow.exceptions import (
    INTERNAL_ERROR,
    PERMISSION_DENIED,
    RESOURCE_EXHAUSTED,
    TEMPORARILY_UNAVAILABLE,
    MlflowException,
)

_FULL = (RESOURCE_EXHAUSTED, "its disk or quota is full: free some space there and try again")
_NO_HANDLES = (TEMPORARILY_UNAVAILABLE, "it has no file handles left: try again later")
_DENIED = (PERMISSION_DENIED, "it may not write to the place of its files")
_BROKEN = (INTERNAL_ERROR, "its disk cannot be read or written")

_MEANINGS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EMFILE: _NO_HANDLES,
    errno.ENFILE: _NO_HANDLES,
    errno.EROFS: _DENIED,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EIO: _BROKEN,
    errno.ESTALE: _BROKEN,
}


def error_of(failure: Exception, reference: str) -> MlflowException:
    """Return what a caller is told of a failure that is not theirs: nothing of paths or code.

    Args:
        failure: what happened.
        reference: under which the server's log has it.
    """
    number = failure.errno if isinstance(failure, OSError) else None
    code, words = _MEANINGS.get(number or 0, (INTERNAL_ERROR, ""))
    if not words:
        return MlflowException(
            f"An internal error happened; the server's log has it as {reference}."
        )
    return MlflowException(
        f"The server failed: {words}. The server's log has it as {reference}.", code
    )
