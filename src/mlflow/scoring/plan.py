"""The plan of a served model: from a request to the model's answer."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from mlflow.scoring import cast
from mlflow.scoring.arrays import array_twin
from mlflow.scoring.layout import NUMBERS, Layout, frame, inputs_only, pandas
from mlflow.scoring.payload import (
    CSV,
    JSON,
    Parsed,
    Raw,
    Table,
    bad_request,
    check_depth,
    parse_json,
)

_METHODS = frozenset({"predict", "predict_proba", "predict_log_proba", "decision_function"})


class Work(NamedTuple):
    """What to call the model with; `array` says that `data` goes to the array twin."""

    data: Any
    params: dict[str, Any] | None = None
    array: bool = False
    unwrapped: bool = False


class Plan:
    """How requests become calls of one loaded model.

    Args:
        model: what `mlflow.pyfunc.load_model` returned.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        metadata = model.metadata
        signature = getattr(metadata, "signature", None)
        self.layout = Layout(signature.inputs if signature is not None else None)
        params = getattr(signature, "params", None)
        self.has_params = params is not None
        self.param_names = frozenset(item.name for item in params or ())
        self.raw_inputs = bool(getattr(metadata, "is_signature_from_type_hint", False))
        self.twin = self._find_twin()

    def _find_twin(self) -> Any | None:
        """Return the bound method that takes arrays, proved on two rows, or None."""
        conf = (getattr(self.model.metadata, "flavors", None) or {}).get("python_function", {})
        method = conf.get("predict_fn", "predict")
        names = self.layout.names
        if (
            conf.get("loader_module") != "mlflow.sklearn"
            or names is None
            or method not in _METHODS
            or not all(kind in NUMBERS and required for _, kind, required in self.layout.columns)
        ):
            return None
        twin = array_twin(self.model.get_raw_model(), names)
        if twin is None or not hasattr(twin, method):
            return None
        predict = getattr(twin, method)
        return predict if self._agrees(predict) else None

    def _agrees(self, predict: Any) -> bool:
        kinds = self.layout.kinds
        probe = np.arange(1, 2 * len(kinds) + 1).reshape(2, -1)
        columns = [
            probe[:, place].astype(cast.common_dtype([kind])) for place, kind in enumerate(kinds)
        ]
        try:
            actual = np.asarray(predict(probe.astype(cast.common_dtype(kinds))))
            if find_spec("pandas") is None:
                # There is no other path to agree with: frames cannot even be made here.
                return True
            expected = np.asarray(self.model.predict(frame(self.layout.names, columns)))
        except Exception:  # noqa: BLE001 - any doubt at all means the plain path
            return False
        return actual.shape == expected.shape and (
            np.array_equal(actual, expected) or _close(actual, expected)
        )

    def read(self, body: bytes, kind: str) -> Work:
        """Return the call that a request asks for.

        Args:
            body: the request's bytes.
            kind: "application/json", "text/csv" or the Parquet media type.

        Raises:
            MlflowException: (400) the body breaks the protocol or does not fit the signature.
        """
        if kind == JSON:
            return self.prepare(parse_json(body, self.param_names))
        if kind == CSV:
            payload = self.layout.csv_payload(body)
            return self.prepare(Parsed(payload)) if isinstance(payload, Table) else Work(payload)
        return Work(_parquet(body))

    def prepare(self, parsed: Parsed) -> Work:
        """Return the call that a parsed request asks for; see `read`."""
        payload, params, unwrapped = parsed
        params = self._params(params)
        if unwrapped:
            value = payload.value if isinstance(payload, Raw) else payload
            return Work(value, params, unwrapped=True)
        if self.raw_inputs:
            return Work(inputs_only(payload), params)
        if self.twin is not None and params is None:
            rows = self.layout.ordered_rows(payload)
            if rows:
                names = self.layout.names or []
                return Work(cast.matrix(rows, self.layout.kinds, names), array=True)
        return Work(self.layout.data(payload), params)

    def _params(self, params: Any) -> dict[str, Any] | None:
        if params is None or not self.has_params:
            return None
        if not isinstance(params, dict):
            raise bad_request(
                f"Invalid input. 'params' must be an object, not a {type(params).__name__}."
            )
        check_depth(params)
        return {key: value for key, value in params.items() if key in self.param_names} or None

    def call(self, work: Work) -> Any:
        """Return the model's answer to one call."""
        if work.array and self.twin is not None:
            return self.twin(work.data)
        if work.params is None:
            return self.model.predict(work.data)
        return self.model.predict(work.data, params=work.params)


def _parquet(body: bytes) -> Any:
    pd = pandas()
    try:
        return pd.read_parquet(io.BytesIO(body))
    except ImportError:
        raise bad_request("Parquet needs pyarrow, which is not installed here.") from None
    except Exception:  # noqa: BLE001 - the reader's errors are of many libraries
        raise bad_request(
            "Failed to parse input as a Pandas DataFrame. Ensure that the input is a valid "
            "Parquet file produced using the `pandas.DataFrame.to_parquet()` method."
        ) from None


def _close(actual: Any, expected: Any) -> bool:
    return actual.dtype.kind == "f" and bool(
        np.allclose(actual, expected, rtol=1e-9, atol=1e-12, equal_nan=True)
    )
