"""Evaluates models and prints what the runs hold; for stock MLflow and ours.

`evaluated.py FOLDER` keeps its store below FOLDER.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import LinearSVC

import mlflow
import mlflow.sklearn
from mlflow.metrics import MetricValue, make_metric
from mlflow.models import EvaluationResult, MetricThreshold

random = np.random.RandomState(0)
FRAME = pd.DataFrame(random.rand(60, 3), columns=list("abc"))
TWO = ((FRAME.a + random.rand(60) * 0.6) > 0.8).astype(int)
MANY = (FRAME.a * 3 + random.rand(60) * 0.8).astype(int)
NUMBERS = FRAME.a * 2 - FRAME.b
WORDS = TWO.map({0: "no", 1: "yes"})
WEIGHTS = np.linspace(0.1, 1, 60)
DOCS = pd.DataFrame({
    "question": list("qrstu"),
    "wanted": [["a", "b"], ["c"], ["a"], [], ["a", "b", "c", "d"]],
    "found": [["a", "x", "b"], ["d", "c"], ["x", "a", "a"], ["a"], ["q", "a", "b", "c"]],
})  # fmt: skip
EVALUATE = mlflow.models.evaluate


def with_(target: object, **more: object) -> pd.DataFrame:
    return FRAME.assign(y=target, **more)


def largest(predictions, targets, metrics):
    own = metrics["mean_absolute_error"].aggregate_results["mean_absolute_error"]
    return float((predictions - targets).abs().max()) + own


def scored(predictions, targets, metrics):
    scores = [float(one) for one in predictions]
    return MetricValue(scores, ["because"] * len(scores), {"mean": 1.5, "most": 2})


def plain(predictions, a):
    return MetricValue([float(one) for one in a])


def derived(largest, scored, zone, w, z=3):
    return largest.aggregate_results["largest"] + w + z + float(zone.sum())


def old_style(eval_df, builtin_metrics):
    return float(eval_df["prediction"].sum()) + builtin_metrics["max_error"]


def files(eval_df, builtin_metrics, artifacts_dir):
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])
    picture = os.path.join(artifacts_dir, "picture.png")
    text = os.path.join(artifacts_dir, "text.txt")
    figure.savefig(picture)
    with open(text, "w") as file:
        file.write(f"{list(eval_df.columns)} {sorted(builtin_metrics)[:2]}")
    return {
        "figure": figure, "frame": pd.DataFrame({"a": [1, 2]}), "array": np.arange(3),
        "dict": {"a": [1, 2]}, "list": [1, 2], "tuple": (1, 2), "number": 3, "json": '{"a": 1}',
        "numpys": {"a": np.int64(3)}, "nothing": None, "picture": picture, "text": text,
        "object": {1, 2},
    }  # fmt: skip


def metric(function: object, **more: object) -> object:
    return make_metric(eval_fn=function, greater_is_better=True, **more)


def cases() -> dict[str, object]:
    two, many = LogisticRegression().fit(FRAME, TWO), LogisticRegression().fit(FRAME, MANY)
    models = {
        "two": two,
        "many": many,
        "words": LogisticRegression().fit(FRAME, WORDS),
        "numbers": Ridge().fit(FRAME, NUMBERS),
        "sure": LinearSVC().fit(FRAME, TWO),
        "array": Ridge().fit(FRAME.to_numpy(), NUMBERS),
    }
    with mlflow.start_run():
        uris = {
            name: mlflow.sklearn.log_model(model, name="m", pip_requirements=[]).model_uri
            for name, model in models.items()
        }

    def of(model, data, kind, config=None, **more):
        config = {"log_model_explainability": False, **(config or {})}
        return lambda: EVALUATE(
            uris.get(model, model) if isinstance(model, str) else model, data,
            targets=more.pop("targets", "y"), model_type=kind, evaluator_config=config, **more,
        )  # fmt: skip

    half, twice = (lambda x: (x.a > 0.5).astype(int)), (lambda x: x.a * 2)
    pairs = lambda x: pd.DataFrame({"p": x.a, "q": x.b})  # noqa: E731
    cls, reg, arrays = "classifier", "regressor", FRAME.to_numpy()
    known = mlflow.data.from_pandas(with_(NUMBERS), targets="y", name="known")
    return {
        "two": of("two", with_(TWO), cls),
        "two other way": of("two", with_(TWO), cls, {"pos_label": 0, "sample_weights": WEIGHTS,
                                                          "average": "macro"}),
        "two by words": of("words", with_(WORDS), cls, {"pos_label": "no"}),
        "two without probabilities": of("sure", with_(TWO), cls),
        "two of a function": of(half, with_(TWO), cls, extra_metrics=[metric(scored)]),
        "many": of("many", with_(MANY), cls),
        "many weighted": of("many", with_(MANY), cls, {"sample_weights": WEIGHTS, "metric_prefix": "v_",
                                                      "average": "macro", "label_list": [0, 1, 2, 3]}),
        "many, few curves": of("many", with_(MANY), cls, {"max_classes_for_multiclass_roc_pr": 2}),
        "many given": of(None, with_(MANY, p=many.predict(FRAME)), cls, predictions="p"),
        "numbers": of("numbers", with_(NUMBERS), reg),
        "numbers weighted": of("numbers", with_(NUMBERS), reg, {"sample_weights": WEIGHTS}),
        "numbers loaded": of(mlflow.pyfunc.load_model(uris["numbers"]), with_(NUMBERS), reg),
        "numbers given": of(None, with_(NUMBERS, p=NUMBERS + 0.1), reg, predictions="p",
                            extra_metrics=[metric(scored)]),
        "numbers of arrays": of(twice_of_first, arrays, reg, targets=NUMBERS.to_numpy()),
        "numbers of lists": of(twice_of_first, arrays.tolist(), reg, targets=NUMBERS.tolist(),
                               feature_names=list("xyz"), dataset_path="/x"),
        "numbers of a dataset": of("numbers", known, reg, targets=None, feature_names=list("abc")),
        "numbers of an id": of(twice, with_(NUMBERS), reg, model_id=uris["numbers"][8:]),
        "given of an id": of(None, with_(NUMBERS, p=1.0), reg, predictions="p",
                             model_id=uris["numbers"][8:]),
        "extra": of(twice, with_(NUMBERS), reg, {"col_mapping": {"zone": "b"}, "w": 8},
                    extra_metrics=[metric(derived), metric(scored, version="v1"), metric(largest),
                                   metric(plain), metric(scored), metric(old_style)]),
        "extra prefixed": of(twice, with_(NUMBERS), reg, {"metric_prefix": "v_"},
                             extra_metrics=[metric(scored), metric(plain, version="v2")],
                             custom_artifacts=[files]),
        "extra alone": of(pairs, with_(NUMBERS), None, predictions="p", extra_metrics=[
            metric(lambda predictions, q: MetricValue(list(q)), name="q_of"),
            mlflow.metrics.mae(), mlflow.metrics.r2_score(), mlflow.metrics.max_error()]),
        "timed": of(twice, with_(NUMBERS), None, extra_metrics=[mlflow.metrics.latency()]),
        "found": of(None, DOCS, "retriever", targets="wanted", predictions="found",
                    extra_metrics=[mlflow.metrics.precision_at_k(1)]),
        "found of four": of(None, DOCS, "retriever", {"retriever_k": 4}, targets="wanted",
                            predictions="found"),
        # What is refused.
        "no targets": of("two", FRAME, cls, targets=None),
        "no such column": of("two", FRAME, cls, targets="z"),
        "one class": of(None, with_(1, p=1), cls, predictions="p"),
        "no such evaluator": lambda: EVALUATE(uris["two"], with_(TWO), targets="y", model_type=cls,
                                              evaluators=["nobody"]),
        "another evaluator": of("two", with_(TWO), cls, evaluators="regressor"),
        "flat config": of("two", with_(TWO), cls, evaluators=["default", "regressor"]),
        "another id": of("two", with_(TWO), cls, model_id=uris["many"][8:]),
        "no metric": of(twice, with_(NUMBERS), reg, extra_metrics=[largest]),
        "lacking": of(twice, with_(NUMBERS), reg, extra_metrics=[metric(derived)]),
        "nothing to do": lambda: EVALUATE(uris["two"], with_(TWO), targets="y"),
        "no data": lambda: EVALUATE(uris["two"], targets="y", model_type=cls),
        "an estimator": of(two, with_(TWO), cls),
        "neither": of(None, with_(TWO), cls),
        "several columns": of(pairs, with_(NUMBERS), reg),
        "no such output": of(pairs, with_(NUMBERS), reg, predictions="z"),
        "targets twice": of("numbers", known, reg, targets="y"),
        "parameters": of("two", with_(TWO), cls, inference_params={"a": 1}),
        "odd environment": of("two", with_(TWO), cls, env_manager="x"),
        "odd type": of("two", with_(TWO), "odd"),
    }  # fmt: skip


def twice_of_first(frame):
    return frame.iloc[:, 0] * 2


def rounded(value: object) -> object:
    if isinstance(value, float):
        return "nan" if math.isnan(value) else round(value, 9)
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return value


def files_of(run_id: str, path: str | None = None) -> list[str]:
    found = []
    for info in mlflow.MlflowClient().list_artifacts(run_id, path):
        found += files_of(run_id, info.path) if info.is_dir else [info.path]
    return found


def content(artifact: object) -> object:
    value = artifact.content
    if isinstance(value, pd.DataFrame):
        return [list(value.columns), rounded(value.to_numpy().tolist())]
    if isinstance(value, dict) and "latency" in value.get("columns", ()):
        return [value["columns"], len(value["data"])]
    return rounded(value) if isinstance(value, (dict, list, int, str)) else type(value).__name__


def figures(metrics: dict[str, float]) -> dict[str, object]:
    return {
        key: "seconds" if key.startswith("latency/") else rounded(float(value))
        for key, value in metrics.items()
    }


def describe(run_id: str, result: EvaluationResult, folder: str) -> dict[str, object]:
    run = mlflow.get_run(run_id)
    tags = run.data.tags
    result.save(folder)
    again = EvaluationResult.load(folder)
    used = run.inputs.model_inputs
    metrics = [
        (one.key, rounded(one.value), one.dataset_name, one.dataset_digest)
        for model in used
        for one in mlflow.get_logged_model(model.model_id).metrics or []
        if one.run_id == run_id
    ]
    return {
        "metrics": figures(result.metrics),
        "run metrics": figures(run.data.metrics),
        "own run": result.run_id == run_id,
        "artifacts": {
            name: (type(one).__name__, one.uri.split("/artifacts/")[-1], content(one))
            for name, one in result.artifacts.items()
        },
        "tables": {
            name: [list(table.columns), len(table)] for name, table in result.tables.items()
        },
        "files": sorted(files_of(run_id)),
        "tables noted": tags.get("mlflow.loggedArtifacts"),
        "models noted": [
            (one["name"], sorted(one)) for one in json.loads(tags.get("mlflow.datasets", "[]"))
        ],
        "inputs": [
            (i.dataset.name, i.dataset.digest, i.dataset.profile, [tag.value for tag in i.tags])
            for i in run.inputs.dataset_inputs
        ],
        "models used": len(used),
        "metrics of models": sorted(metrics),
        "saved": sorted(os.listdir(folder)) + sorted(os.listdir(f"{folder}/artifacts")),
        "loaded": [again.metrics == result.metrics or math.nan in result.metrics.values(),
                   sorted((name, type(one).__name__) for name, one in again.artifacts.items())],
    }  # fmt: skip


def outcome(label: str, act: object, folder: str) -> object:
    with mlflow.start_run() as run:
        try:
            result = act()
        except mlflow.MlflowException as error:
            return ["refused", re.sub("m-[0-9a-f]{32}", "an id", str(error))[:50]]
    return describe(run.info.run_id, result, f"{folder}/{label}")


def validations() -> dict[str, object]:
    def threshold(**asked):
        return lambda: str(MetricThreshold(**asked))

    def validated(thresholds, candidate, baseline=None):
        return lambda: mlflow.validate_evaluation_results(
            {name: MetricThreshold(**asked) for name, asked in thresholds.items()},
            EvaluationResult(candidate, {}),
            None if baseline is None else EvaluationResult(baseline, {}),
        )

    up, down = {"greater_is_better": True}, {"greater_is_better": False}
    return {
        "nothing": threshold(),
        "text": threshold(threshold="x", **up),
        "no direction": threshold(threshold=1),
        "odd direction": threshold(threshold=1, greater_is_better=1),
        "negative": threshold(min_absolute_change=-1, **up),
        "whole": threshold(min_relative_change=1, **up),
        "too much": threshold(min_relative_change=1.5, **up),
        "no threshold": threshold(**up),
        "said": threshold(
            threshold=0.5, min_absolute_change=0.1, min_relative_change=0.05, **down
        ),
        "enough": validated({"a": {"threshold": 0.5, **up}}, {"a": 0.5}),
        "too low": validated({"a": {"threshold": 0.5, **up}}, {"a": 0.4}),
        "too high": validated({"a": {"threshold": 0.5, **down}}, {"a": 0.6}),
        "no number": validated({"a": {"threshold": 0.5, **up}}, {"a": math.nan}),
        "missing": validated({"a": {"threshold": 0.5, **up}}, {"b": 0.4}),
        "no baseline": validated({"a": {"min_absolute_change": 0.5, **up}}, {"a": 0.4}),
        "better": validated({"a": {"min_absolute_change": 0.1, **up}}, {"a": 0.4}, {"a": 0.3}),
        "not better": validated({"a": {"min_absolute_change": 0.5, **up}}, {"a": 0.4}, {"a": 0.3}),
        "not lower": validated({"a": {"min_absolute_change": 0.5, **down}}, {"a": 0.6}, {"a": 1}),
        "lower": validated({"a": {"min_absolute_change": 0.4, **down}}, {"a": 0.6}, {"a": 1}),
        "by a share": validated({"a": {"min_relative_change": 0.1, **up}}, {"a": 0.4}, {"a": 0.3}),
        "not by a share": validated(
            {"a": {"min_relative_change": 0.5, **up}}, {"a": 0.4}, {"a": 0.3}
        ),
        "from nothing": validated({"a": {"min_relative_change": 0.5, **up}}, {"a": 0.4}, {"a": 0}),
        "still nothing": validated({"a": {"min_relative_change": 0.5, **up}}, {"a": 0}, {"a": 0}),
        "below nothing": validated(
            {"a": {"min_relative_change": 0.5, **up}}, {"a": -0.1}, {"a": -0.2}
        ),
        "several": validated(
            {"a": {"threshold": 0.9, "min_absolute_change": 0.5, "min_relative_change": 0.5, **up},
             "b": {"threshold": 2, **down}},
            {"a": 0.4, "b": 3}, {"a": 0.3, "b": 1},
        ),
        "not thresholds": lambda: mlflow.validate_evaluation_results(
            {"a": 3}, EvaluationResult({"a": 1}, {})
        ),
    }  # fmt: skip


def validation(act: object) -> object:
    try:
        return act()
    except mlflow.MlflowException as error:
        return [type(error).__name__, error.error_code, str(error)]


if __name__ == "__main__":
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    place = sys.argv[1]
    mlflow.set_tracking_uri(f"file:{place}/mlruns")
    found = {
        "evaluations": {label: outcome(label, act, place) for label, act in cases().items()},
        "validations": {label: validation(act) for label, act in validations().items()},
        "evaluators": mlflow.models.list_evaluators(),
    }
    print(json.dumps(found, sort_keys=True))
