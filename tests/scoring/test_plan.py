"""The plan: which requests go to the array twin, and that it answers as the plain path does."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlflow.exceptions import MlflowException
from mlflow.models.signature import ModelSignature
from mlflow.scoring.payload import CSV, JSON
from mlflow.scoring.plan import Plan
from mlflow.types.schema import ColSpec, ParamSchema, ParamSpec, Schema

from .saved import saved_model
from .served import NAMES, Served, sklearn_model, table


def documents(frame):
    rows = frame.values.tolist()
    return [
        {"columns": NAMES, "instances": rows},
        {"columns": NAMES[::-1], "instances": [row[::-1] for row in rows]},
        {"dataframe_split": {"columns": NAMES, "data": rows}},
        {"dataframe_records": frame.to_dict("records")},
        {"instances": [{**row, "more": 1} for row in frame.to_dict("records")]},
        {"inputs": frame.to_dict("list")},
    ]


@pytest.mark.parametrize(
    "estimator",
    [ElasticNet(alpha=0.01), make_pipeline(StandardScaler(), ElasticNet(alpha=0.01)),
     LogisticRegression()],
)  # fmt: skip
@pytest.mark.parametrize("form", range(6))
def test_the_array_path_equals_the_plain_path(estimator, form):
    """Each form gives the same predictions with and without the array twin."""
    frame, numbers = table()
    target = (numbers > 0.5).astype(int) if isinstance(estimator, LogisticRegression) else numbers
    plan = Plan(sklearn_model(estimator, target))
    plain = Plan(plan.model)
    plain.twin = None
    body = json.dumps(documents(frame)[form]).encode()
    work = plan.read(body, JSON)

    assert work.array
    assert not plain.read(body, JSON).array
    assert np.allclose(plain.call(plain.read(body, JSON)), plan.call(work), rtol=1e-12)


def test_csv_takes_the_array_path():
    """CSV of numbers goes to the array twin as well."""
    frame, _ = table(rows=5)
    plan = Plan(sklearn_model())
    work = plan.read(frame.to_csv(index=False).encode(), CSV)

    assert work.array
    assert np.allclose(frame.to_numpy(), work.data, rtol=0, atol=0)


def test_the_twin_must_prove_itself():
    """A model whose answer differs from its estimator's keeps the plain path."""
    model = sklearn_model()
    inner = model._predict
    model._predict = lambda data: inner(data) + 1

    assert Plan(model).twin is None


WITHOUT_PANDAS = """
import json, sys
sys.modules["pandas"] = None
import mlflow
from mlflow.exceptions import MlflowException
from mlflow.scoring.payload import CSV, JSON
from mlflow.scoring.plan import Plan

plan = Plan(mlflow.pyfunc.load_model(sys.argv[1]))
given = json.load(sys.stdin)
found = [plan.call(plan.read(json.dumps(one).encode(), JSON)).tolist() for one in given["json"]]
found.append(plan.call(plan.read(given["csv"].encode(), CSV)).tolist())
try:
    plan.read(b'{"dataframe_split": {"columns": ["a", "b", "c"], "data": [[1, 2, 3]], "index": [1]}}', JSON)
except MlflowException as error:
    found.append([error.get_http_status_code(), error.message])
json.dump(found, sys.stdout)
"""


def test_models_of_arrays_need_no_pandas(tmp_path):
    """Without pandas every form with named columns is answered, or refused with the reason."""
    path, estimator, frame = saved_model(tmp_path / "m")
    given = {"json": documents(frame.head(3)), "csv": frame.head(3).to_csv(index=False)}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANDAS, path], input=json.dumps(given),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    *found, refusal = json.loads(done.stdout)

    assert len(found) == 7
    for answer in found:
        assert np.allclose(answer, estimator.predict(frame.head(3)), rtol=1e-12)
    assert refusal[0] == 501
    assert "pip install pandas" in refusal[1]


def test_other_loaders_have_no_twin():
    """Only the scikit-learn loader is known to hand data to the estimator unchanged."""
    model = sklearn_model()
    model.metadata.flavors["python_function"]["loader_module"] = "mine"

    assert Plan(model).twin is None


def test_params_reach_the_model():
    """Declared parameters are passed, unknown ones dropped, wrong ones refused."""
    signature = ModelSignature(
        Schema([ColSpec("double", "a")]), None, ParamSchema([ParamSpec("k", "long", 3)])
    )
    model = Served(lambda data, params: [params["k"]] * len(data), signature)
    plan = Plan(model)

    def ask(params):
        document = {"dataframe_records": [{"a": 1.0}], "params": params}
        return plan.call(plan.read(json.dumps(document).encode(), JSON))

    assert [5] == ask({"k": 5})
    assert [3] == ask({"__class__": "x"})
    for wrong in ({"k": "x"}, {"k": 1.5}, [1], "k"):
        with pytest.raises(MlflowException):
            ask(wrong)


def test_params_without_a_schema_are_ignored():
    """A model that declares no parameters gets none."""
    plan = Plan(Served(lambda data: [len(data)]))
    work = plan.read(b'{"inputs": [1], "params": [1]}', JSON)

    assert work.params is None


def test_type_hints_take_inputs_only():
    """A model whose signature comes from type hints gets `inputs` as it is."""
    plan = Plan(Served(lambda data: data, type_hint=True))

    assert [{"a": [1]}] == plan.read(b'{"inputs": [{"a": [1]}]}', JSON).data
    with pytest.raises(MlflowException, match="type hints"):
        plan.read(b'{"instances": [1]}', JSON)


def test_passthrough():
    """Requests for language models reach the model whole."""
    work = Plan(Served(lambda data: data)).read(b'{"messages": [1]}', JSON)

    assert work.unwrapped
    assert {"messages": [1]} == work.data


def test_parquet_needs_a_parquet_file():
    """Bytes that are no Parquet file are refused."""
    with pytest.raises(MlflowException, match="arquet"):
        Plan(Served(lambda data: data)).read(b"junk", "application/vnd.apache.parquet")
