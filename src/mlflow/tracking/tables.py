"""Tables and dicts as artifacts of runs."""

from __future__ import annotations

import json
from io import BytesIO

from mlflow.exceptions import MlflowException, invalid, not_found
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.tags import MLFLOW_LOGGED_ARTIFACTS
from mlflow.tracking import figures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

_ENDINGS = (".json", ".parquet")


def dict_as_text(dictionary: Any, artifact_file: str) -> str:
    """Return a dict as the text of a file: YAML for `.yml` and `.yaml`, else JSON."""
    if artifact_file.endswith((".yml", ".yaml")):
        import yaml

        return yaml.safe_dump(
            dictionary, indent=2, default_flow_style=False, allow_unicode=True, encoding=None
        )
    import json

    return json.dumps(dictionary, indent=2, default=str)


def log_table(client: Any, run_id: str, data: Any, artifact_file: str) -> None:
    """Write a table, or add its rows to the one that is there.

    Args:
        client: an `MlflowClient`.
        run_id: the run.
        data: a dict of columns, or a data frame.
        artifact_file: ends in `.json` or `.parquet`.

    Raises:
        ValueError: another ending.
        MlflowException: it is no table.
    """
    import pandas as pd

    _check_ending(artifact_file)
    ArtifactPath.new(artifact_file)
    frame = _as_frame(data)
    frame = _with_images_logged(client, run_id, frame, artifact_file)
    before = _read(client, run_id, artifact_file)
    if before is not None:
        frame = pd.concat([before, frame], ignore_index=True)
    client.log_stream(run_id, BytesIO(_as_bytes(frame, artifact_file)), artifact_file)
    _note_table(client, run_id, artifact_file)


def _check_ending(artifact_file: str) -> None:
    if not artifact_file.endswith(_ENDINGS):
        msg = (
            f"Invalid artifact file path '{artifact_file}'. Please ensure the file you are trying "
            "to log as a table has a file name with either '.json' or '.parquet' extension."
        )
        raise ValueError(msg)


def _as_frame(data: Any) -> pd.DataFrame:
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data
    if not isinstance(data, dict):
        raise invalid("data must be a pandas.DataFrame or a dictionary")
    try:
        return pd.DataFrame(data)
    except ValueError:  # single values: one row
        return pd.DataFrame([data])


def _with_images_logged(
    client: Any, run_id: str, frame: pd.DataFrame, artifact_file: str
) -> pd.DataFrame:
    """Keep images in cells as files of their own, and say in the cell which."""
    from uuid import uuid4

    folder = f"table_images/{artifact_file.rpartition('.')[0]}"

    def logged(cell: Any) -> Any:
        if not figures.is_image(cell):
            return cell
        path = f"{folder}/{uuid4()}"
        full, small = figures.image_files(cell)
        client.log_stream(run_id, BytesIO(full), f"{path}.png")
        client.log_stream(run_id, BytesIO(small), f"{path}.webp")
        return {"type": "image", "filepath": f"{path}.png", "compressed_filepath": f"{path}.webp"}

    for column in frame.columns:
        if frame[column].dtype == object and frame[column].map(figures.is_image).any():
            frame = frame.assign(**{str(column): frame[column].map(logged)})
    return frame


def _read(client: Any, run_id: str, artifact_file: str) -> pd.DataFrame | None:
    """Return the table that is there, or None."""
    import pandas as pd

    try:
        path = client.download_artifacts(run_id, artifact_file)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    if artifact_file.endswith(".parquet"):
        return pd.read_parquet(path)
    with open(path, encoding="utf-8") as stream:
        content = json.load(stream)
    # Built from the plain JSON: pandas' own reader takes digits for numbers and text for dates.
    return pd.DataFrame(content["data"], content.get("index"), content["columns"])


def _as_bytes(frame: pd.DataFrame, artifact_file: str) -> bytes:
    if artifact_file.endswith(".parquet"):
        out = BytesIO()
        frame.to_parquet(out)
        return out.getvalue()
    text: str = frame.to_json(orient="split", index=False, date_format="iso", default_handler=str)
    return text.encode()


def _note_table(client: Any, run_id: str, artifact_file: str) -> None:
    """Say in the run's tag that the artifact is a table."""
    import json

    entry = {"path": artifact_file, "type": "table"}
    text = client.get_run(run_id).data.tags.get(MLFLOW_LOGGED_ARTIFACTS)
    entries = json.loads(text) if text else []
    if entry not in entries:
        client.set_tag(run_id, MLFLOW_LOGGED_ARTIFACTS, json.dumps([*entries, entry]))


def load_table(
    client: Any,
    experiment_id: str,
    artifact_file: str,
    run_ids: list[str] | None,
    extra_columns: list[str] | None,
) -> pd.DataFrame:
    """Return the tables of several runs as one data frame.

    Args:
        client: an `MlflowClient`.
        experiment_id: whose runs.
        artifact_file: the table in each.
        run_ids: which runs; all that logged it when None.
        extra_columns: facts of the runs to add: of their state, params, metrics or tags.

    Raises:
        MlflowException: no run has such a table.
    """
    import pandas as pd

    _check_ending(artifact_file)
    frames = []
    for run in _runs_with(client, experiment_id, artifact_file, run_ids):
        frame = _read(client, run.info.run_id, artifact_file)
        if frame is None:
            raise _no_table(artifact_file)
        for column in extra_columns or ():
            if column in frame.columns:
                msg = "Column name should not match any existing columns in the data frame"
                raise invalid(f"{msg}: '{column}'")
            frame[column] = _fact(run, column)
        frames.append(frame)
    if not frames:
        raise _no_table(artifact_file)
    return pd.concat(frames, ignore_index=True)


def _no_table(artifact_file: str) -> MlflowException:
    return not_found(f"No runs found with the corresponding table artifact '{artifact_file}'.")


def _runs_with(
    client: Any, experiment_id: str, artifact_file: str, run_ids: list[str] | None
) -> list[Any]:
    if run_ids is not None:
        return [client.get_run(run_id) for run_id in run_ids]
    import json

    found, token = [], None
    while True:
        page = client.search_runs([experiment_id], max_results=1000, page_token=token)
        for run in page:
            text = run.data.tags.get(MLFLOW_LOGGED_ARTIFACTS)
            if text and {"path": artifact_file, "type": "table"} in json.loads(text):
                found.append(run)
        token = page.token
        if not token:
            return found


def _fact(run: Any, name: str) -> Any:
    """Return a fact of a run's state, params, metrics or tags."""
    for facts in (dict(run.info), run.data.params, run.data.metrics, run.data.tags):
        if name in facts:
            return facts[name]
    raise KeyError(name)
