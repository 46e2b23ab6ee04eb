"""Which URIs programs may write into records over HTTP: where artifacts and model versions are.

The server does not follow them (see `roots`), but those who read the records do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from mlflow.environment_variables import MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX
from mlflow.exceptions import MlflowException, invalid
from mlflow.store.artifact.locate import LATER, SCHEMES, has_plugin
from mlflow.store.artifact.uris import (
    PROXY_SCHEME,
    is_local,
    local_path_of,
    parse_models_uri,
    parse_runs_uri,
    scheme_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mlflow.store.base import AbstractStore

_WEB = ("http", "https", "ftp", "sftp")
_SHOWN = 100


def checks(store: AbstractStore) -> dict[str, Callable[[dict[str, Any]], None]]:
    """Return what looks at the arguments of operations that write URIs, by operation.

    Args:
        store: knows the runs and logged models.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE when what sources have to match is no pattern.
    """
    wanted = _wanted()

    def location(arguments: dict[str, Any]) -> None:
        if arguments.get("artifact_location"):
            check_location(arguments["artifact_location"])

    def source(arguments: dict[str, Any]) -> None:
        if wanted is not None and not wanted.search(arguments["source"]):
            raise _bad_source(arguments["source"], "this server takes others only")
        run_id, model_id = arguments.get("run_id"), arguments.get("model_id")
        check_source(arguments["source"], run_id, model_id, store)

    return {"create_experiment": location, "create_model_version": source}


def _wanted() -> re.Pattern[str] | None:
    """Return what sources of versions have to match, somewhere in them."""
    variable = MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX
    pattern = variable.get()
    try:
        return re.compile(pattern) if pattern else None
    except re.error as error:
        raise invalid(f"{variable.name} is no regular expression: '{pattern}': {error}.") from None


def check_location(uri: str) -> None:
    """Check the URI of a root of artifacts.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for one that readers could take for another.
    """
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as error:
        raise _refused(uri, str(error)) from None
    if any(character <= " " or character == "\x7f" for character in uri):
        raise _refused(uri, "it has a space or a control character")
    if any(mark in uri for mark in "?#;\\"):
        raise _refused(uri, "it has a query, a fragment or parameters")
    scheme = scheme_of(uri)
    if scheme in _WEB and "@" in parts.netloc:
        raise _refused(uri, "it has a user name")
    if scheme == PROXY_SCHEME and parts.netloc:
        raise _refused(uri, f"it must be written {PROXY_SCHEME}:/path")
    path, plain = parts.path, unquote(parts.path)
    while plain != path:
        path, plain = plain, unquote(plain)
    steps = path.split("/")
    if {"..", "."} & {*steps} or "\\" in path or any(one < " " for one in path):
        raise _refused(uri, "a part of it leads elsewhere")
    if not is_local(uri) and "" in steps[1:-1]:
        raise _refused(uri, "a part of it is empty")


def check_source(
    source: str, run_id: str | None, model_id: str | None, store: AbstractStore
) -> None:
    """Check where a model version says that its files are.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a local path outside of the artifacts of its
            run or logged model, or a URI that is none.
    """
    scheme = scheme_of(source)
    if scheme == "models":
        parse_models_uri(source)
    elif scheme == "runs":
        parse_runs_uri(source)
    elif is_local(source):
        _check_local(source, run_id, model_id, store)
    else:
        check_location(source)
        if scheme not in {*SCHEMES, *LATER} and not has_plugin(scheme):
            raise _bad_source(source, f"nothing is known of '{scheme}:'")


def _check_local(
    source: str, run_id: str | None, model_id: str | None, store: AbstractStore
) -> None:
    if not source.strip() or source.startswith("//"):
        raise _bad_source(source, "it is no path")
    check_location(source)
    homes = []
    if run_id:
        homes.append(store.get_run(run_id).info.artifact_uri or "")
    if model_id:
        homes.append(store.get_logged_model(model_id).artifact_location)
    path = local_path_of(source)
    for home in homes:
        if home and is_local(home) and f"{path}/".startswith(f"{local_path_of(home)}/"):
            return
    raise _bad_source(
        source,
        "a local path has to be inside of the artifacts of the run that run_id names, or of the "
        "logged model that model_id names",
    )


def _refused(uri: str, reason: str) -> MlflowException:
    return invalid(f"Invalid artifact location '{uri[:_SHOWN]}': {reason}.")


def _bad_source(source: str, reason: str) -> MlflowException:
    return invalid(f"Invalid model version source: '{source[:_SHOWN]}': {reason}.")
