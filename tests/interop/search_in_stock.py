"""Run by stock MLflow: fills a store, asks it the given searches, prints both as JSON."""

from __future__ import annotations

import json
import logging
import random
import sys

if __name__ == "__main__":  # not where a test looks at its lists
    logging.disable(logging.WARNING)

from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402

NUMBERS = [1.0, -3.5, 2.0, 1e-3, 0.0, float("nan"), float("inf"), float("-inf")]
PROMPTS = "tags.`mlflow.prompt.is_prompt` = 'true'"
TEXTS = ["10", "9", "a", "B", "b", ".", "%", "a_b", "Ab", "x y", "é", "it's"]


def fill(client, chance):
    """Two experiments, sixty runs, three registered models; no two ties but wanted ones.

    Beside them one of each that was deleted, which no search finds.
    """
    experiments = [
        client.create_experiment("E1", tags={"t": "A", "x y": "z"}),
        client.create_experiment("e2", tags={"t": "b"}),
    ]
    runs = []
    for i in range(60):
        run = client.create_run(
            chance.choice(experiments), start_time=1000 + i % 4, run_name=f"Run-{i % 9}"
        )
        runs.append(run.info.run_id)
        metrics = [
            Metric(key, chance.choice(NUMBERS), 5, step)
            for key in ("a", "b", "z/y")
            if chance.random() < 0.7
            for step in range(chance.randrange(1, 3))
        ]
        params = [Param(k, chance.choice(TEXTS)) for k in ("p", "q") if chance.random() < 0.7]
        tags = [RunTag(k, chance.choice(TEXTS)) for k in ("t", "a b") if chance.random() < 0.7]
        client.log_batch(run.info.run_id, metrics, params, tags)
        if chance.random() < 0.5:
            client.set_terminated(run.info.run_id, end_time=2000 + i % 3)
        if chance.random() < 0.3:
            dataset = Dataset(chance.choice("de"), chance.choice("12"), "local", "{}")
            context = [InputTag("mlflow.data.context", chance.choice(["train", "eval"]))]
            client.log_inputs(run.info.run_id, [DatasetInput(dataset, context)])
    for name in ("M1", "m2", "m3"):
        client.create_registered_model(name, tags={"t": name.upper()})
        for number in range(3):
            run_id = runs[number] if chance.random() < 0.7 else None
            client.create_model_version(name, f"/tmp/{name}/{number}", run_id, tags={"k": name})
    client.register_prompt("prompt", "hello {{x}}")
    client.delete_run(runs.pop())
    client.delete_experiment(client.create_experiment("E3", tags={"t": "A"}))
    client.delete_registered_model(client.create_registered_model("m4").name)
    client.delete_model_version("m2", "2")
    return experiments, runs


def pages(call, size):
    """All rows of a search, page by page."""
    rows, token = [], None
    while True:
        part = call(max_results=size, page_token=token)
        rows += part
        token = part.token
        if not token:
            return rows


def ask(client, experiments, search):
    """The ids that a search finds, or the code and text of the refusal."""
    options = {"filter_string": search["filter"], "order_by": search["order_by"]}
    calls = {
        "runs": lambda **k: client.search_runs(
            experiments, **{**options, "filter_string": search["filter"] or ""}, **k
        ),
        "experiments": lambda **k: client.search_experiments(**options, **k),
        "registered_models": lambda **k: client.search_registered_models(**options, **k),
        "model_versions": lambda **k: client.search_model_versions(**options, **k),
    }
    try:
        rows = pages(calls[search["noun"]], 25)
    except MlflowException as error:
        return {"error": error.error_code, "message": error.message}
    except (TypeError, ValueError, AttributeError) as error:
        return {"error": type(error).__name__, "message": str(error)}
    return {"ids": [identity(search["noun"], row) for row in rows]}


def identity(noun, row):
    """What tells a row from the others."""
    if noun == "runs":
        return row.info.run_id
    if noun == "experiments":
        return row.experiment_id
    return row.name if noun == "registered_models" else f"{row.name}/{row.version}"


def dump(client, experiments, runs):
    """The content of the store, as the client sees it."""

    def of_run(run):
        return {
            "info": {k: getattr(run.info, k) for k in (
                "run_id", "experiment_id", "user_id", "status", "start_time", "end_time",
                "lifecycle_stage", "artifact_uri", "run_name",
            )},
            "metrics": run.data.metrics, "params": run.data.params, "tags": run.data.tags,
            "datasets": [
                [d.dataset.name, d.dataset.digest, [[t.key, t.value] for t in d.tags]]
                for d in run.inputs.dataset_inputs
            ],
        }  # fmt: skip

    def of_model(model):
        return {"name": model.name, "creation_timestamp": model.creation_timestamp,
                "last_updated_timestamp": model.last_updated_timestamp, "tags": model.tags}  # fmt: skip

    return {
        "runs": [of_run(client.get_run(run_id)) for run_id in runs],
        "experiments": [
            {k: getattr(e, k) for k in (
                "experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time",
                "last_update_time",
            )} | {"tags": e.tags}
            for e in client.search_experiments()
        ],
        "registered_models": [of_model(m) for m in client.search_registered_models()]
        + [
            # The client hides this tag of prompts, the store has it.
            of_model(m) | {"tags": {**m.tags, "mlflow.prompt.is_prompt": "true"}}
            for m in client.search_registered_models(PROMPTS)
        ],
        "model_versions": [
            of_model(v) | {"version": str(v.version), "source": v.source, "run_id": v.run_id}
            for v in (*client.search_model_versions(), *client.search_model_versions(PROMPTS))
        ],
    }  # fmt: skip


if __name__ == "__main__":
    uri, searches = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))  # noqa: SIM115
    the_client = MlflowClient(uri, uri)
    ids, the_runs = fill(the_client, random.Random(5))
    answers = [ask(the_client, ids, search) for search in searches]
    content = dump(the_client, ids, the_runs)
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        json.dump({"answers": answers, "content": content, "experiments": ids}, out)
