"""Names of the reserved tags that MLflow's clients, servers and pages give a meaning."""

from __future__ import annotations

MLFLOW_ARTIFACT_LOCATION = "mlflow.artifactLocation"
MLFLOW_AUTOLOGGING = "mlflow.autologging"
MLFLOW_DATASET_CONTEXT = "mlflow.data.context"
MLFLOW_DATABRICKS_NOTEBOOK_PATH = "mlflow.databricks.notebookPath"
MLFLOW_DOCKER_IMAGE_ID = "mlflow.docker.image.id"
MLFLOW_DOCKER_IMAGE_URI = "mlflow.docker.image.uri"
MLFLOW_EXPERIMENT_PRIMARY_METRIC_GREATER_IS_BETTER = (
    "mlflow.experiment.primaryMetric.greaterIsBetter"
)
MLFLOW_EXPERIMENT_PRIMARY_METRIC_NAME = "mlflow.experiment.primaryMetric.name"
MLFLOW_EXPERIMENT_SOURCE_ID = "mlflow.experiment.sourceId"
MLFLOW_EXPERIMENT_SOURCE_TYPE = "mlflow.experiment.sourceType"
MLFLOW_GIT_BRANCH = "mlflow.source.git.branch"
MLFLOW_GIT_COMMIT = "mlflow.source.git.commit"
MLFLOW_GIT_DIFF = "mlflow.source.git.diff"
MLFLOW_GIT_DIRTY = "mlflow.source.git.dirty"
MLFLOW_GIT_REPO_URL = "mlflow.source.git.repoURL"
MLFLOW_LOGGED_ARTIFACTS = "mlflow.loggedArtifacts"
MLFLOW_LOGGED_IMAGES = "mlflow.loggedImages"
MLFLOW_LOGGED_MODELS = "mlflow.log-model.history"
MLFLOW_MODEL_IS_EXTERNAL = "mlflow.model.isExternal"
MLFLOW_MODEL_VERSIONS = "mlflow.modelVersions"
MLFLOW_NOTE_CONTENT = "mlflow.note.content"
MLFLOW_PARENT_RUN_ID = "mlflow.parentRunId"
MLFLOW_PROJECT_BACKEND = "mlflow.project.backend"
MLFLOW_PROJECT_ENTRY_POINT = "mlflow.project.entryPoint"
MLFLOW_PROJECT_ENV = "mlflow.project.env"
MLFLOW_RUN_IS_EVALUATION = "mlflow.runIsEvaluation"
MLFLOW_RUN_NAME = "mlflow.runName"
MLFLOW_SOURCE_NAME = "mlflow.source.name"
MLFLOW_SOURCE_TYPE = "mlflow.source.type"
MLFLOW_USER = "mlflow.user"
PROMPT_IS_PROMPT = "mlflow.prompt.is_prompt"

# Ours: what calls survive that logged without waiting, and what ended a run that did not end well.
MILLSTREAM_ACKNOWLEDGED = "millstream.acknowledged"
MILLSTREAM_ERROR_TYPE = "millstream.error.type"
MILLSTREAM_ERROR_MESSAGE = "millstream.error.message"
MILLSTREAM_ERROR_TRACE = "millstream.error.trace"

# Tags with this prefix are kept for MLflow and for Millstream.
RESERVED_PREFIXES = ("mlflow.", "millstream.")
