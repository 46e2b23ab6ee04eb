"""Run by a stock MLflow: `log URI FOLDER`, or `fetch URI FOLDER`, of artifacts or of a new run.

`runs` as the URI stands for a new run of the tracking server in the environment, whose id is
printed.
"""

import sys

import mlflow
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

what, uri, folder = sys.argv[1:]
if uri == "runs":
    with mlflow.start_run() as run:
        mlflow.log_artifacts(folder, "model")
    print(run.info.run_id)
elif what == "log":
    get_artifact_repository(uri).log_artifacts(folder, "model")
else:
    mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder)
