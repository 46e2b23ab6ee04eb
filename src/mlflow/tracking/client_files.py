"""The client's operations on the artifacts of runs."""

from __future__ import annotations

import os
from io import BytesIO

from mlflow.entities.artifacts import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.locate import artifact_repository, join_uri, locate
from mlflow.tracking import figures, tables
from mlflow.tracking.context import git
from mlflow.tracking.context.default_context import main_folder
from mlflow.tracking.overhead import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    import pandas as pd

    from mlflow.entities.run import Run
    from mlflow.store.artifact.artifact_repo import ArtifactRepository
    from mlflow.store.base import AbstractStore

_PATCH = "source/uncommitted.patch"


class RunFiles:
    """Operations on the artifacts of runs; a part of `MlflowClient`."""

    _store: AbstractStore

    @counted
    def log_artifact(
        self, run_id: str, local_path: str | os.PathLike[str], artifact_path: str | None = None
    ) -> None:
        """Copy a local file or folder to the artifacts of a run.

        Args:
            run_id: the run.
            local_path: the file, or a folder that is copied with its name.
            artifact_path: the folder to put it in; the root when absent.

        Raises:
            FileNotFoundError: there is no such file.
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST for the run.
        """
        local_path = os.fspath(local_path)
        if os.path.isdir(local_path):
            name = os.path.basename(os.path.abspath(local_path))
            below = f"{artifact_path.rstrip('/')}/{name}" if artifact_path else name
            self._send(run_id, lambda files: files.log_artifacts(local_path, below))
        else:
            self._send(run_id, lambda files: files.log_artifact(local_path, artifact_path))

    @counted
    def log_artifacts(
        self, run_id: str, local_dir: str | os.PathLike[str], artifact_path: str | None = None
    ) -> None:
        """Copy what is in a local folder to the artifacts of a run.

        Args:
            run_id: the run.
            local_dir: the folder.
            artifact_path: the folder to put it in; the root when absent.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        local_dir = os.fspath(local_dir)
        self._send(run_id, lambda files: files.log_artifacts(local_dir, artifact_path))

    @counted
    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Write text to an artifact of a run, as UTF-8.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        self.log_stream(run_id, BytesIO(text.encode()), artifact_file)

    @counted
    def log_dict(self, run_id: str, dictionary: dict[str, Any], artifact_file: str) -> None:
        """Write a dict to an artifact of a run: YAML for `.yml` and `.yaml`, else JSON.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        self.log_text(run_id, tables.dict_as_text(dictionary, artifact_file), artifact_file)

    @counted
    def log_stream(self, run_id: str, stream: BinaryIO, artifact_file: str) -> None:
        """Write an artifact of a run from an open binary stream, which is read to its end.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        start = stream.tell() if stream.seekable() else None

        def send(files: ArtifactRepository) -> None:
            if start is not None:
                stream.seek(start)
            files.log_stream(stream, artifact_file)

        self._send(run_id, send, again=start is not None)

    @counted
    def log_figure(
        self,
        run_id: str,
        figure: Any,
        artifact_file: str,
        *,
        save_kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Write a matplotlib or plotly figure to an artifact of a run.

        Args:
            run_id: the run.
            figure: the figure.
            artifact_file: its ending says the format.
            save_kwargs: further arguments of matplotlib's `savefig`, or of plotly's writers.

        Raises:
            TypeError: it is no figure of these.
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        data = figures.figure_as_bytes(figure, artifact_file, save_kwargs or {})
        self.log_stream(run_id, BytesIO(data), artifact_file)

    @counted
    def log_image(
        self,
        run_id: str,
        image: Any,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> None:
        """Write an image to the artifacts of a run.

        Args:
            run_id: the run.
            image: a numpy array (height by width, perhaps by 1, 3 or 4), a PIL image or
                `mlflow.Image`.
            artifact_file: one file; or else
            key: a series of images, shown over steps.
            step: the place in the series.
            timestamp: ms since the epoch; now when absent.
            synchronous: accepted; images are always kept when the call returns.

        Raises:
            TypeError: neither or both of file and key; it is no image.
            ValueError: an array of the wrong shape or range, or a bad key.
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        figures.log_image(self, run_id, image, artifact_file, key, step, timestamp)

    @counted
    def log_table(
        self, run_id: str, data: dict[str, Any] | pd.DataFrame, artifact_file: str
    ) -> None:
        """Write a table to an artifact of a run; rows are added to one that is there.

        Args:
            run_id: the run.
            data: a dict of columns, or a data frame.
            artifact_file: ends in `.json` or `.parquet`.

        Raises:
            ValueError: another ending.
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        tables.log_table(self, run_id, data, artifact_file)

    def load_table(
        self,
        experiment_id: str,
        artifact_file: str,
        run_ids: list[str] | None = None,
        extra_columns: list[str] | None = None,
    ) -> pd.DataFrame:
        """Return the tables of several runs as one data frame.

        Args:
            experiment_id: whose runs.
            artifact_file: the table in each.
            run_ids: which runs; all that logged it when absent.
            extra_columns: facts of the runs to add, such as `run_id`.

        Raises:
            MlflowException: no run has such a table.
        """
        return tables.load_table(self, experiment_id, artifact_file, run_ids, extra_columns)

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """Return the files and folders directly in a folder of a run's artifacts.

        Args:
            run_id: the run.
            path: the folder; the root when absent.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST for the run.
        """
        found = self._files_of(run_id).list_artifacts(path)
        if found or not path:
            return found
        return self._listed_as_model(run_id, path)

    def _listed_as_model(self, run_id: str, path: str) -> list[FileInfo]:
        """List a logged model whose files are not below the run, by the name it has there."""
        place = locate(f"runs:/{run_id}/{path}", self._store, self._store)
        if place.model_id is None:
            return []
        name = path.split("/", 1)[0]
        listed = place.repository().list_artifacts(str(place.path) or None)
        return [FileInfo(f"{name}/{one.path}", one.is_dir, one.file_size) for one in listed]

    def download_artifacts(self, run_id: str, path: str, dst_path: str | None = None) -> str:
        """Return the local path of a file or folder of a run's artifacts.

        Args:
            run_id: the run.
            path: the file or folder; empty for all.
            dst_path: a local folder to copy it to; without one, local artifacts are returned in
                place.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE.
        """
        uri = f"runs:/{run_id}/{path}" if path else f"runs:/{run_id}"
        place = locate(uri, self._store, self._store)
        return place.repository().download_artifacts(str(place.path), dst_path)

    def _send(
        self, run_id: str, send: Callable[[ArtifactRepository], None], *, again: bool = True
    ) -> None:
        """Send files of a run; when its store goes on without the server, to where it does.

        Args:
            run_id: the run.
            send: sends them.
            again: whether they can be sent a second time.
        """
        try:
            send(self._files_of(run_id))
        except MlflowException as error:
            if not (again and self._store.goes_on(error)):
                raise
            send(self._files_of(run_id))

    def _files_of(self, run_id: str) -> ArtifactRepository:
        root = self._store.get_run(run_id).info.artifact_uri or ""
        return artifact_repository(root, self._store.artifact_server)

    def _artifact_uri(self, run_id: str, path: str | None) -> str:
        return join_uri(self._store.get_run(run_id).info.artifact_uri or "", path)

    def _log_patch(self, run: Run) -> None:
        """Keep the uncommitted changes of the program's repository with the run."""
        repository = git.find(main_folder())
        changes = git.patch(repository) if repository is not None else None
        if changes:
            self.log_text(run.info.run_id, changes, _PATCH)
