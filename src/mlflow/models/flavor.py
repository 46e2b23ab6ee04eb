"""The bodies that all flavors share: saving a model's folder and logging it.

A flavor writes its weights and says how they are loaded; everything else is written here, and
nothing of that else may cost the weights: a part that fails is left out with a warning.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import platform
from typing import TYPE_CHECKING, Any

from mlflow._installation import installed_version
from mlflow.models.env_files import (
    CONDA_ENV_FILE_NAME,
    PYTHON_ENV_FILE_NAME,
    write_environment,
)
from mlflow.models.example import infer_signature_from_example, save_example
from mlflow.models.folder import (
    MLMODEL_FILE_NAME,
    check_code_paths,
    checked_model_config,
    copy_code,
    copy_extra_files,
    prepare_target,
    total_size,
)
from mlflow.models.model import Model
from mlflow.models.requirements import (
    check_environment_arguments,
    requirements_of_objects,
    with_companions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# Under this name an MLmodel says how any model is loaded as a function of data.
LOADER_FLAVOR = "python_function"

_logger = logging.getLogger("mlflow.models.model")


@contextlib.contextmanager
def optional_part(what: str) -> Iterator[None]:
    """Warn about a failure inside the block and go on.

    Args:
        what: the part that is left out, for the message.
    """
    try:
        yield
    except Exception as error:
        _logger.warning("The model is saved without %s: %s: %s", what, type(error).__name__, error)
        _logger.debug("The reason:", exc_info=True)


def add_to_model(
    model: Model,
    loader_module: str,
    data: str | None = None,
    code: str | None = None,
    conda_env: Any = None,
    python_env: str | None = None,
    model_config: Any = None,
    model_code_path: str | None = None,
    **kwargs: Any,
) -> Model:
    """Say in an MLmodel how pyfunc loads the model.

    Args:
        model: the model.
        loader_module: the module whose `_load_pyfunc(path)` loads it.
        data: the path within its folder that is given to the loader.
        code: the folder within it that holds its code.
        conda_env: the name of its conda file, or a dictionary of its environment files.
        python_env: the name of its Python environment file.
        model_config: its configuration.
        model_code_path: the Python file it comes from.
        kwargs: further keys.

    Returns:
        The model.
    """
    conf: dict[str, Any] = {**kwargs, "loader_module": loader_module}
    conf["python_version"] = python_version()
    if code:
        conf["code"] = code
    if data:
        conf["data"] = data
    env: dict[str, Any] = {}
    if conda_env:
        env["conda"] = conda_env
    if python_env:
        env["virtualenv"] = python_env
    if env:
        conf["env"] = conda_env if isinstance(conda_env, dict) else env
    if model_config:
        conf["config"] = checked_model_config(model_config)
    if model_code_path:
        conf["model_code_path"] = model_code_path
    return model.add_flavor(LOADER_FLAVOR, **conf)


class FlavorFolder:
    """A model's folder while a flavor saves into it.

    Args:
        path: the folder; new or empty.
        mlflow_model: the model to describe; a new one when None.
        signature: its signature.
        input_example: an example of its input.
        metadata: what its author says of it.
        code_paths: sources it needs.
        extra_files: further files to keep with it.
        conda_env: its environment, instead of the inferred one.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        mlflow_model: Model | None,
        *,
        signature: Any = None,
        input_example: Any = None,
        metadata: dict[str, Any] | None = None,
        code_paths: list[str] | None = None,
        extra_files: list[str] | None = None,
        conda_env: Any = None,
        pip_requirements: object = None,
        extra_pip_requirements: object = None,
    ) -> None:
        check_environment_arguments(conda_env, pip_requirements, extra_pip_requirements)
        check_code_paths(code_paths)
        self.path = prepare_target(path)
        self.model = Model() if mlflow_model is None else mlflow_model
        self.code = copy_code(code_paths, self.path)
        self.extra = copy_extra_files(extra_files, self.path)
        self._input_example = input_example
        self._predict: Callable[..., Any] | None = None
        self._environment = (conda_env, pip_requirements, extra_pip_requirements)
        if signature is not None:
            # Callers say False for "do not infer one".
            self.model.signature = signature or None
        self._infer = signature is None
        if metadata is not None:
            self.model.metadata = metadata

    def file(self, name: str) -> str:
        """Return the path of a file in the folder."""
        return os.path.join(self.path, name)

    def add_loader(
        self, loader_module: str, predict: Callable[..., Any] | None, **conf: Any
    ) -> None:
        """Say how pyfunc loads the model, and with its code and its environment.

        Args:
            loader_module: the module whose `_load_pyfunc` loads it.
            predict: the model's own function of data, which tells the outputs of an input example;
                None where nothing here can predict.
            conf: further arguments of `add_to_model`.
        """
        self._predict = predict
        add_to_model(
            self.model,
            loader_module,
            code=self.code,
            conda_env=CONDA_ENV_FILE_NAME,
            python_env=PYTHON_ENV_FILE_NAME,
            **conf,
        )

    def add_flavor(self, name: str, **conf: Any) -> None:
        """Say how the flavor itself loads the model, and what was given beside it.

        Args:
            name: the flavor.
            conf: its keys.
        """
        self.model.add_flavor(name, **conf, code=self.code, **self.extra)

    def sign(self, signature: Any, **said: Any) -> None:
        """Give the model a signature where its author gave none.

        Args:
            signature: the signature; None for none.
            said: what the MLmodel says of it.
        """
        if signature is not None and self._infer:
            self.model.signature = signature
            self._infer = False
            for name, value in said.items():
                setattr(self.model, name, value)

    def _describe(self) -> None:
        if self._input_example is None:
            return
        example = None
        with optional_part("an input example"):
            example = save_example(self.model, self._input_example, self.path)
        if self._infer and example is not None and self._predict is not None:
            with optional_part("a signature"):
                found = infer_signature_from_example(example, self._predict)
                self.model.signature = found or self.model.signature

    def finish(
        self,
        default_requirements: Callable[[], list[str]],
        modules: Iterable[str] = (),
        companions: Iterable[str] = (),
    ) -> None:
        """Write the input example, the MLmodel and the files of the environment.

        Without a signature, one is inferred by predicting the example.

        Args:
            default_requirements: tells what the flavor needs at least.
            modules: modules that the model's objects are known to use.
            companions: modules whose packages decide how the model predicts, when installed.
        """
        self._describe()
        self.model.model_size_bytes = total_size(self.path)
        self.model.save(self.file(MLMODEL_FILE_NAME))
        _warn_about_the_shim()

        def found() -> list[str]:
            inferred = requirements_of_objects(self.path, default_requirements(), modules)
            return with_companions(inferred, companions)

        given = self._environment
        attempts: list[Callable[[], object]] = [
            lambda: write_environment(
                self.path, found() if given[:2] == (None, None) else None, *given
            ),
            lambda: write_environment(self.path, found()),
            lambda: write_environment(self.path, []),
        ]
        for attempt in attempts:
            try:
                attempt()
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the weights are kept
                _logger.warning(
                    "The model's requirements could not be written: %s: %s. Plainer ones are "
                    "written instead.", type(error).__name__, error,
                )  # fmt: skip


@functools.cache
def _warn_about_the_shim() -> None:
    if installed_version("mlflow") is None:
        _logger.warning(
            "The requirements of saved models name mlflow. Installing them here would put the "
            "stock package over Millstream; to prevent that, run once: mlflow shim install"
        )


def python_version() -> str:
    """Return this interpreter's version as MLmodel files say it."""
    return platform.python_version()
