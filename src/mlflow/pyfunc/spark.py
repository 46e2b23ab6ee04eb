"""Models as functions of Spark's columns: `spark_udf`."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
import threading
import typing
import uuid
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.models.model import Model
from mlflow.models.source import local_model_folder
from mlflow.pyfunc.load import load_model
from mlflow.pyfunc.spark_types import as_column, result_type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlflow.pyfunc.loaded import PyFuncModel
    from mlflow.types.schema import Schema

_MANAGERS = ("local", "conda", "virtualenv", "uv")
# Workers live longer than one batch: each loads a model once.
_loaded: dict[tuple[str, str], PyFuncModel] = {}
_loading = threading.Lock()


def spark_udf(
    spark: Any,
    model_uri: str,
    result_type: Any = None,
    env_manager: str | None = None,
    params: dict[str, Any] | None = None,
    extra_env: dict[str, str] | None = None,
    prebuilt_env_uri: str | None = None,
    model_config: str | os.PathLike[str] | dict[str, Any] | None = None,
) -> Callable[..., Any]:
    """Return a function of Spark's columns that predicts with a model.

    Rows reach the model in batches of Arrow's. Columns that are given without names have those of the
    signature, in its order, or `0`, `1` and so on; one struct keeps its own.

    Args:
        spark: the session.
        model_uri: a path or a URI.
        result_type: the type of the column: a type of Spark, or a text such as `double`,
            `array<string>`, `s double, n string`. Of several predicted values, the first that fits a
            plain type is taken, and all that fit an array's. Without it, what the signature says, or
            `double`.
        env_manager: where the model predicts; here in the workers' own Python, `local`.
        params: parameters of `predict`, as the signature tells.
        extra_env: environment variables for the workers.
        prebuilt_env_uri: an environment that was built before; not here.
        model_config: values that replace those of the model's configuration.

    Returns:
        A function of columns, or of their names; without arguments, of the signature's columns. Its
        `metadata` is the MLmodel.

    Raises:
        MlflowException: there is no such model, or predictions cannot have the type.
    """
    from pyspark.sql.functions import pandas_udf

    _check_environment(env_manager, prebuilt_env_uri)
    folder = os.path.abspath(local_model_folder(model_uri))
    meta = Model.load(folder)
    kind = result_type_of(spark, result_type, meta.get_output_schema())
    inputs = meta.get_input_schema()
    source = _offered(spark, folder)
    environment = dict(extra_env or {})

    def udf(batches: Iterator[Any]) -> Iterator[Any]:
        os.environ.update(environment)
        model = _model(source, model_config)
        for columns in batches:
            # One column comes without the tuple.
            rows = _rows(columns if isinstance(columns, tuple) else (columns,), inputs)
            if len(rows):
                yield as_column(model.predict(_as_taken(rows, inputs), params=params), kind)

    function = pandas_udf(_annotated(udf, kind), kind)

    @functools.wraps(function)
    def udf_with_default_cols(*columns: Any) -> Any:
        return function(*(columns or _default_columns(inputs)))

    udf_with_default_cols.metadata = meta  # type: ignore[attr-defined]
    return udf_with_default_cols


def _check_environment(manager: str | None, prebuilt: str | None) -> None:
    if manager not in (None, *_MANAGERS):
        raise invalid(
            f"Invalid value for `env_manager`: {manager}. Must be one of {list(_MANAGERS)}"
        )
    if manager not in (None, "local") or prebuilt is not None:
        raise MlflowException(
            "Functions of Spark predict in the Python of its workers. To give them the model's own "
            "environment, make it with `mlflow models prepare-env` and start Spark with its Python "
            "(`spark.pyspark.python`).",
            error_code="NOT_IMPLEMENTED",
        )


def _annotated(predict: Callable[..., Any], kind: Any) -> Callable[..., Any]:
    # Spark learns from these that batches come as an iterator of tuples.
    # It knows the names of `typing` only.
    import pandas as pd
    from pyspark.sql.types import StructType

    given: Any = pd.DataFrame if isinstance(kind, StructType) else pd.Series
    either: Any = typing.Union[pd.Series, pd.DataFrame]  # noqa: UP007
    predict.__annotations__ = {
        "batches": typing.Iterator[typing.Tuple[either, ...]],  # noqa: UP006
        "return": typing.Iterator[given],
    }
    return predict


def _default_columns(inputs: Schema | None) -> tuple[str, ...]:
    names = inputs.required_input_names() if inputs is not None and inputs.has_input_names() else []
    if not names:
        raise invalid(
            "Attempting to apply udf on zero columns because no column names were specified as "
            "arguments or inferred from the model signature."
        )
    return tuple(str(name) for name in names)


# ------------------------------------------------------------------- the model


def _offered(spark: Any, folder: str) -> str:
    """Let workers have a model's folder; return where they find it."""
    if _is_local(spark):
        return folder
    context = getattr(spark, "_sc", None)
    archive = f"millstream-{uuid.uuid4().hex}"
    # Spark reads the file when a worker asks for it, until the program ends.
    place = tempfile.mkdtemp(prefix="millstream-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    path = shutil.make_archive(os.path.join(place, archive), "zip", folder)
    if context is None:
        spark.addArtifact(path, file=True)
    else:
        context.addFile(path)
    return f"spark-file:{archive}.zip"


def _is_local(spark: Any) -> bool:
    context = getattr(spark, "_sc", None)
    master = str(context.master) if context is not None else spark.conf.get("spark.master", "")
    return master == "local" or master.startswith("local[")


def _model(source: str, model_config: Any) -> PyFuncModel:
    key = (source, repr(model_config))
    with _loading:
        if key not in _loaded:
            _loaded[key] = load_model(_folder(source), True, model_config=model_config)
        return _loaded[key]


def _folder(source: str) -> str:
    name = source.removeprefix("spark-file:")
    if name == source:
        return source
    from pyspark import SparkFiles

    # Which Spark removes when it ends.
    place = tempfile.mkdtemp(prefix="millstream-", dir=SparkFiles.getRootDirectory())
    shutil.unpack_archive(SparkFiles.get(name), place)
    return place


# -------------------------------------------------------------------- the rows


def _rows(columns: tuple[Any, ...], inputs: Schema | None) -> Any:
    import pandas as pd

    if len(columns) == 1 and isinstance(columns[0], pd.DataFrame):
        return columns[0]
    names: list[str] = []
    if inputs is not None and inputs.has_input_names():
        names = [str(name) for name in inputs.input_names()]
        required = inputs.required_input_names()
        if len(columns) < len(required):
            raise invalid(
                f"Model input is missing required columns. Expected {len(required)} required input "
                f"columns {required}, but the model received only {len(columns)} unnamed input "
                "columns (Since the columns were passed unnamed they are expected to be in the order "
                "specified by the schema)."
            )
        columns = columns[: len(names)]
    names += [str(place) for place in range(len(names), len(columns))]
    # A struct among other columns is one value a row.
    return pd.DataFrame({
        name: column.to_dict(orient="records") if isinstance(column, pd.DataFrame) else column
        for name, column in zip(names, columns, strict=False)
    })  # fmt: skip


def _as_taken(rows: Any, inputs: Schema | None) -> Any:
    """Return rows as a model of tensors takes them; those of other models as they are."""
    if inputs is None or not inputs.is_tensor_spec():
        return rows
    import numpy as np

    kinds: dict[Any, Any] = dict(zip(inputs.input_names(), inputs.input_types(), strict=True))
    if inputs.has_input_names():
        return {name: np.array(rows[name].tolist()).astype(kinds[name]) for name in rows.columns}
    (kind,) = inputs.input_types()
    if rows.shape[1] > 1:
        return rows.to_numpy().astype(typing.cast("Any", kind))
    return np.array(rows.iloc[:, 0].tolist()).astype(typing.cast("Any", kind))
