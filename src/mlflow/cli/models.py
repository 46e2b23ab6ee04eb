"""The commands `mlflow models`: serving, predicting, environments, Dockerfiles and requirements."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any

import click

from mlflow.exceptions import MlflowException, invalid
from mlflow.models.environments import (
    MANAGERS,
    environment_python,
    local_folder,
    usable_python,
    what_to_install,
    write_own_wheels,
)
from mlflow.models.requirements import CONSTRAINTS_FILE_NAME, REQUIREMENTS_FILE_NAME

_model_uri = click.option(
    "--model-uri",
    "-m",
    required=True,
    metavar="URI",
    help="A path, or a URI such as runs:/<run id>/model, models:/name/1 or models:/name@alias.",
)
_env_manager = click.option(
    "--env-manager",
    type=click.Choice([*MANAGERS, "conda"]),
    default=None,
    help="Where the model runs: local is this environment (the default), virtualenv and uv make "
    "one from the model's requirements.",
)
_install_mlflow = click.option("--install-mlflow", is_flag=True, hidden=True)
_allow_sources = click.option(
    "--allow-requirement-sources",
    is_flag=True,
    help="Also install requirement lines that name an index, a folder, a URL or a repository.",
)


@click.group()
def models() -> None:
    """Serve models and predict with them."""


@models.command("serve")
@_model_uri
@click.option(
    "--port",
    "-p",
    type=click.IntRange(0, 65535),
    default=5000,
    envvar="MLFLOW_PORT",
    help="The port to listen on.",
)
@click.option(
    "--host", "-h", default="127.0.0.1", envvar="MLFLOW_HOST", help="The address to listen on."
)
@click.option(
    "--timeout",
    "-t",
    type=click.IntRange(min=1),
    default=60,
    envvar="MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT",
    help="Seconds a request may take.",
)
@click.option(
    "--workers",
    "-w",
    type=click.IntRange(min=1),
    default=1,
    envvar="MLFLOW_MODELS_WORKERS",
    help="How many processes answer.",
)
@_env_manager
@click.option("--no-conda", is_flag=True, hidden=True)
@_install_mlflow
@_allow_sources
def serve(
    model_uri: str,
    port: int,
    host: str,
    timeout: int,
    workers: int,
    env_manager: str | None,
    no_conda: bool,
    install_mlflow: bool,
    allow_requirement_sources: bool,
) -> None:
    """Serve a model over HTTP: POST /invocations, GET /ping, /health and /version."""
    if env_manager in (None, "local") or no_conda:
        from mlflow.scoring.server import serve as run

        run(model_uri, host=host, port=port, timeout=timeout, workers=workers)
        return
    folder = local_folder(model_uri)
    python = environment_python(folder, str(env_manager), allow_sources=allow_requirement_sources)
    _replace_process(
        [
            python, "-m", "mlflow", "models", "serve", f"--model-uri={folder}",
            f"--host={host}", f"--port={port}", f"--timeout={timeout}", f"--workers={workers}",
            "--env-manager=local",
        ]
    )  # fmt: skip


def _replace_process(command: list[str]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        # The server becomes this process, so signals and exit codes are its own.
        os.execv(command[0], command)  # noqa: S606 - a list, no shell
    import subprocess

    sys.exit(subprocess.run(command, check=False).returncode)


@models.command("predict")
@_model_uri
@click.option("--input-path", "-i", help="The file to read; standard input when not given.")
@click.option("--output-path", "-o", help="The file to write; standard output when not given.")
@click.option(
    "--content-type",
    "-t",
    type=click.Choice(["json", "csv"]),
    default="json",
    help="What the input is.",
)
@_env_manager
@_install_mlflow
@click.option(
    "--pip-requirements-override",
    "-r",
    help="Requirements on top of the model's, separated by commas.",
)
@click.option(
    "--env",
    "envs",
    multiple=True,
    metavar="KEY=VALUE",
    help="An environment variable of the prediction; may be given several times.",
)
def predict(
    model_uri: str,
    input_path: str | None,
    output_path: str | None,
    content_type: str,
    env_manager: str | None,
    install_mlflow: bool,
    pip_requirements_override: str | None,
    envs: tuple[str, ...],
) -> None:
    """Predict for a file, and print the reply as JSON."""
    from mlflow.scoring.predict import predict as run

    override = [item.strip() for item in (pip_requirements_override or "").split(",")]
    run(
        model_uri,
        input_path=input_path,
        content_type=content_type,
        output_path=output_path,
        env_manager=env_manager,
        pip_requirements_override=[item for item in override if item] or None,
        extra_envs=dict(_pair(item) for item in envs) or None,
    )


def _pair(text: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not found or not key:
        raise invalid(f"--env takes KEY=VALUE, not {text!r}.")
    return key, value


@models.command("prepare-env")
@_model_uri
@click.option(
    "--env-manager",
    type=click.Choice([*MANAGERS, "conda"]),
    default="virtualenv",
    help="What makes the environment.",
)
@_install_mlflow
@_allow_sources
def prepare_env(
    model_uri: str, env_manager: str, install_mlflow: bool, allow_requirement_sources: bool
) -> None:
    """Make the environment of a model, so that serving it starts at once."""
    python = environment_python(
        local_folder(model_uri), env_manager, allow_sources=allow_requirement_sources
    )
    click.echo(f"The environment is ready: {python}", err=True)


@models.command("generate-dockerfile")
@_model_uri
@click.option("--output-directory", "-d", default="mlflow-dockerfile", help="The folder to write.")
@_env_manager
@click.option("--mlflow-home", hidden=True)
@click.option("--install-java", type=bool, default=None, hidden=True)
@_install_mlflow
@_allow_sources
def generate_dockerfile(
    model_uri: str,
    output_directory: str,
    env_manager: str | None,
    mlflow_home: str | None,
    install_java: bool | None,
    install_mlflow: bool,
    allow_requirement_sources: bool,
) -> None:
    """Write a Dockerfile, the model and what it needs; the image serves it on port 8080."""
    if install_java:
        raise MlflowException("images with Java are not made here")
    folder = local_folder(model_uri)
    lines, constraints = what_to_install(folder, allow_sources=allow_requirement_sources)
    version = usable_python(folder)
    os.makedirs(output_directory, exist_ok=True)
    wheels_folder = os.path.join(output_directory, "wheels")
    os.makedirs(wheels_folder, exist_ok=True)
    wheels = [os.path.basename(path) for path in write_own_wheels(wheels_folder)]
    shutil.copytree(folder, os.path.join(output_directory, "model_dir"), dirs_exist_ok=True)
    _write(output_directory, REQUIREMENTS_FILE_NAME, lines)
    _write(output_directory, CONSTRAINTS_FILE_NAME, constraints)
    _write(output_directory, "Dockerfile", dockerfile(version, wheels))
    click.echo(f"Generated Dockerfile in directory {output_directory}", err=True)


def dockerfile(python: str, wheels: list[str]) -> list[str]:
    """Return the lines of a Dockerfile.

    Only a checked version number and the names of our own wheels vary; the model is a folder of a
    fixed name, so nothing a user chose is ever read by a shell or by the Docker parser.

    Args:
        python: such as "3.11.7".
        wheels: file names in the folder `wheels`.
    """
    place = "/opt/ml"
    minor = ".".join(python.split(".")[:2])
    packages = [f"{place}/wheels/{name}" for name in wheels]
    install = ["pip", "install", "--no-cache-dir", *packages]
    install += ["-r", f"{place}/requirements.txt", "-c", f"{place}/constraints.txt"]
    serve_it = ["mlflow", "models", "serve", f"--model-uri={place}/model", "--host=0.0.0.0",
                "--port=8080", "--env-manager=local"]  # fmt: skip
    return [
        f"FROM python:{minor}-slim",
        f"COPY wheels {place}/wheels",
        f"COPY requirements.txt constraints.txt {place}/",
        f"RUN {json.dumps(install)}",
        f"COPY model_dir {place}/model",
        'RUN ["useradd", "--create-home", "mlflow"]',
        "USER mlflow",
        "EXPOSE 8080",
        f"CMD {json.dumps(serve_it)}",
    ]


def _write(folder: str, name: str, lines: list[str]) -> None:
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


@models.command("update-pip-requirements")
@_model_uri
@click.argument("operation", type=click.Choice(["add", "remove"]))
@click.argument("requirement_strings", nargs=-1, required=True)
def update_pip_requirements(
    model_uri: str, operation: Any, requirement_strings: tuple[str, ...]
) -> None:
    """Add pip requirements to a stored model, or remove some."""
    from mlflow.models.amend import update_model_requirements

    update_model_requirements(model_uri, operation, list(requirement_strings))


@models.command(
    "build-docker", context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
def build_docker() -> None:
    """Not in this version yet; generate-dockerfile writes what `docker build` needs."""
    msg = (
        "`mlflow models build-docker` is not in this version yet. Use "
        "`mlflow models generate-dockerfile` and `docker build`."
    )
    raise MlflowException(msg)
