"""What a loaded model does with data, params and questions about itself."""

import logging

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature
from mlflow.pyfunc import PyFuncModel

FRAME = pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 1.0]})


class Plain:
    def predict(self, data):
        return data


class WithParams:
    def predict(self, data, params=None):
        return params


def described(impl, signature=None, **kwargs):
    return PyFuncModel(Model(signature=signature), impl, **kwargs)


def test_data_is_checked_against_the_signature():
    model = described(Plain(), infer_signature(FRAME))

    assert list(model.predict({"a": [1.0], "b": [2.0]}).columns) == ["a", "b"]
    with pytest.raises(MlflowException, match="missing inputs"):
        model.predict(pd.DataFrame({"a": [1.0]}))


def test_only_a_model_that_reads_gets_the_callers_frame(monkeypatch):
    class Reads(Plain):
        is_read_only = True

    copies = []
    real = pd.DataFrame.copy
    monkeypatch.setattr(
        pd.DataFrame, "copy", lambda self, deep=True: copies.append(deep) or real(self, deep)
    )
    signature = infer_signature(FRAME)

    assert described(Reads(), signature).predict(FRAME) is FRAME
    assert copies == []
    assert described(Plain(), signature).predict(FRAME) is not FRAME
    assert len(copies) == 1


def test_without_a_signature_data_passes_as_it_is():
    data = object()

    assert described(Plain()).predict(data) is data


def test_params_are_checked_and_completed():
    model = described(WithParams(), infer_signature(FRAME, None, {"k": 1, "s": "x"}))

    assert model.predict(FRAME) == {"k": 1, "s": "x"}
    assert model.predict(FRAME, params={"k": 5}) == {"k": 5, "s": "x"}
    with pytest.raises(MlflowException, match="Invalid parameters"):
        model.predict(FRAME, params={"k": "no number"})


def test_params_a_model_does_not_take_are_ignored_with_a_word(caplog):
    model = described(Plain(), infer_signature(FRAME, None, {"k": 1}))
    with caplog.at_level(logging.WARNING):
        model.predict(FRAME, params={"k": 2})

    assert "takes no params" in caplog.text


def test_keyword_arguments_of_pipelines_are_no_params(tmp_path):
    pipeline = make_pipeline(StandardScaler(), LinearRegression()).fit(FRAME, [0, 1])
    mlflow.sklearn.save_model(pipeline, tmp_path / "m")

    model = mlflow.pyfunc.load_model(tmp_path / "m")
    assert np.allclose(model.predict(FRAME), pipeline.predict(FRAME))


def test_an_implementation_without_the_method_is_refused():
    with pytest.raises(MlflowException, match="missing required nothing method"):
        described(Plain(), predict_fn="nothing")
    with pytest.raises(MlflowException, match="metadata"):
        PyFuncModel(None, Plain())


def test_streams_need_a_method():
    with pytest.raises(MlflowException, match="does not support predict_stream"):
        described(Plain()).predict_stream([1])


def test_what_is_inside(tmp_path):
    estimator = LinearRegression().fit(FRAME, [0, 1])
    mlflow.sklearn.save_model(estimator, tmp_path / "m", input_example=FRAME)
    model = mlflow.pyfunc.load_model(tmp_path / "m")

    assert isinstance(model.get_raw_model(), LinearRegression)
    assert model.loader_module == "mlflow.sklearn"
    assert model.model_config == {}
    assert model.model_id is None
    pd.testing.assert_frame_equal(model.input_example, FRAME)
    with pytest.raises(MlflowException, match="not logged from a PythonModel"):
        model.unwrap_python_model()
    with pytest.raises(NotImplementedError, match="get_raw_model"):
        described(Plain()).get_raw_model()
    assert described(Plain()).input_example is None


def test_it_shows_where_it_comes_from():
    meta = Model(run_id="r", artifact_path="file:///m")
    mlflow.pyfunc.add_to_model(meta, "mlflow.sklearn")

    assert repr(PyFuncModel(meta, Plain())) == (
        "mlflow.pyfunc.loaded_model:\n  artifact_path: file:///m\n  flavor: mlflow.sklearn\n"
        "  run_id: r\n"
    )


def test_models_of_one_description_are_equal():
    meta = Model()

    assert PyFuncModel(meta, Plain()) == PyFuncModel(meta, Plain())
    assert described(Plain()) != described(Plain())
    assert len({described(Plain()), described(Plain())}) == 2
