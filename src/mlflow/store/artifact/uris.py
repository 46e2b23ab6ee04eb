"""Reads the URIs of artifacts: local places, `runs:/…` and `models:/…`."""

from __future__ import annotations

import os

from mlflow.exceptions import MlflowException, invalid
from mlflow.store.artifact.paths import ArtifactPath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlflow.store.base import AbstractStore


#: The scheme of artifacts that a tracking server keeps.
PROXY_SCHEME = "mlflow-artifacts"


def scheme_of(uri: str) -> str:
    """Return the scheme of a URI, in lower case; empty for a path.

    One letter is no scheme but a Windows drive.
    """
    scheme, colon, _ = uri.partition(":")
    plain = scheme.replace("+", "").replace("-", "").replace(".", "")
    is_scheme = colon and len(scheme) > 1 and plain.isascii() and plain.isalnum()
    return scheme.lower() if is_scheme and scheme[0].isalpha() else ""


def is_local(uri: str) -> bool:
    """Tell whether a URI names a place on this machine."""
    return scheme_of(uri) in ("", "file")


def local_path_of(uri: str) -> str:
    """Return the absolute path that a path or a `file:` URI names.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: another machine, a query, a fragment, or
            characters that no path has.
    """
    if not uri.isprintable() and any(one < " " or one == "\x7f" for one in uri):
        raise invalid(f"Invalid location: {uri!r} has a control character.")
    if scheme_of(uri) != "file":
        if scheme_of(uri):
            raise invalid(f"{uri!r} is not a local place.")
        return os.path.abspath(uri)
    rest = uri[len("file:") :]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise invalid(
                f"{uri!r} names the host {host!r}; only files of this machine can be used. "
                "A local path is written file:///path."
            )
        rest = slash + path
    if "?" in rest or "#" in rest:
        raise invalid(f"{uri!r} has a query or a fragment, which a file has not; write %3F or %23.")
    if "%" in rest:
        from urllib.parse import unquote

        rest = unquote(rest)
        if "\0" in rest:
            raise invalid(f"Invalid location: {uri!r} has a control character.")
    if os.name == "nt" and rest[:1] == "/" and rest[2:3] == ":":
        rest = rest[1:]
    return os.path.abspath(rest)


def join_uri(uri: str, path: str | None) -> str:
    """Return the URI of a path below a URI.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: the path leads elsewhere.
    """
    below = ArtifactPath.parse(path)
    if not below.parts:
        return uri
    text = str(below)
    if scheme_of(uri) == "file" and ("%" in text or "?" in text or "#" in text):
        from urllib.parse import quote

        text = quote(text)
    return f"{uri.rstrip('/')}/{text}"


class RunsUri:
    """`runs:/<run id>/<path>`, read.

    Args:
        run_id: the run.
        path: below the root of its artifacts.
    """

    def __init__(self, run_id: str, path: ArtifactPath) -> None:
        self.run_id = run_id
        self.path = path


def parse_runs_uri(uri: str) -> RunsUri:
    """Read a `runs:/…` URI.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is none, or its path leads elsewhere.
    """
    run_id, _, path = _body(uri, "runs").partition("/")
    if not run_id:
        raise invalid(
            f"Not a proper runs:/ URI: {uri}. Runs URIs must be of the form "
            "'runs:/<run_id>/run-relative/path/to/artifact'"
        )
    return RunsUri(run_id, _path(uri, path))


class ModelsUri:
    """`models:/…`, read: a logged model, or a version of a registered one by number or name.

    Args:
        model_id: a logged model; then there is nothing else but the path.
        name: a registered model.
        version: a number of a version.
        stage: a stage, or `latest`.
        alias: an alias.
        path: below the model's folder.
    """

    def __init__(
        self,
        *,
        model_id: str | None = None,
        name: str | None = None,
        version: str | None = None,
        stage: str | None = None,
        alias: str | None = None,
        path: ArtifactPath,
    ) -> None:
        self.model_id = model_id
        self.name = name
        self.version = version
        self.stage = stage
        self.alias = alias
        self.path = path

    def version_in(self, registry: AbstractStore) -> str:
        """Return the number of the version that is meant.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST, or INVALID_PARAMETER_VALUE for an alias.
        """
        name = self.name or ""
        if self.version is not None:
            return self.version
        if self.alias is not None:
            return registry.get_model_version_by_alias(name, self.alias).version
        is_latest = (self.stage or "").lower() == "latest"
        found = registry.get_latest_versions(name, None if is_latest else [self.stage or ""])
        if not found:
            of_stage = "" if is_latest else f" and stage '{self.stage}'"
            raise MlflowException(f"No versions of model with name '{name}'{of_stage} found")
        return max((one.version for one in found), key=int)


def parse_models_uri(uri: str) -> ModelsUri:
    """Read a `models:/…` URI.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is none, or its path leads elsewhere.
    """
    body = _body(uri, "models")
    if "\\" in body or any(character < " " for character in body):
        raise _improper(uri)
    name, _, rest = body.partition("/")
    if "@" in name:
        name, _, alias = name.partition("@")
        if not name or not alias or "@" in alias:
            raise _improper(uri)
        return ModelsUri(name=name, alias=alias, path=_path(uri, rest))
    if not name.strip():
        raise _improper(uri)
    if not rest:
        return ModelsUri(model_id=name, path=ArtifactPath(()))
    if name.startswith("m-") and len(name) == 34:
        return ModelsUri(model_id=name, path=_path(uri, rest))
    suffix, _, path = rest.partition("/")
    if not suffix.strip() or suffix in (".", "..") or any(mark in suffix for mark in "?#@"):
        raise _improper(uri)
    if suffix.isascii() and suffix.isdigit():
        return ModelsUri(name=name, version=suffix, path=_path(uri, path))
    return ModelsUri(name=name, stage=suffix, path=_path(uri, path))


def _improper(uri: str) -> MlflowException:
    return invalid(
        f"Not a proper models:/ URI: {uri}. Models URIs must be of the form 'models:/model_id', "
        "'models:/name/suffix' or 'models:/name@alias' where suffix is a model version, stage, or "
        "the string 'latest' and where alias is a registered model alias. Only one of suffix or "
        "alias can be defined at a time."
    )


def _body(uri: str, scheme: str) -> str:
    """Return what follows `scheme:/`, for a URI that names no host."""
    rest = uri.partition(":")[2]
    if scheme_of(uri) != scheme or rest[:1] != "/" or rest[:2] == "//":
        reason = "A tracking server is chosen by the tracking URI, not in it. "
        raise invalid(
            f"Not a proper {scheme}:/ URI: {uri}. {reason if rest[:2] == '//' else ''}It must "
            f"start with '{scheme}:/' and an id or a name."
        )
    return rest[1:]


def _path(uri: str, path: str) -> ArtifactPath:
    try:
        return ArtifactPath.parse(path)
    except MlflowException as error:
        raise invalid(f"{uri}: {error.message}") from error
