"""Predicting without a server: the scoring protocol on files, texts and Python values."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from mlflow.exceptions import ExecutionException, invalid
from mlflow.models.environments import environment_python, local_folder
from mlflow.pyfunc import load_model
from mlflow.scoring.payload import CSV, FORMS, JSON, PASSTHROUGH_KEYS, encode_reply, plain
from mlflow.scoring.plan import Plan

_KINDS = {"json": JSON, "csv": CSV}


def predict(
    model_uri: str,
    input_data: Any = None,
    input_path: str | os.PathLike[str] | None = None,
    content_type: str = "json",
    output_path: str | os.PathLike[str] | None = None,
    env_manager: str | None = None,
    install_mlflow: bool = False,
    pip_requirements_override: list[str] | None = None,
    extra_envs: dict[str, str] | None = None,
) -> None:
    """Predict with a model as its scoring server would, and print or write the reply.

    Args:
        model_uri: the model's URI or path.
        input_data: a dictionary, text, data frame, array or list.
        input_path: a file to read instead; standard input when neither is given.
        content_type: "json" or "csv".
        output_path: the file to write; standard output when not given.
        env_manager: "local" (the default), "virtualenv" or "uv".
        install_mlflow: accepted for compatibility; made environments always have Millstream.
        pip_requirements_override: requirements to install on top of the model's.
        extra_envs: environment variables of the prediction.

    Raises:
        MlflowException: the input breaks the protocol, or the model cannot be loaded.
        ExecutionException: the prediction in a made environment failed.
    """
    kind = _KINDS.get(content_type)
    if kind is None:
        raise invalid(f"Content type must be one of {sorted(_KINDS)}, not {content_type!r}.")
    if input_data is not None and input_path is not None:
        raise invalid("Both input_data and input_path are provided. Only one of them is allowed.")
    body = _body(input_data, input_path, kind)
    if env_manager in (None, "local") and not pip_requirements_override and not extra_envs:
        _write(score(load_model(model_uri), body, kind), output_path)
        return
    folder = local_folder(model_uri)
    python = sys.executable
    if env_manager not in (None, "local") or pip_requirements_override:
        manager = env_manager if env_manager not in (None, "local") else "virtualenv"
        python = environment_python(folder, str(manager), extra=pip_requirements_override or [])
    reply = _in_environment(python, folder, body, content_type, extra_envs or {})
    _write(reply, output_path)


def score(model: Any, body: bytes, kind: str) -> bytes:
    """Return the reply of one model to one request body.

    Args:
        model: what `mlflow.pyfunc.load_model` returned.
        body: the request.
        kind: its media type.

    Raises:
        MlflowException: (400) the body breaks the protocol or does not fit the signature.
    """
    plan = Plan(model)
    work = plan.read(body, kind)
    return encode_reply(plan.call(work), unwrapped=work.unwrapped)


def serialized(data: Any, kind: str = JSON) -> bytes:
    """Return Python data as the body of a request.

    Args:
        data: text or bytes (taken as they are), a dictionary, a data frame, an array or a list.
        kind: the media type of the body.
    """
    if isinstance(data, bytes):
        return data
    if isinstance(data, str):
        return data.encode()
    if kind == CSV:
        if not hasattr(data, "to_csv"):
            raise invalid(f"A {type(data).__name__} has no CSV form; give a data frame or text.")
        return str(data.to_csv(index=False)).encode()
    if hasattr(data, "columns") and hasattr(data, "to_dict"):
        document: Any = {
            "dataframe_split": {
                "columns": list(data.columns),
                "data": [
                    list(row)
                    for row in zip(
                        *(data.iloc[:, i].tolist() for i in range(data.shape[1])), strict=True
                    )
                ],
            }
        }
    elif isinstance(data, dict) and (
        len(set(FORMS) & data.keys()) == 1 or not PASSTHROUGH_KEYS.isdisjoint(data)
    ):
        document = data
    else:
        document = {"inputs": data}
    # NaN stays NaN here: the protocol's reader takes it, and null would become it anyway.
    return json.dumps(plain(document)).encode()


def _body(data: Any, path: str | os.PathLike[str] | None, kind: str) -> bytes:
    if data is not None:
        return serialized(data, kind)
    if path is not None:
        with open(path, "rb") as file:
            return file.read()
    return sys.stdin.buffer.read()


def _write(reply: bytes, path: str | os.PathLike[str] | None) -> None:
    if path is None:
        sys.stdout.write(reply.decode() + "\n")
        sys.stdout.flush()
        return
    with open(path, "wb") as file:
        file.write(reply)


def _in_environment(
    python: str, folder: str, body: bytes, content_type: str, extra: dict[str, str]
) -> bytes:
    command = [
        python, "-m", "mlflow", "models", "predict", "--env-manager", "local",
        "--content-type", content_type, f"--model-uri={folder}",
    ]  # fmt: skip
    done = subprocess.run(  # noqa: PLW1510 - the code is looked at below
        command, input=body, stdout=subprocess.PIPE, env={**os.environ, **extra}
    )
    if done.returncode != 0:
        raise ExecutionException(f"The prediction failed with exit code {done.returncode}.")
    return done.stdout.rstrip(b"\n")
