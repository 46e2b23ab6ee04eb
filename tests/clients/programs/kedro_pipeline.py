import sys
from pathlib import Path

import dump

import mlflow

FILES = {
    "pyproject.toml": """
[tool.kedro]
package_name = "lines"
project_name = "lines"
kedro_init_version = "{version}"
source_dir = "src"
""",
    "src/lines/__init__.py": "",
    "src/lines/settings.py": "",
    "src/lines/pipeline_registry.py": """
import pandas as pd
from kedro.pipeline import node, pipeline
from kedro_mlflow.pipeline import pipeline_ml_factory
from sklearn.linear_model import LinearRegression


def prepare(table, factor):
    return table.assign(x=table.x * factor)


def fit(table):
    return LinearRegression().fit(table[["x"]], [0.0, 1.0, 2.0])


def measure(model):
    return {"slope": {"value": float(model.coef_[0]), "step": 1}}


def predict(model, table):
    return pd.DataFrame({"y": model.predict(table[["x"]])})


def register_pipelines():
    training = pipeline(
        [
            node(prepare, ["table", "params:factor"], "prepared"),
            node(fit, "prepared", "model"),
            node(measure, "model", "figures"),
        ]
    )
    inference = pipeline(
        [
            node(prepare, ["table", "params:factor"], "prepared", name="again"),
            node(predict, ["model", "prepared"], "predicted"),
        ]
    )
    return {
        "__default__": pipeline_ml_factory(
            training, inference, input_name="table", log_model_kwargs={"name": "line"}
        )
    }
""",
    "conf/base/catalog.yml": """
table:
  type: pandas.CSVDataset
  filepath: data/table.csv
prepared:
  type: kedro_mlflow.io.artifacts.MlflowArtifactDataset
  dataset:
    type: pandas.CSVDataset
    filepath: data/prepared.csv
model:
  type: pickle.PickleDataset
  filepath: data/model.pkl
figures:
  type: kedro_mlflow.io.metrics.MlflowMetricsHistoryDataset
""",
    "conf/base/parameters.yml": "factor: 2\nother: {deep: {inside: text}}\n",
    "conf/local/mlflow.yml": """
tracking:
  experiment:
    name: lines
  run:
    name: first
  params:
    dict_params:
      flatten: True
""",
    "data/table.csv": "x\n0\n1\n2\n",
}
if __name__ == "__main__":
    import kedro
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    for name, text in FILES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text.replace("{version}", kedro.__version__))
    bootstrap_project(Path.cwd())
    with KedroSession.create(project_path=Path.cwd()) as session:
        session.run()
    sys.path.insert(0, "src")
    client = mlflow.MlflowClient()
    [model] = client.search_logged_models([client.get_experiment_by_name("lines").experiment_id])
    loaded = mlflow.pyfunc.load_model(model.model_uri)
    import pandas as pd

    predicted = loaded.predict(pd.DataFrame({"x": [0, 4]}))
    found = dump.runs()
    for run in found:
        for key in ("project_path", "run_id", "session_id"):
            run["tags"].pop(key, None)
    dump.say(
        runs=found,
        predicted={
            key: [round(y, 6) for y in one]
            for key, one in (
                predicted.items() if isinstance(predicted, dict) else [("y", predicted["y"])]
            )
        },
        signature=str(loaded.metadata.signature),
    )
