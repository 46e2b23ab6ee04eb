"""`PyFuncBackend`, the class through which other tools serve a model."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.models.environments import environment_python, local_folder
from mlflow.scoring.predict import predict as predict_once


class PyFuncBackend:
    """Serves and predicts with models of any flavor.

    Args:
        config: accepted for compatibility; the model's folder says everything.
        env_manager: "local", "virtualenv" or "uv".
        workers: how many processes answer.
        install_mlflow: accepted for compatibility.
        create_env_root_dir: accepted for compatibility.
        env_root_dir: accepted for compatibility; MLFLOW_ENV_ROOT says where environments go.
        no_conda: the old spelling of `env_manager="local"`.
    """

    def __init__(
        self,
        config: Any = None,
        env_manager: str | None = None,
        workers: int | None = 1,
        install_mlflow: bool = False,
        create_env_root_dir: bool = False,
        env_root_dir: str | None = None,
        no_conda: bool = False,
        **kwargs: Any,
    ) -> None:
        self._config = config
        self._env_manager = "local" if no_conda or env_manager is None else env_manager
        self._workers = workers or 1

    def prepare_env(self, model_uri: str, **kwargs: Any) -> int:
        """Make the model's environment; return 0."""
        environment_python(local_folder(model_uri), self._env_manager)
        return 0

    def predict(
        self,
        model_uri: str,
        input_path: str | None,
        output_path: str | None,
        content_type: str,
        pip_requirements_override: list[str] | None = None,
        extra_envs: dict[str, str] | None = None,
    ) -> None:
        """Predict for a file; see `mlflow.models.predict`."""
        predict_once(
            model_uri,
            input_path=input_path,
            output_path=output_path,
            content_type=content_type,
            env_manager=self._env_manager,
            pip_requirements_override=pip_requirements_override,
            extra_envs=extra_envs,
        )

    def serve(
        self,
        model_uri: str,
        port: int,
        host: str,
        timeout: int = 60,
        enable_mlserver: bool = False,
        synchronous: bool = True,
        stdout: Any = None,
        stderr: Any = None,
        model_config: Any = None,
    ) -> int | subprocess.Popen[bytes]:
        """Serve a model in a process of its own.

        Args:
            model_uri: the model's URI or path.
            port: the port to listen on.
            host: the address to listen on.
            timeout: seconds a request may take.
            enable_mlserver: must be False.
            synchronous: wait until it ends.
            stdout: where its output goes.
            stderr: where its messages go.
            model_config: must be None.

        Returns:
            The exit code, or the running process when not synchronous.

        Raises:
            MlflowException: an option that is not in this version.
        """
        if enable_mlserver or model_config is not None:
            raise MlflowException("enable_mlserver and model_config are not in this version yet.")
        folder = local_folder(model_uri)
        python = environment_python(folder, self._env_manager) or sys.executable
        process = subprocess.Popen(
            [
                python, "-m", "mlflow", "models", "serve", f"--model-uri={folder}",
                f"--host={host}", f"--port={port}", f"--timeout={timeout}",
                f"--workers={self._workers}", "--env-manager=local",
            ],
            stdout=stdout,
            stderr=stderr,
        )  # fmt: skip
        return process.wait() if synchronous else process

    def can_score_model(self) -> bool:
        """Tell that models can be served."""
        return True

    def can_build_image(self) -> bool:
        """Tell that images are not built here."""
        return False
