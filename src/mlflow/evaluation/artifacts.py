"""Artifacts of an evaluation: what they are, and how each kind is written and read."""

from __future__ import annotations

import json
import os
import tempfile
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from mlflow.artifacts import download_artifacts
from mlflow.exceptions import invalid
from mlflow.models.deserialize import dump_pickle, load_pickle

if TYPE_CHECKING:
    from collections.abc import Mapping


class EvaluationArtifact(ABC):
    """One file of an evaluation, which is read when its content is asked for.

    Args:
        uri: where it is.
        content: what is in it, where that is known already.
    """

    def __init__(self, uri: str, content: Any = None) -> None:
        self._uri = uri
        self._content = content

    @abstractmethod
    def _load_content_from_file(self, local_artifact_path: str) -> Any:
        """Read the content."""

    @abstractmethod
    def _save(self, output_artifact_path: str) -> None:
        """Write the content."""

    def _load(self, local_artifact_path: str | None = None) -> None:
        """Read the content, from a copy on this machine if there is one."""
        if local_artifact_path is not None:
            self._content = self._load_content_from_file(local_artifact_path)
            return
        with tempfile.TemporaryDirectory() as folder:
            path = download_artifacts(self._uri, dst_path=folder)
            self._content = self._load_content_from_file(path)

    @property
    def content(self) -> Any:
        """What is in it."""
        if self._content is None:
            self._load()
        return self._content

    @property
    def uri(self) -> str:
        """Where it is."""
        return self._uri

    def __repr__(self) -> str:
        return f"{type(self).__name__}(uri='{self.uri}')"


class ImageEvaluationArtifact(EvaluationArtifact):
    """A picture."""

    def _save(self, output_artifact_path: str) -> None:
        self._content.save(output_artifact_path)

    def _load_content_from_file(self, local_artifact_path: str) -> Any:
        from PIL import Image

        image = Image.open(local_artifact_path)
        image.load()  # the file may be gone when the pixels are asked for
        return image


class CsvEvaluationArtifact(EvaluationArtifact):
    """A data frame as comma-separated values."""

    def _save(self, output_artifact_path: str) -> None:
        self._content.to_csv(output_artifact_path, index=False)

    def _load_content_from_file(self, local_artifact_path: str) -> Any:
        import pandas as pd

        return pd.read_csv(local_artifact_path)


class ParquetEvaluationArtifact(EvaluationArtifact):
    """A data frame as Parquet."""

    def _save(self, output_artifact_path: str) -> None:
        self._content.to_parquet(output_artifact_path, compression="brotli")

    def _load_content_from_file(self, local_artifact_path: str) -> Any:
        import pandas as pd

        return pd.read_parquet(local_artifact_path)


class NumpyEvaluationArtifact(EvaluationArtifact):
    """An array."""

    def _save(self, output_artifact_path: str) -> None:
        import numpy as np

        np.save(output_artifact_path, self._content, allow_pickle=False)

    def _load_content_from_file(self, local_artifact_path: str) -> Any:
        import numpy as np

        return np.load(local_artifact_path, allow_pickle=False)


class JsonEvaluationArtifact(EvaluationArtifact):
    """What JSON can say."""

    def _save(self, output_artifact_path: str) -> None:
        with open(output_artifact_path, "w", encoding="utf-8") as file:
            file.write(as_json(self._content))

    def _load_content_from_file(self, local_artifact_path: str) -> Any:
        with open(local_artifact_path, encoding="utf-8") as file:
            return json.load(file)


class TextEvaluationArtifact(EvaluationArtifact):
    """Text."""

    def _save(self, output_artifact_path: str) -> None:
        with open(output_artifact_path, "w", encoding="utf-8") as file:
            file.write(self._content)

    def _load_content_from_file(self, local_artifact_path: str) -> Any:
        with open(local_artifact_path, encoding="utf-8") as file:
            return file.read()


class PickleEvaluationArtifact(EvaluationArtifact):
    """Any object; read only where pickles may be."""

    def _save(self, output_artifact_path: str) -> None:
        dump_pickle(self._content, output_artifact_path, "cloudpickle")

    def _load_content_from_file(self, local_artifact_path: str) -> Any:
        return load_pickle(local_artifact_path, "cloudpickle")


KINDS: Mapping[str, type[EvaluationArtifact]] = {
    ".png": ImageEvaluationArtifact,
    ".jpg": ImageEvaluationArtifact,
    ".jpeg": ImageEvaluationArtifact,
    ".json": JsonEvaluationArtifact,
    ".npy": NumpyEvaluationArtifact,
    ".csv": CsvEvaluationArtifact,
    ".parquet": ParquetEvaluationArtifact,
    ".txt": TextEvaluationArtifact,
    ".pickle": PickleEvaluationArtifact,
}


class _Encoder(json.JSONEncoder):
    """Writes numpy's numbers and arrays, too."""

    def default(self, o: Any) -> Any:
        convert = getattr(o, "tolist", None)
        return convert() if callable(convert) else super().default(o)


def as_json(value: Any) -> str:
    """Return a value as JSON.

    Raises:
        TypeError: JSON cannot say it.
    """
    return json.dumps(value, cls=_Encoder)


def written(name: str, value: Any, folder: str, maker: str) -> tuple[str, EvaluationArtifact]:
    """Write what a user's function gave as an artifact to a file, as its type tells.

    Args:
        name: the artifact's name.
        value: a file that is there, a frame, an array, a figure, JSON or anything else.
        folder: where the file is written.
        maker: the function, for messages.

    Returns:
        The path of the file, whose name is the artifact's with the right ending; and the artifact.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: a text that is neither a path nor JSON, a path to
            nothing, or an ending of a file that is not known.
    """
    if isinstance(value, (str, os.PathLike)):
        found = _of_text(name, value, folder, maker)
        if found is not None:
            return found
        value = json.loads(str(value))
    ending, content = _ending_of(value)
    path = os.path.join(folder, name + ending)
    if ending == ".png":
        value.savefig(path)
    artifact = KINDS[ending](path, content)
    if ending != ".png":
        artifact._save(path)
    return path, artifact


def _of_text(
    name: str, value: str | os.PathLike[str], folder: str, maker: str
) -> tuple[str, EvaluationArtifact] | None:
    """Return the artifact that a path names; None for JSON."""
    text = os.fspath(value)
    about = f"Custom metric function {maker} produced an artifact '{name}' with"
    if os.path.isfile(text):
        ending = os.path.splitext(text)[1].lower()
        if ending not in KINDS or ending == ".pickle":
            endings = ", ".join(one for one in KINDS if one != ".pickle")
            raise invalid(
                f"{about} path '{text}' that does not match any of the supported file extensions: "
                f"{endings}."
            )
        path = os.path.join(folder, name + ending)
        if not (os.path.exists(path) and os.path.samefile(text, path)):
            import shutil

            shutil.copyfile(text, path)
        return path, KINDS[ending](path)
    if isinstance(value, os.PathLike):
        raise invalid(f"{about} path '{text}', which does not exist.")
    try:
        json.loads(text)
    except ValueError:
        raise invalid(
            f"{about} string representation '{text:.200}' that is neither a valid path to a file "
            "nor a JSON string."
        ) from None
    return None


def _ending_of(value: Any) -> tuple[str, Any]:
    """Return the ending of the file that a value is written to, and what is read from it."""
    import numpy as np
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return ".csv", value
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return ".npy", value
    if hasattr(value, "savefig"):
        return ".png", None
    try:
        return ".json", json.loads(as_json(value))
    except (TypeError, ValueError):
        return ".pickle", value
