"""What a user is told when a backend reports trouble: one message for each kind."""

from __future__ import annotations

from mlflow.exceptions import (
    DATA_LOSS,
    INTERNAL_ERROR,
    INVALID_STATE,
    PERMISSION_DENIED,
    MlflowException,
    already_exists,
    invalid,
    not_found,
)
from mlflow.store.backends.base import (
    ALIAS,
    EXPERIMENT,
    LOGGED_MODEL,
    MODEL_VERSION,
    REGISTERED_MODEL,
    RUN,
    BackendError,
    Conflict,
    Corrupt,
    Duplicate,
    Missing,
    NotActive,
    ReadOnly,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])


def told(error: BackendError) -> MlflowException:
    """Return the error that the user sees."""
    for kind, message in _MESSAGES:
        if isinstance(error, kind):
            return message(error)
    return MlflowException(f"{error.kind} {error.key}: {error.detail}", INTERNAL_ERROR)


def reports(method: F) -> F:
    """Make a method of a store raise what the user should see for what its backend reports."""

    def reporting(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except BackendError as error:
            raise told(error) from error

    reporting.__name__ = method.__name__
    reporting.__qualname__ = method.__qualname__
    reporting.__doc__ = method.__doc__
    reporting.__module__ = method.__module__
    reporting.__wrapped__ = method  # type: ignore[attr-defined]
    return reporting  # type: ignore[return-value]


def changed_param(run_id: str, error: Conflict) -> MlflowException:
    """Return the error for a param that has another value already."""
    return invalid(
        f"Changing param values is not allowed. Param with key='{error.key}' was already logged "
        f"with value='{error.old}' for run ID='{run_id}'. Attempted logging new value "
        f"'{error.new}'."
    )


def _missing(error: BackendError) -> MlflowException:
    key = error.key
    if error.kind == EXPERIMENT:
        return not_found(f"Could not find experiment with ID {key}")
    if error.kind == RUN:
        return not_found(f"Run '{key}' not found")
    if error.kind == LOGGED_MODEL:
        return not_found(f"Logged model with ID '{key}' not found.")
    if error.kind == REGISTERED_MODEL:
        return not_found(f"Registered Model with name={key} not found")
    if error.kind == MODEL_VERSION and isinstance(key, tuple):
        return not_found(f"Model Version (name={key[0]}, version={key[1]}) not found")
    if error.kind == ALIAS:
        return invalid(f"Registered model alias {key} not found.")
    return not_found(f"No {error.kind} {key!r} found. {error.detail}".rstrip())


def _not_active(error: BackendError) -> MlflowException:
    if error.kind == RUN:
        return invalid(f"The run {error.key} must be in 'active' lifecycle_stage.")
    if error.kind == EXPERIMENT:
        message = f"The experiment {error.key} must be in the 'active' lifecycle_stage"
        return MlflowException(message, INVALID_STATE)
    return _missing(error)


def _duplicate(error: BackendError) -> MlflowException:
    if error.kind == EXPERIMENT:
        # Clients look for the code's name in the text.
        return already_exists(f"Experiment '{error.key}' already exists. (RESOURCE_ALREADY_EXISTS)")
    if error.kind == REGISTERED_MODEL:
        return already_exists(f"Registered Model (name={error.key}) already exists.")
    return already_exists(f"The {error.kind} {error.key!r} already exists. {error.detail}".rstrip())


def _corrupt(error: BackendError) -> MlflowException:
    what = f"The {error.kind} {error.key!r} cannot be read: {error.detail}"
    return MlflowException(what, DATA_LOSS)


def _read_only(error: BackendError) -> MlflowException:
    message = f"The store cannot be written: {error.detail}"
    return MlflowException(message, PERMISSION_DENIED)


_MESSAGES: tuple[tuple[type[BackendError], Callable[[BackendError], MlflowException]], ...] = (
    (Missing, _missing),
    (NotActive, _not_active),
    (Duplicate, _duplicate),
    (Corrupt, _corrupt),
    (ReadOnly, _read_only),
)
