"""MLflow's module paths whose content lives elsewhere here: one table, and the modules made of it."""

from __future__ import annotations

from importlib.machinery import ModuleSpec

from mlflow import _later
from mlflow._doorway import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

# Path → the modules whose names it shows, in order; `name=module:attribute` adds one name.
ALIASES: dict[str, str] = {
    "mlflow.client": "mlflow.tracking.client",
    "mlflow.config": (
        "mlflow.tracking.active mlflow.tracking.fluent mlflow.tracking.system_metrics mlflow._later"
    ),
    "mlflow.pytorch.pickle_module": "cloudpickle Unpickler=pickle:Unpickler",
    "mlflow.system_metrics": "mlflow.tracking.system_metrics",
    "mlflow.tracing": "mlflow._later",
    "mlflow.tracing.fluent": "mlflow._later",
    # entities
    "mlflow.entities.assessment": "mlflow.entities",
    "mlflow.entities.dataset": "mlflow.entities.run",
    "mlflow.entities.dataset_input": "mlflow.entities.run",
    "mlflow.entities.document": "mlflow.entities.traces",
    "mlflow.entities.experiment_tag": "mlflow.entities.experiment",
    "mlflow.entities.file_info": "mlflow.entities.artifacts",
    "mlflow.entities.input_tag": "mlflow.entities.run",
    "mlflow.entities.lifecycle_stage": "mlflow.entities.experiment",
    "mlflow.entities.logged_model": "mlflow.entities.logged_models",
    "mlflow.entities.logged_model_input": "mlflow.entities.run",
    "mlflow.entities.logged_model_output": "mlflow.entities.run",
    "mlflow.entities.logged_model_parameter": "mlflow.entities.logged_models",
    "mlflow.entities.logged_model_status": "mlflow.entities.logged_models",
    "mlflow.entities.logged_model_tag": "mlflow.entities.logged_models",
    "mlflow.entities.metric": "mlflow.entities.run",
    "mlflow.entities.param": "mlflow.entities.run",
    "mlflow.entities.run_data": "mlflow.entities.run",
    "mlflow.entities.run_info": "mlflow.entities.run",
    "mlflow.entities.run_inputs": "mlflow.entities.run",
    "mlflow.entities.run_outputs": "mlflow.entities.run",
    "mlflow.entities.run_status": "mlflow.entities.run",
    "mlflow.entities.run_tag": "mlflow.entities.run",
    "mlflow.entities.source_type": "mlflow.entities.run",
    "mlflow.entities.span": "mlflow.entities",
    "mlflow.entities.span_event": "mlflow.entities.traces",
    "mlflow.entities.span_status": "mlflow.entities.traces",
    "mlflow.entities.trace": "mlflow.entities",
    "mlflow.entities.trace_data": "mlflow.entities",
    "mlflow.entities.trace_info": "mlflow.entities",
    "mlflow.entities.trace_location": "mlflow.entities",
    "mlflow.entities.trace_state": "mlflow.entities",
    "mlflow.entities.view_type": "mlflow.entities.experiment",
    "mlflow.entities.webhook": "mlflow.entities",
    "mlflow.entities.model_registry": "mlflow.entities.registry",
    "mlflow.entities.model_registry.model_version": "mlflow.entities.registry",
    "mlflow.entities.model_registry.model_version_stages": (
        "mlflow.entities.registry _CANONICAL_MAPPING=mlflow.entities.registry:CANONICAL_STAGES"
    ),
    "mlflow.entities.model_registry.model_version_status": "mlflow.entities.registry",
    "mlflow.entities.model_registry.model_version_tag": "mlflow.entities.registry",
    "mlflow.entities.model_registry.registered_model": "mlflow.entities.registry",
    "mlflow.entities.model_registry.registered_model_alias": "mlflow.entities.registry",
    "mlflow.entities.model_registry.registered_model_tag": "mlflow.entities.registry",
    # protocol buffers, without protocol buffers
    "mlflow.protos": "",
    "mlflow.protos.databricks_pb2": "mlflow.exceptions",
    # stores
    "mlflow.store.artifact.artifact_repository_registry": (
        "get_artifact_repository=mlflow.store.artifact.locate:artifact_repository"
    ),
    "mlflow.store.artifact.azure_blob_artifact_repo": (
        "AzureBlobArtifactRepository=mlflow.store.artifact.remote:ObjectArtifactRepository"
    ),
    "mlflow.store.artifact.local_artifact_repo": "mlflow.store.artifact.local",
    "mlflow.store.entities": "mlflow.entities.paged_list",
    "mlflow.store.entities.paged_list": "mlflow.entities.paged_list",
    "mlflow.store.db": "",
    "mlflow.store.db.db_types": "DATABASE_ENGINES=mlflow._later:DATABASE_ENGINES",
    "mlflow.store.tracking": "mlflow.api.rules",
    "mlflow.store.tracking.abstract_store": "mlflow.store.base",
    "mlflow.store.tracking.rest_store": "mlflow.store.rest",
    "mlflow.store.model_registry": "mlflow.api.rules",
    "mlflow.store.model_registry.abstract_store": "mlflow.store.base",
    "mlflow.store.model_registry.rest_store": "mlflow.store.rest",
    # tracking
    "mlflow.tracking._model_registry": (
        "mlflow.tracking.registry "
        "DEFAULT_AWAIT_MAX_SLEEP_SECONDS=mlflow.tracking.client_registry:DEFAULT_AWAIT_SECONDS"
    ),
    "mlflow.tracking._model_registry.fluent": "mlflow.tracking.registry",
    "mlflow.tracking._model_registry.utils": "mlflow.tracking.active",
    "mlflow.tracking._tracking_service": "",
    "mlflow.tracking._tracking_service.utils": "mlflow.tracking.active",
    "mlflow.tracking.artifact_utils": "mlflow.artifacts",
    "mlflow.tracking.default_experiment.abstract_context": "mlflow.tracking.default_experiment",
    "mlflow.tracking.default_experiment.registry": "mlflow.tracking.default_experiment",
    "mlflow.tracking.request_auth": "mlflow.transport.credentials",
    "mlflow.tracking.request_auth.abstract_request_auth_provider": "mlflow.transport.credentials",
    "mlflow.tracking.request_auth.registry": "mlflow.transport.credentials",
    "mlflow.tracking.request_header": "mlflow.transport.headers",
    "mlflow.tracking.request_header.abstract_request_header_provider": "mlflow.transport.headers",
    "mlflow.tracking.request_header.registry": "mlflow.transport.headers",
    # utils
    "mlflow.utils": "",
    "mlflow.utils.autologging_utils": "mlflow.tracking.autolog",
    "mlflow.utils.databricks_utils": "mlflow._later",
    "mlflow.utils.environment": "mlflow.models.toolkit",
    "mlflow.utils.file_utils": (
        "mlflow.models.toolkit local_file_uri_to_path=mlflow.store.artifact.uris:local_path_of "
        "read_chunk=mlflow.store.artifact.copying:read_chunk"
    ),
    "mlflow.utils.logging_utils": "mlflow._messages",
    "mlflow.utils.mlflow_tags": "mlflow.tags",
    "mlflow.utils.model_utils": "mlflow.models.toolkit",
    "mlflow.utils.name_utils": (
        "mlflow.store.local.names _generate_random_name=mlflow.store.local.names:random_name"
    ),
    "mlflow.utils.requirements_utils": "mlflow.models.toolkit",
    "mlflow.utils.rest_utils": (
        "mlflow._later MlflowHostCreds=mlflow.transport.credentials:HostCreds"
    ),
    "mlflow.utils.uri": "mlflow._later",
    "mlflow.utils.validation": (
        "mlflow.api.rules validate_param_and_metric_name=mlflow.api.rules:metric_key"
    ),
    # models
    "mlflow.models.utils": (
        "mlflow.models.example mlflow.pyfunc.enforce mlflow.types.enforce mlflow.models "
        "_save_example=mlflow.models.example:save_example "
        "_enforce_schema=mlflow.types.enforce:enforce_schema "
        "_enforce_params_schema=mlflow.types.enforce:enforce_params"
    ),
    "mlflow.models.model_config": "mlflow.models.code_model",
    "mlflow.models.evaluation": "mlflow.evaluation",
    "mlflow.models.evaluation.artifacts": "mlflow.evaluation.artifacts",
    "mlflow.models.evaluation.base": "mlflow.evaluation mlflow.evaluation.evaluators",
    "mlflow.models.evaluation.default_evaluator": "mlflow.evaluation.builtin mlflow.evaluation",
    "mlflow.models.evaluation.validation": "mlflow.evaluation.validation",
    "mlflow.pyfunc.utils": "",
    "mlflow.pyfunc.utils.data_validation": "mlflow.pyfunc.type_hints",
    "mlflow.types.utils": (
        "mlflow.types.infer _infer_schema=mlflow.types.infer:infer_schema "
        "_infer_param_schema=mlflow.types.infer:infer_params "
        "clean_tensor_type=mlflow.types.infer:clean_dtype"
    ),
    "mlflow.pyfunc.scoring_server": "mlflow.scoring.protocol",
    "mlflow.pyfunc.backend": "mlflow.scoring.backend",
}


def find(fullname: str) -> Any:
    """Return the specification of a path of the tables; None for a path that is in none."""
    if fullname not in ALIASES and fullname not in _later.MODULES:
        return None
    prefix = fullname + "."
    is_package = any(other.startswith(prefix) for other in (*ALIASES, *_later.MODULES))
    loader: Any = _Loader()
    return ModuleSpec(fullname, loader, origin="millstream", is_package=is_package)


def submodules(package: str) -> list[str]:
    """Return the names of a package's public modules: those in its folder and in the tables."""
    from pkgutil import iter_modules

    prefix = package + "."
    names = {one.name for one in iter_modules(getattr(load(package), "__path__", []))}
    for path in (*ALIASES, *_later.MODULES):
        if path.startswith(prefix):
            names.add(path.removeprefix(prefix).partition(".")[0])
    return sorted(name for name in names if not name.startswith("_"))


class _Loader:
    """Fills a module so that its names are looked up where they live."""

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """Leave the making of the module to the import system."""
        del spec

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Give the module the look-up of its table row."""
        fullname = module.__name__
        if fullname in _later.MODULES:
            _later.fill(module)
            return
        modules, names = _row(fullname)
        module.__doc__ = f"What MLflow keeps at `{fullname}`."

        def __getattr__(name: str) -> Any:
            # Not kept: the module where a name lives may give it another value at any time.
            return _look_up(fullname, name, modules, names)

        def __dir__() -> list[str]:
            found = {*vars(module), *names}
            for one in modules:
                found.update(dir(load(one)))
            return sorted(found)

        module.__getattr__ = __getattr__  # type: ignore[method-assign]
        module.__dir__ = __dir__  # type: ignore[method-assign]


def _row(fullname: str) -> tuple[list[str], dict[str, str]]:
    modules, names = [], {}
    for word in ALIASES[fullname].split():
        name, equals, target = word.partition("=")
        if equals:
            names[name] = target
        else:
            modules.append(word)
    return modules, names


def _look_up(fullname: str, name: str, modules: list[str], names: dict[str, str]) -> Any:
    if name in names:
        home, _, attribute = names[name].partition(":")
        return getattr(load(home), attribute)
    if not name.startswith("__"):
        for home in modules:
            module = load(home)
            if hasattr(module, name):
                return getattr(module, name)
        try:
            return load(f"{fullname}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{fullname}.{name}":
                raise
        value = _later.inside(fullname, name)
        if value is not None:
            return value
    msg = f"module {fullname!r} has no attribute {name!r}"
    raise AttributeError(msg)
