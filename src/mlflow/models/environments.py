"""Python environments made for a model: its requirements, and Millstream in place of MLflow."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable

import mlflow
from mlflow._installation import SHIM_NAMES, build_wheel
from mlflow.environment_variables import MLFLOW_DISABLE_ENV_CREATION, MLFLOW_ENV_ROOT
from mlflow.exceptions import ExecutionException, MlflowException, invalid
from mlflow.models.env_files import PythonEnv, requirements_of_folder
from mlflow.models.folder import confined
from mlflow.models.requirements import CONSTRAINTS_FILE_NAME, requirement_name
from mlflow.models.source import local_model_folder

_logger = logging.getLogger("mlflow.models")
MANAGERS = ("local", "virtualenv", "uv")
DISTRIBUTION = "millstream"
# What serving needs beside the model's own requirements. Their versions are the model's business:
# a pin of years ago must be installable, so the bounds of the extra `models` do not count here.
LIBRARIES = ("cloudpickle", "numpy", "pandas")
OLDEST_PYTHON = (3, 11)
_PYTHON = re.compile(r"\d+\.\d+(\.\d+)?\Z", re.ASCII)
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_VERSION = r"\s*(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9_.*+!-]+\s*"
_TERM = (
    r"(?:python_version|python_full_version|os_name|sys_platform|extra|platform_(?:release|system|"
    r"version|machine|python_implementation)|implementation_(?:name|version)|"
    r"'[A-Za-z0-9_.+ -]*'|\"[A-Za-z0-9_.+ -]*\")"
)
_TEST = rf"\(*\s*{_TERM}\s*(?:===|==|~=|!=|<=|>=|<|>|\bin\b|\bnot in\b)\s*{_TERM}\s*\)*"
_MARKER = rf"{_TEST}(?:\s*\b(?:and|or)\b\s*{_TEST})*"
_PLAIN_LINE = re.compile(
    rf"(?P<name>{_NAME})\s*(?:\[\s*[A-Za-z0-9._, -]*\s*\])?\s*"
    rf"(?:\(?(?:{_VERSION})(?:,{_VERSION})*\)?)?\s*(?:;\s*{_MARKER})?"
    r"(?:\s+--hash=[a-z0-9]+:[0-9a-f]+)*\s*\Z",
    re.ASCII,
)
_CONSTRAINED = f"-c {CONSTRAINTS_FILE_NAME}"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def local_folder(model_uri: str) -> str:
    """Return the absolute local folder of a model, downloaded when it lies elsewhere."""
    return os.path.abspath(local_model_folder(model_uri))


def environment_python(
    folder: str,
    manager: str,
    *,
    extra: Iterable[str] = (),
    allow_sources: bool = False,
) -> str:
    """Return the interpreter of an environment for a model, made when it is not there yet.

    Args:
        folder: the model's folder.
        manager: "local" for this interpreter, "virtualenv" or "uv" for a new environment.
        extra: requirements on top of the model's.
        allow_sources: also install lines that name indexes, folders, URLs or repositories.

    Raises:
        MlflowException: an unknown manager, a line that is refused, no fitting interpreter.
        ExecutionException: a package could not be installed.
    """
    if manager == "local":
        return sys.executable
    if manager == "conda":
        raise invalid("conda environments are not made here; use --env-manager virtualenv or uv.")
    if manager not in MANAGERS:
        raise invalid(f"Invalid env_manager {manager!r}: it is one of {', '.join(MANAGERS)}.")
    if MLFLOW_DISABLE_ENV_CREATION.get():
        raise MlflowException("MLFLOW_DISABLE_ENV_CREATION is set: no environment may be made.")
    version = usable_python(folder)
    lines, constraints = what_to_install(folder, extra, allow_sources=allow_sources)
    root = MLFLOW_ENV_ROOT.get() or os.path.join(os.path.expanduser("~"), ".mlflow", "envs")
    os.makedirs(root, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wheels-", dir=root) as wheels:
        ours = write_own_wheels(wheels)
        key = _key(manager, version, lines, constraints, ours)
        ready = os.path.join(root, f"mlflow-{key}.ready")
        python = _ready_python(ready)
        if python is None:
            python = _make(root, key, manager, version, lines, constraints, ours)
            _publish(ready, python)
    return python


# ── what is installed ────────────────────────────────────────────────────────────────────────────


def python_version(folder: str) -> str:
    """Return the Python version that a model was saved with; this interpreter's if it says none."""
    version = _described(folder).python
    if _PYTHON.match(str(version)) is None:
        raise invalid(f"The model names {version!r} as its Python version, which is none.")
    return str(version)


def usable_python(folder: str) -> str:
    """Return the Python version of a model's environment: its own, or one that can run us."""
    version = python_version(folder)
    if tuple(int(part) for part in version.split(".")[:2]) >= OLDEST_PYTHON:
        return version
    ours = ".".join(str(part) for part in sys.version_info[:3])
    _logger.warning(
        "The model was saved with Python %s. Millstream needs %d.%d, so its environment is made "
        "with Python %s.", version, *OLDEST_PYTHON, ours,
    )  # fmt: skip
    return ours


def what_to_install(
    folder: str, extra: Iterable[str] = (), *, allow_sources: bool = False
) -> tuple[list[str], list[str]]:
    """Return the requirement lines and the constraint lines of a model's environment.

    Args:
        folder: the model's folder.
        extra: requirements on top of the model's.
        allow_sources: keep lines that name indexes, folders, URLs or repositories.

    Raises:
        MlflowException: there are such lines and they are not allowed; all are listed.
    """
    wanted = [*model_requirements(folder), *extra]
    lines = checked_requirements(wanted, allow_sources=allow_sources)
    named = {requirement_name(line) for line in lines}
    lines += [name for name in LIBRARIES if name not in named]
    path = os.path.join(folder, CONSTRAINTS_FILE_NAME)
    if _CONSTRAINED not in wanted or not os.path.isfile(path):
        return lines, []
    path = confined(folder, CONSTRAINTS_FILE_NAME, "constraints file")
    return lines, checked_requirements(_lines_of(path), allow_sources=allow_sources)


def _described(folder: str) -> PythonEnv:
    for name, read in (
        ("python_env.yaml", PythonEnv.from_yaml),
        ("conda.yaml", PythonEnv.from_conda_yaml),
    ):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return read(path)
    return PythonEnv(build_dependencies=[], dependencies=["-r requirements.txt"])


def model_requirements(folder: str) -> list[str]:
    """Return the requirement lines of a model, its own files of requirements opened."""
    lines: list[str] = []
    for line in _described(folder).dependencies:
        text = str(line).strip()
        if text.startswith(("-r ", "--requirement ")):
            path = confined(folder, text.split(None, 1)[1], "requirements file")
            if os.path.basename(path) == "requirements.txt":
                lines += requirements_of_folder(os.path.dirname(path))
            else:
                lines += _lines_of(path)
        elif text:
            lines.append(text)
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _lines_of(path: str) -> list[str]:
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file.read().splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def checked_requirements(lines: Iterable[str], *, allow_sources: bool = False) -> list[str]:
    """Return the lines to install: without MLflow itself, and without anything but plain packages.

    Args:
        lines: requirement lines.
        allow_sources: keep lines that name indexes, folders, URLs or repositories.

    Raises:
        MlflowException: there are such lines and they are not allowed; all are listed.
    """
    kept: list[str] = []
    refused: list[str] = []
    for line in lines:
        text = re.split(r"\s#", line, maxsplit=1)[0].strip()
        if text == _CONSTRAINED:
            continue
        match = _PLAIN_LINE.match(text)
        if match is None:
            refused.append(text)
            if allow_sources and "\n" not in text and "\r" not in text:
                kept.append(text)
            continue
        if requirement_name(match["name"]) not in (*SHIM_NAMES, DISTRIBUTION):
            kept.append(text)
    if refused and not allow_sources:
        shown = "\n".join(f"  {line[:200]!r}" for line in refused[:20])
        raise invalid(
            "These lines of the model's requirements name something else than a package of the "
            f"index:\n{shown}\nIf you trust the model, allow them with "
            "--allow-requirement-sources."
        )
    return kept


def _key(
    manager: str, version: str, lines: list[str], constraints: list[str], wheels: list[str]
) -> str:
    digest = hashlib.sha256()
    for part in (manager, version, *sorted(lines), "", *sorted(constraints)):
        digest.update(part.encode() + b"\0")
    for wheel in wheels:
        with open(wheel, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()[:24]


# ── our own wheels ───────────────────────────────────────────────────────────────────────────────


def write_own_wheels(folder: str) -> list[str]:
    """Write wheels of this installation and of the distributions that stand for MLflow's.

    Args:
        folder: where to write them.

    Returns:
        The files, Millstream's first.
    """
    source = os.path.dirname(os.path.abspath(mlflow.__file__))
    files: dict[str, bytes] = {}
    for place, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            path = os.path.join(place, name)
            inside = os.path.relpath(path, os.path.dirname(source)).replace(os.sep, "/")
            with open(path, "rb") as file:
                files[inside] = file.read()
    return [_write_wheel(folder, files), *(build_wheel(name, folder) for name in SHIM_NAMES)]


def _write_wheel(folder: str, files: dict[str, bytes]) -> str:
    own = importlib.metadata.distribution(DISTRIBUTION)
    stem = f"{DISTRIBUTION}-{own.version}"
    info = f"{stem}.dist-info"
    content = dict(files)
    content[f"{info}/METADATA"] = (own.read_text("METADATA") or "").encode()
    content[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: {DISTRIBUTION}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    ).encode()
    content[f"{info}/entry_points.txt"] = (own.read_text("entry_points.txt") or "").encode()
    record = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in content.items()]
    content[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    path = os.path.join(folder, f"{stem}-py3-none-any.whl")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, data in content.items():
            # One fixed time: the same installation gives the same bytes, and so the same key.
            archive.writestr(zipfile.ZipInfo(inside, _EPOCH), data)
    return path


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


# ── making ───────────────────────────────────────────────────────────────────────────────────────


def _make(
    root: str,
    key: str,
    manager: str,
    version: str,
    lines: list[str],
    constraints: list[str],
    wheels: list[str],
) -> str:
    # A name of its own for each process: two that start at once do not meet.
    place = tempfile.mkdtemp(prefix=f"mlflow-{key}-", dir=root)
    try:
        python = _empty_environment(place, manager, version)
        listing = os.path.join(place, "requirements.txt")
        limits = os.path.join(place, CONSTRAINTS_FILE_NAME)
        for path, content in ((listing, lines), (limits, constraints)):
            with open(path, "w", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in content))
        if manager == "uv":
            install = [_uv(), "pip", "install", "--python", python]
        else:
            install = [python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
        _run([*install, *wheels, "-r", listing, "-c", limits], "install the model's requirements")
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return python


def _empty_environment(place: str, manager: str, version: str) -> str:
    target = os.path.join(place, "env")
    wanted = ".".join(version.split(".")[:2])
    if manager == "uv":
        command = [_uv(), "venv", "--quiet", "--python", _interpreter(wanted) or wanted, target]
        _run(command, "make an environment")
    else:
        interpreter = _interpreter(wanted)
        if interpreter is None:
            raise MlflowException(
                f"The model was saved with Python {version}, and there is no python{wanted} here. "
                "Install it, use --env-manager uv (which can fetch it), or --env-manager local."
            )
        _run([interpreter, "-m", "venv", target], "make an environment")
    if os.name == "nt":
        return os.path.join(target, "Scripts", "python.exe")
    return os.path.join(target, "bin", "python")


def _interpreter(wanted: str) -> str | None:
    if wanted == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    return shutil.which(f"python{wanted}")


def _uv() -> str:
    found = shutil.which("uv")
    if found is None:
        raise MlflowException("--env-manager uv needs the uv command; `pip install uv` brings it.")
    return found


def _run(command: list[str], purpose: str) -> None:
    _logger.info("%s: %s", purpose, command[0])
    done = subprocess.run(command, check=False, stdout=sys.stderr.fileno())
    if done.returncode != 0:
        raise ExecutionException(
            f"Could not {purpose}: {os.path.basename(command[0])} ended with exit code "
            f"{done.returncode}."
        )


def _ready_python(ready: str) -> str | None:
    try:
        with open(ready, encoding="utf-8") as file:
            python = file.read().strip()
    except FileNotFoundError:
        return None
    return python if os.path.exists(python) else None


def _publish(ready: str, python: str) -> None:
    temporary = f"{ready}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(python)
    os.replace(temporary, ready)
