"""Saving models that pyfunc loads, of every kind, and reading them back."""

import logging
import os

import cloudpickle
import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature
from mlflow.pyfunc import PythonModel

FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})


class Scaled(PythonModel):
    def __init__(self):
        self.factor = 1

    def load_context(self, context):
        with open(context.artifacts["factor"]) as file:
            self.factor = float(file.read())

    def predict(self, context, model_input, params=None):
        return model_input["a"] * self.factor + (params or {}).get("shift", 0)


class Streaming(PythonModel):
    def predict(self, model_input):
        return list(model_input)

    def predict_stream(self, context, model_input, params=None):
        yield from model_input


@pytest.fixture
def artifact(tmp_path):
    path = tmp_path / "factor.txt"
    path.write_text("3")
    return str(path)


def test_a_python_model_with_artifacts_and_params(tmp_path, artifact):
    signature = infer_signature(FRAME, [1.0], {"shift": 10.0})
    mlflow.pyfunc.save_model(
        tmp_path / "m", python_model=Scaled(), artifacts={"factor": artifact}, signature=signature
    )
    os.remove(artifact)

    model = mlflow.pyfunc.load_model(tmp_path / "m")

    assert model.predict(FRAME).tolist() == [13.0, 16.0]
    assert model.predict(FRAME, params={"shift": 0.0}).tolist() == [3.0, 6.0]
    assert isinstance(model.unwrap_python_model(), Scaled)


def test_artifacts_of_one_name_do_not_replace_each_other(tmp_path, artifact):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "factor.txt").write_text("5")
    mlflow.pyfunc.save_model(
        tmp_path / "m",
        python_model=Scaled(),
        artifacts={"factor": artifact, "second": str(tmp_path / "other" / "factor.txt")},
    )

    entries = Model.load(tmp_path / "m").flavors["python_function"]["artifacts"]
    texts = {name: (tmp_path / "m" / e["path"]).read_text() for name, e in entries.items()}
    assert texts == {"factor": "3", "second": "5"}


def test_the_base_class_itself_can_be_logged():
    """Checkpoints of transformers are logged this way."""
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model("checkpoint-5", artifacts={}, python_model=PythonModel())

    model = mlflow.pyfunc.load_model(info.model_uri)
    with pytest.raises(NotImplementedError):
        model.predict([1])


def test_a_function_is_a_model(tmp_path):
    def double(values):
        return [value * 2 for value in values]

    mlflow.pyfunc.save_model(tmp_path / "m", python_model=double)
    model = mlflow.pyfunc.load_model(tmp_path / "m")

    assert model.predict([1, 2]) == [2, 4]
    assert model.unwrap_python_model()([1]) == [2]


def test_a_python_file_is_a_model(tmp_path):
    code = tmp_path / "m.py"
    code.write_text(
        "import mlflow\n"
        "class M(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input, params=None):\n"
        "        return [context.model_config['k']] * len(model_input)\n"
        "mlflow.models.set_model(M())\n"
    )
    mlflow.pyfunc.save_model(
        tmp_path / "m", python_model=str(code), model_config={"k": 1}, input_example=FRAME
    )
    code.unlink()

    assert mlflow.pyfunc.load_model(tmp_path / "m").predict(FRAME) == [1, 1]
    loaded = mlflow.pyfunc.load_model(tmp_path / "m", model_config={"k": 2})
    assert loaded.predict(FRAME) == [2, 2]
    assert loaded.model_config == {"k": 2}
    assert loaded.metadata.signature is not None


def test_a_loader_module_with_data_and_code(tmp_path, artifact):
    code = tmp_path / "loader_shipped_with_it.py"
    code.write_text(
        "class Loaded:\n"
        "    def __init__(self, path):\n"
        "        with open(path) as file: self.text = file.read()\n"
        "    def predict(self, data): return self.text\n"
        "def _load_pyfunc(path): return Loaded(path)\n"
    )
    mlflow.pyfunc.save_model(
        tmp_path / "m", loader_module="loader_shipped_with_it", data_path=artifact,
        code_paths=[str(code)],
    )  # fmt: skip
    code.unlink()

    assert mlflow.pyfunc.load_model(tmp_path / "m").predict(FRAME) == "3"


def test_streaming_is_found_out(tmp_path):
    mlflow.pyfunc.save_model(tmp_path / "m", python_model=Streaming())
    model = mlflow.pyfunc.load_model(tmp_path / "m")

    assert list(model.predict_stream((1, 2))) == [1, 2]
    for one in ([{"a": 1}], pd.DataFrame({"a": [1]}), np.array([{"a": 1}])):
        assert list(model.predict_stream(one)) == ["a"]
    for several in ([1, 2], [], FRAME.head(2)):
        with pytest.raises(MlflowException, match="requires single input"):
            model.predict_stream(several)
    assert model.predict([1]) == [1]
    assert Model.load(tmp_path / "m").flavors["python_function"]["streamable"] is True


def test_an_example_gives_a_signature_without_a_second_copy(tmp_path, artifact, monkeypatch):
    monkeypatch.setattr(cloudpickle, "load", None)
    mlflow.pyfunc.save_model(
        tmp_path / "m", python_model=Scaled(), artifacts={"factor": artifact}, input_example=FRAME
    )

    signature = Model.load(tmp_path / "m").signature
    assert signature.inputs.input_names() == ["a", "b"]


def test_params_of_an_example_reach_the_prediction_that_gives_the_outputs(tmp_path):
    class Told(PythonModel):
        def predict(self, model_input, params=None):
            return dict(params)

    mlflow.pyfunc.save_model(tmp_path / "m", python_model=Told(), input_example=(FRAME, {"x": 1.5}))

    signature = Model.load(tmp_path / "m").signature
    assert signature.outputs.input_names() == ["x"]
    assert [param.name for param in signature.params] == ["x"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "must be specified"),
        ({"python_model": Scaled(), "loader_module": "x"}, "cannot be specified together"),
        ({"python_model": Scaled}, "an instance of it"),
        ({"python_model": 3}, "must be a PythonModel instance"),
        ({"python_model": lambda a, b: a}, "exactly one argument"),
        ({"python_model": "nowhere.py"}, "does not exist"),
        ({"python_model": Scaled(), "model_config": 3}, "model_config"),
    ],
)
def test_what_cannot_be_saved_is_refused(tmp_path, given, message):
    with pytest.raises(MlflowException, match=message):
        mlflow.pyfunc.save_model(tmp_path / "m", **given)


def test_unknown_arguments_are_refused(tmp_path):
    with pytest.raises(TypeError, match="nonsense"):
        mlflow.pyfunc.save_model(tmp_path / "m", python_model=Scaled(), nonsense=1)


def test_a_model_that_cannot_be_pickled_says_what_to_do(tmp_path):
    class Locked(PythonModel):
        def __init__(self):
            import threading

            self.lock = threading.Lock()

    with pytest.raises(MlflowException, match="code-based logging"):
        mlflow.pyfunc.save_model(tmp_path / "m", python_model=Locked())


def test_the_pin_of_a_library_used_inside_a_method_is_found(tmp_path):
    class Uses(PythonModel):
        def predict(self, context, model_input, params=None):
            import scipy

            return scipy.sum(np.asarray(model_input))

    mlflow.pyfunc.save_model(tmp_path / "m", python_model=Uses())

    lines = (tmp_path / "m" / "requirements.txt").read_text().splitlines()
    assert lines[0] == "mlflow==3.17.2"
    assert {line.split("==")[0] for line in lines} >= {"cloudpickle", "numpy", "scipy"}


def test_an_example_that_fails_to_predict_is_kept(tmp_path, caplog):
    def fail(values):
        raise RuntimeError("no")

    with caplog.at_level(logging.WARNING):
        mlflow.pyfunc.save_model(tmp_path / "m", python_model=fail, input_example=[1])

    assert Model.load(tmp_path / "m").signature is None
    assert (tmp_path / "m" / "input_example.json").exists()


def test_defaults():
    requirements = mlflow.pyfunc.get_default_pip_requirements()
    conda = mlflow.pyfunc.get_default_conda_env()

    assert requirements == [f"cloudpickle=={cloudpickle.__version__}"]
    assert conda["dependencies"][-1] == {"pip": ["mlflow==3.17.2", *requirements]}


def test_what_an_mlmodel_says_of_pyfunc():
    model = mlflow.pyfunc.add_to_model(
        Model(), "x.y", data="d", code="c", conda_env="conda.yaml", python_env="python_env.yaml",
        model_config={"a": 1}, extra=2,
    )  # fmt: skip

    conf = model.flavors["python_function"]
    assert conf.pop("python_version")
    assert conf == {
        "loader_module": "x.y", "data": "d", "code": "c", "config": {"a": 1}, "extra": 2,
        "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
    }  # fmt: skip
