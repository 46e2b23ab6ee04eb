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
from mlflow.models.env_files import write_environment
from mlflow.models.example import infer_signature_from_example, save_example
from mlflow.models.folder import (
    MLMODEL_FILE_NAME,
    check_code_paths,
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
        self.example: Any = None
        self._input_example = input_example
        self._environment = (conda_env, pip_requirements, extra_pip_requirements)
        if signature is not None:
            # Callers say False for "do not infer one".
            self.model.signature = signature or None
        self._infer = signature is None
        if metadata is not None:
            self.model.metadata = metadata

    @property
    def wants_signature(self) -> bool:
        """Whether a signature is to be inferred from the input example."""
        return self._infer and self._input_example is not None

    def file(self, name: str) -> str:
        """Return the path of a file in the folder."""
        return os.path.join(self.path, name)

    def describe(self, wrapped: Any = None) -> None:
        """Keep the input example and, without a signature, infer one by predicting it.

        Args:
            wrapped: the model with pyfunc's `predict`.
        """
        if self._input_example is None:
            return
        with optional_part("an input example"):
            self.example = save_example(self.model, self._input_example, self.path)
        if self.wants_signature and self.example is not None and wrapped is not None:
            with optional_part("a signature"):
                self.model.signature = infer_signature_from_example(self.example, wrapped)

    def finish(
        self,
        default_requirements: Callable[[], list[str]],
        modules: Iterable[str] = (),
        companions: Iterable[str] = (),
    ) -> None:
        """Write the MLmodel and the files of the environment.

        Args:
            default_requirements: tells what the flavor needs at least.
            modules: modules that the model's objects are known to use.
            companions: modules whose packages decide how the model predicts, when installed.
        """
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
