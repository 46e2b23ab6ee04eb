"""The layer that automatic logging stands on: safe patches, sessions, configuration.

Three promises: a patched function's own code runs exactly once, with the caller's arguments; its
result or its exception is what the caller gets; whatever goes wrong in our code is said once in
the log and never reaches the training.
"""

from __future__ import annotations

import functools
import inspect
import logging
import sys
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from mlflow._doorway import load
from mlflow.tracking.fluent import active_run, end_run, start_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_logger = logging.getLogger("mlflow.utils.autologging_utils")

#: Integration → the arguments it was enabled with.
# That of all of them is there from the start: others read what it says without a look.
AUTOLOGGING_INTEGRATIONS: dict[str, dict[str, Any]] = {"mlflow": {}}
MLFLOW_AUTOLOGGING = "mlflow.autologging"
# Marks what was asked of one integration: that of all does not change it.
_BY_HAND = "by_hand"

# Library → the module whose `autolog` logs it.
INTEGRATIONS: dict[str, str] = {
    "keras": "mlflow.keras",
    "lightgbm": "mlflow.lightgbm",
    "lightning": "mlflow.pytorch",
    "pytorch_lightning": "mlflow.pytorch",
    "sklearn": "mlflow.sklearn",
    "statsmodels": "mlflow.statsmodels",
    "tensorflow": "mlflow.tensorflow",
    # Importing the library alone is quick, and it is imported for other things than training.
    "transformers.trainer": "mlflow.transformers",
    "xgboost": "mlflow.xgboost",
}

_off: ContextVar[bool] = ContextVar("autologging_off", default=False)
_off_names: ContextVar[frozenset[str]] = ContextVar("autologging_off_names", default=frozenset())
_in_session: ContextVar[bool] = ContextVar("autologging_session", default=False)
_sessions = 0
_sessions_lock = threading.Lock()
_reported: set[tuple[str, str, str]] = set()
_pending: dict[str, list[Callable[[], None]]] = {}
_executed: set[str] = set()


# ------------------------------------------------------------- configuration


def get_autologging_config(flavor_name: str, config_key: str, default_value: Any = None) -> Any:
    """Return one argument that an integration was enabled with.

    Args:
        flavor_name: the integration.
        config_key: the argument.
        default_value: what is returned when it was not enabled or has no such argument.
    """
    return AUTOLOGGING_INTEGRATIONS.get(flavor_name, {}).get(config_key, default_value)


def autologging_is_disabled(integration_name: str) -> bool:
    """Tell whether an integration logs nothing now.

    Args:
        integration_name: the integration.
    """
    config = AUTOLOGGING_INTEGRATIONS.get(integration_name)
    if config is None or config.get("disable", False):
        return True
    if _off.get() or integration_name in _off_names.get():
        return True
    return bool(config.get("exclusive", False)) and _run_of_user() is not None


def _run_of_user() -> Any:
    run = active_run()
    if run is None or MLFLOW_AUTOLOGGING in run.data.tags:
        return None
    return run


@contextmanager
def disable_autologging() -> Iterator[None]:
    """Log nothing by itself inside the block."""
    token = _off.set(True)
    try:
        yield
    finally:
        _off.reset(token)


@contextmanager
def disable_discrete_autologging(flavors_to_disable: list[str]) -> Iterator[None]:
    """Let these integrations log nothing inside the block.

    Args:
        flavors_to_disable: their names.
    """
    token = _off_names.set(_off_names.get() | frozenset(flavors_to_disable))
    try:
        yield
    finally:
        _off_names.reset(token)


def autologging_integration(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator for the `autolog` function of an integration.

    It keeps the arguments of each call, and a failure to enable is a warning.

    Args:
        name: the integration.
    """

    def decorate(enable: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(enable)
        AUTOLOGGING_INTEGRATIONS.setdefault(name, {"disable": True})

        @functools.wraps(enable)
        def autolog(*args: Any, **kwargs: Any) -> None:
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            AUTOLOGGING_INTEGRATIONS[name] = {**given.arguments, _BY_HAND: True}
            try:
                enable(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - a tracker must not stop the program
                AUTOLOGGING_INTEGRATIONS[name]["disable"] = True
                _logger.warning(
                    "Exception raised while enabling autologging for %s: %s", name, error
                )

        autolog.integration_name = name  # type: ignore[attr-defined]
        return autolog

    return decorate


# ------------------------------------------------------------------ sessions


def in_session() -> bool:
    """Tell whether this code runs inside a call that is being logged.

    Worker threads that a library starts for one fit belong to that fit; threads of the user, who
    may train several models at once, do not.
    """
    if _in_session.get():
        return True
    return _sessions > 0 and type(threading.current_thread()).__name__ == "DummyProcess"


@contextmanager
def _session() -> Iterator[None]:
    global _sessions
    with _sessions_lock:
        _sessions += 1
    token = _in_session.set(True)
    try:
        yield
    finally:
        _in_session.reset(token)
        with _sessions_lock:
            _sessions -= 1


class OriginalCall:
    """The one call of a patched function's own code, and what came of it.

    Args:
        function: the function.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.called = False
        self.result: Any = None
        self.error: BaseException | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function the first time; afterwards return what it returned."""
        if not self.called:
            self.called = True
            try:
                self.result = self._function(*args, **kwargs)
            except BaseException as error:
                self.error = error
                raise
        elif self.error is not None:
            raise self.error
        return self.result


def _report(integration: str, name: str, error: BaseException) -> None:
    key = (integration, name, f"{type(error).__name__}: {error}")
    if key in _reported:
        return
    _reported.add(key)
    silent = get_autologging_config(integration, "silent", False)
    level = logging.DEBUG if silent else logging.WARNING
    _logger.log(
        level,
        "Encountered unexpected error during %s autologging: %s: %s",
        integration,
        type(error).__name__,
        error,
    )
    _logger.debug("The reason:", exc_info=error)


# ------------------------------------------------------------------- patching


def safe_patch(
    autologging_integration: str,
    destination: Any,
    function_name: str,
    patch_function: Callable[..., Any],
    manage_run: bool = False,
    extra_tags: dict[str, str] | None = None,
    inside: bool = False,
) -> None:
    """Replace a function by one that logs.

    Args:
        autologging_integration: the integration.
        destination: the class or module.
        function_name: the function.
        patch_function: called as `patch_function(original, *args, **kwargs)`; it calls `original`.
        manage_run: begin a run when none is active, and end it.
        extra_tags: tags of a run that is begun here.
        inside: let the patch be asked within a call that is being logged, too.
    """
    descriptor = vars(destination).get(function_name)
    if descriptor is None:
        descriptor = getattr(destination, function_name)
    if getattr(descriptor, "_mlflow_patched", False):
        return
    # Scikit-learn's `available_if` hides methods that do not apply; what replaces them must too.
    conditional = hasattr(descriptor, "check") and hasattr(descriptor, "fn")
    function = descriptor.fn if conditional else descriptor
    patched = _patched(autologging_integration, function_name, function, patch_function,
                       manage_run, extra_tags, inside)  # fmt: skip
    if conditional:
        replaced = type(descriptor)(patched, descriptor.check, descriptor.attribute_name)
        replaced._mlflow_patched = True
        replaced._mlflow_original = descriptor
        setattr(destination, function_name, replaced)
        return
    patched._mlflow_patched = True  # type: ignore[attr-defined]
    patched._mlflow_original = descriptor  # type: ignore[attr-defined]
    setattr(destination, function_name, patched)


def revert_patch(destination: Any, function_name: str) -> None:
    """Put back what `safe_patch` replaced.

    Args:
        destination: the class or module.
        function_name: the function.
    """
    original = getattr(vars(destination).get(function_name), "_mlflow_original", None)
    if original is not None:
        setattr(destination, function_name, original)


def patch_subclasses(base: type, patch: Callable[[type], None]) -> None:
    """Patch the classes that stand on one: those defined already and those to come.

    Args:
        base: the class.
        patch: patches one class, or leaves it.
    """
    for kind in _subclasses(base):
        patch(kind)
    own = vars(base).get("__init_subclass__")
    if getattr(own, "_mlflow_patched", False):
        return

    class _Hook(classmethod):  # type: ignore[type-arg]
        _mlflow_patched = True

    def __init_subclass__(cls: type, **kwargs: Any) -> None:
        if own is not None:
            own.__get__(None, cls)(**kwargs)
        else:
            super(base, cls).__init_subclass__(**kwargs)  # type: ignore[arg-type]
        try:
            patch(cls)
        except Exception:  # a class of the user must come into being whatever happens here
            _logger.debug("Could not patch %s", cls, exc_info=True)

    base.__init_subclass__ = _Hook(__init_subclass__)  # type: ignore[assignment, method-assign]


def _subclasses(kind: type) -> Iterator[type]:
    found: list[type] = kind.__subclasses__()
    for sub in found:
        yield sub
        yield from _subclasses(sub)


def _patched(
    integration: str,
    name: str,
    function: Callable[..., Any],
    patch: Callable[..., Any],
    manage_run: bool,
    extra_tags: dict[str, str] | None,
    inside: bool,
) -> Callable[..., Any]:
    @functools.wraps(function)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        if (in_session() and not inside) or _quietly_disabled(integration):
            return function(*args, **kwargs)
        original = OriginalCall(function)
        with _session():
            try:
                with _managed_run(integration, manage_run, extra_tags):
                    patch(original, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 - ours is reported, the user's raised
                if original.error is not None:
                    raise original.error from None
                _report(integration, name, error)
            if not original.called:
                return original(*args, **kwargs)
        if original.error is not None:
            raise original.error
        return original.result

    return replacement


def _quietly_disabled(integration: str) -> bool:
    try:
        return autologging_is_disabled(integration)
    except Exception as error:  # noqa: BLE001 - not knowing means not logging
        _report(integration, "configuration", error)
        return True


@contextmanager
def _managed_run(
    integration: str, manage_run: bool, extra_tags: dict[str, str] | None
) -> Iterator[None]:
    if not manage_run or active_run() is not None:
        yield
        return
    configured = get_autologging_config(integration, "extra_tags") or {}
    tags = {MLFLOW_AUTOLOGGING: integration, **(extra_tags or {}), **configured}
    start_run(tags=tags)
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    finally:
        end_run(status)


# ------------------------------------------------------------ all integrations


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    log_traces: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    extra_tags: dict[str, str] | None = None,
    exclude_flavors: list[str] | None = None,
) -> None:
    """Log what supported libraries train, from now on: those imported already and those to come.

    A library whose own `autolog` was called keeps what was asked of that.

    Args:
        log_input_examples: keep an example of the input with each model.
        log_model_signatures: keep a signature with each model.
        log_models: log models.
        log_datasets: log training data as dataset inputs.
        log_traces: accepted as in MLflow; traces come in a later version.
        disable: switch it off.
        exclusive: log nothing into runs that the user started.
        disable_for_unsupported_versions: log nothing for versions that were not tested.
        silent: no warnings.
        extra_tags: tags of runs that are begun by it.
        exclude_flavors: integrations to leave out.
    """
    given = {
        "log_input_examples": log_input_examples,
        "log_model_signatures": log_model_signatures,
        "log_models": log_models,
        "log_datasets": log_datasets,
        "disable": disable,
        "exclusive": exclusive,
        "disable_for_unsupported_versions": disable_for_unsupported_versions,
        "silent": silent,
        "extra_tags": extra_tags,
    }
    AUTOLOGGING_INTEGRATIONS["mlflow"] = {**given, "log_traces": log_traces}
    for library in INTEGRATIONS:
        flavor = INTEGRATIONS[library].rpartition(".")[2]
        if {library, flavor}.isdisjoint(exclude_flavors or ()):
            when_imported(library, "mlflow", functools.partial(_enable, library, given))


def _enable(library: str, given: dict[str, Any]) -> None:
    enable = load(INTEGRATIONS[library]).autolog
    name = enable.integration_name
    if get_autologging_config(name, _BY_HAND, False):
        return
    accepted = inspect.signature(enable).parameters
    enable(**{key: value for key, value in given.items() if key in accepted})
    AUTOLOGGING_INTEGRATIONS[name][_BY_HAND] = False


def when_imported(library: str, asker: str, action: Callable[[], None]) -> None:
    """Do something with a library: now when it is imported already, else right after its import.

    Args:
        library: the library.
        asker: who wants it; what the same asker wanted before is forgotten.
        action: what to do.
    """
    module = sys.modules.get(library)
    begun = module is not None and getattr(module.__spec__, "_initializing", False)
    if begun and library not in _executed:
        # Its import has begun, and imported another library that is waited for.
        _pending.setdefault(library, []).append(action)
        return
    if module is not None:
        action()
        return
    for finder in sys.meta_path:
        if isinstance(finder, _ImportWatch) and (finder.library, finder.asker) == (library, asker):
            finder.action = action
            return
    sys.meta_path.insert(0, _ImportWatch(library, asker, action))


class _ImportWatch:
    """Enables an integration right after its library was imported."""

    def __init__(self, library: str, asker: str, action: Callable[[], None]) -> None:
        self.library = library
        self.asker = asker
        self.action = action

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """Return the library's own specification, its loader followed by ours."""
        if fullname != self.library:
            return None
        sys.meta_path.remove(self)
        import importlib.util

        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            _executed.add(self.library)
            for action in (self.action, *_pending.pop(self.library, ())):
                try:
                    action()
                except Exception as error:  # noqa: BLE001 - the import must succeed
                    _report(self.library, "import", error)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
