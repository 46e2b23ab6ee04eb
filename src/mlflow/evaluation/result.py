"""What an evaluation found: metrics and artifacts, which can be kept in a folder."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import unquote, urlsplit

from mlflow.evaluation import artifacts as kinds
from mlflow.evaluation.artifacts import EvaluationArtifact, as_json
from mlflow.exceptions import invalid
from mlflow.models.folder import confined

_METRICS, _METADATA, _FOLDER = "metrics.json", "artifacts_metadata.json", "artifacts"
# Where MLflow's kinds of artifacts are, by name; what was saved says so.
_HOME = "mlflow.models.evaluation.artifacts."


class EvaluationResult:
    """Metrics and artifacts of an evaluation.

    Args:
        metrics: values by name.
        artifacts: artifacts by name.
        run_id: the run that has them.
    """

    def __init__(
        self,
        metrics: dict[str, float],
        artifacts: dict[str, EvaluationArtifact],
        run_id: str | None = None,
    ) -> None:
        self._metrics = metrics
        self._artifacts = artifacts
        self._run_id = run_id

    @property
    def metrics(self) -> dict[str, Any]:
        """Values by name."""
        return self._metrics

    @property
    def artifacts(self) -> dict[str, EvaluationArtifact]:
        """Artifacts by name."""
        return self._artifacts

    @property
    def run_id(self) -> str | None:
        """The run that has them."""
        return self._run_id

    @property
    def tables(self) -> dict[str, Any]:
        """The artifacts that are tables, as data frames by name."""
        import pandas as pd

        found = {}
        for name, artifact in self._artifacts.items():
            if isinstance(artifact, kinds.JsonEvaluationArtifact):
                content = artifact.content
                if isinstance(content, dict) and content.keys() == {"columns", "data"}:
                    found[name] = pd.DataFrame(content["data"], columns=content["columns"])
        return found

    def save(self, path: str) -> None:
        """Write metrics and artifacts to a folder.

        Args:
            path: the folder, which is made if need be.
        """
        os.makedirs(os.path.join(path, _FOLDER), exist_ok=True)
        with open(os.path.join(path, _METRICS), "w", encoding="utf-8") as file:
            file.write(as_json(self._metrics))
        metadata = {
            name: {"uri": artifact.uri, "class_name": _class_name(type(artifact))}
            for name, artifact in self._artifacts.items()
        }
        with open(os.path.join(path, _METADATA), "w", encoding="utf-8") as file:
            json.dump(metadata, file)
        for artifact in self._artifacts.values():
            content = artifact.content  # read before it is written
            del content
            artifact._save(os.path.join(path, _FOLDER, _file_name(artifact.uri)))

    @classmethod
    def load(cls, path: str) -> EvaluationResult:
        """Read what `save` wrote, here or in MLflow.

        Args:
            path: the folder.

        Raises:
            MlflowException: a file is damaged, an artifact is of an unknown kind, or it is a
                pickle and those are refused.
        """
        metrics = _read(os.path.join(path, _METRICS))
        found: dict[str, EvaluationArtifact] = {}
        for name, about in _read(os.path.join(path, _METADATA)).items():
            try:
                kind, uri = _kind(about["class_name"]), str(about["uri"])
            except (KeyError, TypeError) as error:
                raise invalid(f"'{path}' does not say what the artifact '{name}' is.") from error
            artifact = kind(uri)
            folder = os.path.join(path, _FOLDER)
            artifact._load(confined(folder, _file_name(uri), f"The artifact '{name}'"))
            found[name] = artifact
        return cls(metrics, found)


def _class_name(kind: type[EvaluationArtifact]) -> str:
    if kind.__module__ == kinds.__name__:
        return _HOME + kind.__name__
    return f"{kind.__module__}.{kind.__qualname__}"


def _kind(class_name: Any) -> type[EvaluationArtifact]:
    # Only these: to import whatever a file names would be to run it.
    kind = getattr(kinds, str(class_name).removeprefix(_HOME), None)
    if isinstance(kind, type) and issubclass(kind, EvaluationArtifact):
        return kind
    known = sorted({one.__name__ for one in kinds.KINDS.values()})
    raise invalid(f"'{class_name}' is no known kind of artifact; known are {known}.")


def _file_name(uri: str) -> str:
    return os.path.basename(unquote(urlsplit(uri).path if "://" in uri else uri))


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError) as error:
        raise invalid(f"'{path}' is no file of an evaluation's result: {error}") from error
    if not isinstance(found, dict):
        raise invalid(f"'{path}' holds no JSON object.")
    return found
