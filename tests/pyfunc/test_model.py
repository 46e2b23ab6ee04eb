"""PythonModels: how predict is called whatever arguments it has, and what their folders name."""

import pickle

import pytest
import yaml

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models.deserialize import POLICY_VARIABLE
from mlflow.pyfunc import PythonModel, PythonModelContext
from mlflow.pyfunc import model as home


class Old(PythonModel):
    def predict(self, context, model_input):
        return (context.model_config, model_input)


class New(PythonModel):
    def predict(self, model_input):
        return model_input


class NewWithParams(PythonModel):
    def predict(self, model_input, params=None):
        return (model_input, params)


class Full(PythonModel):
    def predict(self, context, model_input, params=None):
        return (context.model_config, model_input, params)


class OtherNames(PythonModel):
    def predict(self, ctx, data, params):
        return (ctx.model_config, data, params)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Old, ("c", "x")),
        (New, "x"),
        (NewWithParams, ("x", {"p": 1})),
        (Full, ("c", "x", {"p": 1})),
        (OtherNames, ("c", "x", {"p": 1})),
    ],
)
def test_predict_gets_the_arguments_it_names(kind, expected):
    wrapper = home._PythonModelPyfuncWrapper(kind(), PythonModelContext({}, "c"))

    assert wrapper.predict("x", {"p": 1}) == expected
    assert isinstance(wrapper.get_raw_model(), kind)


def test_pickles_name_the_module_that_other_versions_have():
    assert b"mlflow.pyfunc.model" in pickle.dumps(PythonModel())
    assert PythonModel.__module__ == "mlflow.pyfunc.model"
    assert vars(home._FunctionPythonModel(len)) == {"func": len, "signature": None}


def test_a_context_shows_artifacts_and_config():
    context = PythonModelContext({"a": "/p"}, {"k": 1})

    assert (context.artifacts, context.model_config) == ({"a": "/p"}, {"k": 1})


def test_models_that_define_nothing_say_so():
    model = PythonModel()

    assert model.load_context(None) is None
    for method in (model.predict, model.predict_stream):
        with pytest.raises(NotImplementedError):
            method(None, None)


def change(folder, edit):
    path = folder / "MLmodel"
    content = yaml.safe_load(path.read_text())
    edit(content["flavors"]["python_function"])
    path.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c.pop("python_model"), "was not specified"),
        (lambda c: c.update(python_model="../x"), "not a path inside"),
        (lambda c: c.update(python_model="nowhere.pkl"), "is not there"),
        (lambda c: c.update(python_model_compression="os"), "is no compression"),
        (lambda c: c.update(artifacts={"a": {"path": "/etc/passwd"}}), "not a path inside"),
    ],
)
def test_folders_that_do_not_fit_are_refused(tmp_path, edit, message):
    mlflow.pyfunc.save_model(tmp_path / "m", python_model=New())
    change(tmp_path / "m", edit)

    with pytest.raises(MlflowException, match=message):
        mlflow.pyfunc.load_model(tmp_path / "m")


@pytest.mark.parametrize(
    ("compression", "name"),
    [("lzma", "python_model.pkl.xz"), ("bzip2", "python_model.pkl.bz2"),
     ("gzip", "python_model.pkl.gz"), ("zip", "python_model.pkl")],
)  # fmt: skip
def test_models_are_compressed_as_the_environment_says(tmp_path, monkeypatch, compression, name):
    monkeypatch.setenv("MLFLOW_LOG_MODEL_COMPRESSION", compression)
    mlflow.pyfunc.save_model(tmp_path / "m", python_model=New())
    monkeypatch.delenv("MLFLOW_LOG_MODEL_COMPRESSION")

    assert (tmp_path / "m" / name).is_file()
    assert "cloudpickle==" in (tmp_path / "m" / "requirements.txt").read_text()
    assert mlflow.pyfunc.load_model(tmp_path / "m").predict("x") == "x"


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_pickles_are_refused_where_code_is(tmp_path, monkeypatch, compression):
    mlflow.pyfunc.save_model(tmp_path / "m", python_model=New())
    if compression:
        change(tmp_path / "m", lambda c: c.update(python_model_compression=compression))
    monkeypatch.setenv(POLICY_VARIABLE, "0")

    with pytest.raises(MlflowException, match="pickle"):
        mlflow.pyfunc.load_model(tmp_path / "m")
