"""Saves models of further libraries below a folder, or reads folders and prints what they predict.

Runs in stock MLflow and in ours: `stock_flavors.py FLAVOR,… write FOLDER read FOLDER …`, as many as wanted; what
was read is printed as one JSON object.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import mlflow
from mlflow.models import Model, infer_signature

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
if mlflow.__version__.startswith("2."):
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # the only Keras that MLflow 2.6.0 knows
FRAME = pd.DataFrame(np.random.default_rng(0).random((40, 3)), columns=list("abc"))
ARRAY = FRAME.to_numpy("float32")
TARGET = FRAME.a * 3 + FRAME.b
CLASSES = (TARGET > 1.8).astype(int)


# Each returns name → (what makes the model, arguments of `save_model`, what is predicted).


def of_statsmodels():
    import statsmodels.api as sm
    from statsmodels.tsa.arima.model import ARIMA

    days = pd.Series(TARGET.to_numpy(), index=pd.date_range("2020-01-01", periods=40, freq="D"))
    example = {"input_example": FRAME.head(2)}
    return {
        "ols": (lambda: sm.OLS(TARGET, FRAME).fit(), example, FRAME),
        "bare": (lambda: sm.OLS(TARGET**2, FRAME).fit(), {"remove_data": True}, FRAME),
        "glm": (lambda: sm.GLM(TARGET**2, FRAME).fit(), example, FRAME),
        "series": (lambda: ARIMA(days, order=(1, 0, 0)).fit(), {}, pd.DataFrame({"start": [3], "end": [50]})),
    }  # fmt: skip


def of_onnx():
    from onnx import TensorProto, helper, numpy_helper

    def linear(width):
        weights = np.arange(3 * width, dtype="float32").reshape(3, width)
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "W"], ["y"])], "graph",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, width])],
            initializer=[numpy_helper.from_array(weights, "W")],
        )  # fmt: skip
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    signature = infer_signature(ARRAY, {"y": ARRAY})
    options = {"intra_op_num_threads": 1, "execution_mode": "sequential"}
    return {
        "small": (lambda: linear(1), {"signature": signature, "input_example": ARRAY[:2]}, ARRAY),
        "frame": (lambda: linear(1), {"onnx_session_options": options}, FRAME),
        "large": (
            lambda: linear(1000),
            {"onnx_execution_providers": ["CPUExecutionProvider"]},
            ARRAY,
        ),
        "whole": (lambda: linear(1000), {"save_as_external_data": False}, ARRAY),
    }


def of_catboost():
    import catboost

    few = {"iterations": 3, "verbose": False, "allow_writing_files": False}
    example = {"input_example": FRAME.head(2)}
    groups = [0] * 20 + [1] * 20
    ranker = catboost.CatBoostRanker(**few).fit(FRAME, CLASSES, group_id=groups)
    regressor = catboost.CatBoostRegressor(**few).fit(FRAME, TARGET)
    return {
        "base": (lambda: catboost.CatBoost(few).fit(FRAME, TARGET), example, FRAME),
        "classifier": (
            lambda: catboost.CatBoostClassifier(**few).fit(FRAME, CLASSES),
            example,
            FRAME,
        ),
        "regressor": (lambda: regressor, example, FRAME),
        "json": (lambda: regressor, {"format": "json"}, FRAME),
        "ranker": (lambda: ranker, {}, FRAME),
    }


def of_pytorch():
    import torch

    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1)
    ).eval()
    is_old = "serialization_format" not in inspect.signature(mlflow.pytorch.save_model).parameters
    asked = {} if is_old else {"serialization_format": "pickle"}
    models = {
        "pickle": (lambda: network, {**asked, "input_example": ARRAY[:2]}, ARRAY),
        "frame": (lambda: network, {**asked, "input_example": FRAME.head(2)}, FRAME),
        "script": (lambda: torch.jit.script(network), asked, ARRAY),
    }
    if not is_old:
        models["graph"] = (lambda: network, {"input_example": ARRAY[:2]}, ARRAY)
    return models


def of_prophet():
    from prophet import Prophet

    days = pd.DataFrame({"ds": pd.date_range("2020-01-01", periods=60), "y": np.arange(60.0)})
    quick = {"weekly_seasonality": False, "yearly_seasonality": False}
    # Bounds are drawn at random.
    quick["uncertainty_samples"] = 0
    more = pd.DataFrame({"ds": pd.date_range("2020-03-01", periods=3)})
    example = {"input_example": more}
    return {
        "linear": (lambda: Prophet(**quick).fit(days), example, more),
        "flat": (lambda: Prophet(growth="flat", **quick).fit(days), {}, more),
    }


def of_pmdarima():
    import pmdarima
    from pmdarima.pipeline import Pipeline
    from pmdarima.preprocessing import LogEndogTransformer

    values = np.arange(60.0) + 1 + np.random.default_rng(0).random(60)
    plain = pd.DataFrame({"n_periods": [3]})
    bounds = pd.DataFrame({"n_periods": [3], "return_conf_int": [True], "alpha": [0.1]})
    steps = [("log", LogEndogTransformer()), ("arima", pmdarima.ARIMA((1, 1, 0)))]
    return {
        "arima": (lambda: pmdarima.ARIMA((1, 1, 0)).fit(values), {"input_example": plain}, plain),
        "bounds": (lambda: pmdarima.ARIMA((1, 1, 0)).fit(values), {}, bounds),
        "pipeline": (lambda: Pipeline(steps).fit(values), {}, plain),
    }


def of_spacy():
    import spacy

    def categorizer(kind):
        spacy.util.fix_random_seed(0)
        pipeline = spacy.blank("en")
        part = pipeline.add_pipe(kind)
        for label in ("A", "B"):
            part.add_label(label)
        pipeline.initialize()
        return pipeline

    texts = pd.DataFrame({"text": ["one text", "another"]})
    return {
        "one": (lambda: categorizer("textcat"), {}, texts),
        "several": (lambda: categorizer("textcat_multilabel"), {}, texts),
    }


def networks(keras):
    def layers():
        keras.utils.set_random_seed(0)
        return keras.Sequential(
            [keras.layers.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2)]
        )

    def branches():
        a, b = keras.layers.Input((3,), name="a"), keras.layers.Input((3,), name="b")
        both = keras.layers.Add(name="sum")([a, b])
        return keras.Model([a, b], [both, keras.layers.Multiply(name="product")([a, b])])

    return layers, branches


def of_keras():
    import keras

    layers, branches = networks(keras)
    signature = infer_signature(ARRAY, ARRAY[:, :2])
    return {
        "layers": (layers, {"signature": signature}, ARRAY),
        "frame": (layers, {}, FRAME),
        "branches": (branches, {}, {"a": ARRAY, "b": ARRAY}),
        "exported": (layers, {"signature": signature, "save_exported_model": True}, ARRAY),
    }


def of_tensorflow():
    import tensorflow as tf

    layers, branches = networks(tf.keras)

    class Linear(tf.Module):
        def __init__(self):
            super().__init__()
            self.weights = tf.Variable([[1.0], [2.0], [3.0]])

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
        def __call__(self, x):
            return tf.matmul(x, self.weights)

    rows = {"a": ARRAY, "b": ARRAY}
    return {
        "layers": (layers, {"input_example": ARRAY[:2]}, ARRAY),
        "frame": (layers, {}, FRAME),
        "branches": (branches, {}, rows),
        "hdf5": (layers, {"keras_model_kwargs": {"save_format": "h5"}}, ARRAY),
        "module": (Linear, {"input_example": ARRAY[:2]}, ARRAY),
    }


def of_transformers():
    from tiny_pipelines import PIPELINES, QUESTION, SOME, WAVE, generator

    # What would be drawn at random or go on for long.
    config = "model_config" if mlflow.__version__ > "3" else "inference_config"
    short = {config: {"max_new_tokens": 5, "do_sample": False}}
    generated = ("generator", "summary", "text2text", "translation")
    models = {
        name: (make, dict(short) if name in generated else {}, rows)
        for name, (make, rows) in PIPELINES.items()
    }
    examples = {"classifier": SOME, "features": SOME, "question": QUESTION}
    if mlflow.__version__ < "3":
        # Which has no pyfunc of these.
        del models["images"], models["sounds"], models["speech"]
    else:
        examples |= {"sounds": WAVE, "speech": WAVE}
    for name, rows in examples.items():
        models[name][1]["input_example"] = rows
    parts = {"task": "text-classification", config: {"top_k": 2}}
    classifier = PIPELINES["classifier"][0]
    models["parts"] = (
        lambda: {"model": classifier().model, "tokenizer": classifier().tokenizer},
        parts,
        SOME,
    )
    if mlflow.__version__ > "3":
        prompts = pd.DataFrame({"prompt": ["one two", "a"], "max_tokens": [4, 4]})
        messages = [{"role": "user", "content": "one two"}]
        unsampled = {"model_config": {"do_sample": False}}
        models |= {
            "params": (classifier, {"input_example": (SOME, {"top_k": 2})}, SOME),
            "template": (generator, {**short, "prompt_template": "a {prompt} b"}, SOME),
            "completions": (generator, {**unsampled, "task": "llm/v1/completions"}, prompts),
            "chat": (
                generator, {**unsampled, "task": "llm/v1/chat", "metadata": {"a": 1}},
                {"messages": messages, "max_tokens": 4},
            ),
            "embeddings": (PIPELINES["features"][0], {"task": "llm/v1/embeddings"}, {"input": SOME}),
        }  # fmt: skip
    return models


def of_sentence_transformers():
    import tempfile

    from tiny_pipelines import SOME, sentences

    def model():
        with tempfile.TemporaryDirectory() as folder:
            made = sentences(folder)
        made[0].auto_model.name_or_path = "tiny"
        return made

    frame = pd.DataFrame({"text": SOME})
    models = {"plain": (model, {}, SOME), "example": (model, {"input_example": frame}, frame)}
    if mlflow.__version__ > "3":
        settings = {"input_example": (SOME, {"normalize_embeddings": True})}
        models["params"] = (model, settings, SOME)
        models["served"] = (model, {"task": "llm/v1/embeddings"}, {"input": SOME})
    return models


FLAVORS = {
    name.removeprefix("of_"): function
    for name, function in list(globals().items())
    if name.startswith("of_")
}


def write(flavor, folder):
    for name, (make, arguments, _) in FLAVORS[flavor]().items():
        save = getattr(mlflow, flavor).save_model
        # MLflow 2.6.0 knows fewer arguments.
        known = set(inspect.signature(save).parameters)
        given = {key: value for key, value in arguments.items() if key in known or key == "format"}
        save(make(), f"{folder}/{flavor}_{name}", pip_requirements=["mlflow"], **given)


def plain(value):
    if isinstance(value, dict):
        # These are drawn anew each time.
        return {key: plain(entry) for key, entry in value.items() if key not in ("id", "created")}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if isinstance(value, pd.DataFrame):
        return {key: plain(value[key]) for key in value.columns}
    array = np.asarray(value)
    if array.dtype.kind == "M":
        return array.astype("datetime64[s]").astype(str).tolist()
    # The last digits are those of other versions of NumPy.
    return (array.round(6) if array.dtype.kind == "f" else array).tolist()


def read(flavor, folder):
    found = {}
    data = {name: rows for name, (_, _, rows) in FLAVORS[flavor]().items()}
    for path in sorted(Path(folder).glob(f"{flavor}_*/MLmodel")):
        name = path.parent.name.removeprefix(f"{flavor}_")
        model = mlflow.pyfunc.load_model(str(path.parent))
        raw = getattr(mlflow, flavor).load_model(str(path.parent))
        flavors = Model.load(str(path.parent)).flavors
        for conf in flavors.values():
            conf.pop("python_version", None)
            conf.pop(f"{flavor}_version", None)
        found[path.parent.name] = {
            "predictions": plain(model.predict(data[name])),
            "flavors": flavors,
            "class": type(raw).__name__,
        }
    return found


if __name__ == "__main__":
    results = {}
    for flavor in sys.argv[1].split(","):
        for what, folder in zip(sys.argv[2::2], sys.argv[3::2], strict=True):
            if what == "write":
                write(flavor, folder)
            else:
                results.setdefault(folder, {}).update(read(flavor, folder))
    print(json.dumps(results))
