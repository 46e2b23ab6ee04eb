"""The public names of `mlflow` and where each lives: the one list, from which `_exports.py` is made."""

from mlflow import (
    artifacts as artifacts,
)
from mlflow import (
    data as data,
)
from mlflow import (
    entities as entities,
)
from mlflow import (
    environment_variables as environment_variables,
)
from mlflow import (
    exceptions as exceptions,
)
from mlflow import (
    models as models,
)
from mlflow import (
    pyfunc as pyfunc,
)
from mlflow import (
    sklearn as sklearn,
)
from mlflow import (
    store as store,
)
from mlflow import (
    tracking as tracking,
)
from mlflow import (
    types as types,
)
from mlflow import (
    version as version,
)
from mlflow._later import (
    add_trace as add_trace,
)
from mlflow._later import (
    context as context,
)
from mlflow._later import (
    create_workspace as create_workspace,
)
from mlflow._later import (
    delete_assessment as delete_assessment,
)
from mlflow._later import (
    delete_prompt_alias as delete_prompt_alias,
)
from mlflow._later import (
    delete_trace_tag as delete_trace_tag,
)
from mlflow._later import (
    delete_workspace as delete_workspace,
)
from mlflow._later import (
    flush_trace_async_logging as flush_trace_async_logging,
)
from mlflow._later import (
    get_active_trace_id as get_active_trace_id,
)
from mlflow._later import (
    get_assessment as get_assessment,
)
from mlflow._later import (
    get_current_active_span as get_current_active_span,
)
from mlflow._later import (
    get_last_active_trace_id as get_last_active_trace_id,
)
from mlflow._later import (
    get_trace as get_trace,
)
from mlflow._later import (
    get_workspace as get_workspace,
)
from mlflow._later import (
    import_checkpoints as import_checkpoints,
)
from mlflow._later import (
    list_workspaces as list_workspaces,
)
from mlflow._later import (
    load_prompt as load_prompt,
)
from mlflow._later import (
    log_assessment as log_assessment,
)
from mlflow._later import (
    log_expectation as log_expectation,
)
from mlflow._later import (
    log_feedback as log_feedback,
)
from mlflow._later import (
    log_issue as log_issue,
)
from mlflow._later import (
    log_trace as log_trace,
)
from mlflow._later import (
    login as login,
)
from mlflow._later import (
    override_feedback as override_feedback,
)
from mlflow._later import (
    register_prompt as register_prompt,
)
from mlflow._later import (
    run as run,
)
from mlflow._later import (
    search_prompts as search_prompts,
)
from mlflow._later import (
    search_sessions as search_sessions,
)
from mlflow._later import (
    search_traces as search_traces,
)
from mlflow._later import (
    set_prompt_alias as set_prompt_alias,
)
from mlflow._later import (
    set_trace_tag as set_trace_tag,
)
from mlflow._later import (
    set_workspace as set_workspace,
)
from mlflow._later import (
    start_span as start_span,
)
from mlflow._later import (
    start_span_no_context as start_span_no_context,
)
from mlflow._later import (
    test as test,
)
from mlflow._later import (
    trace as trace,
)
from mlflow._later import (
    update_assessment as update_assessment,
)
from mlflow._later import (
    update_current_trace as update_current_trace,
)
from mlflow._later import (
    update_workspace as update_workspace,
)
from mlflow.cli.doctor import (
    report as doctor,
)
from mlflow.evaluation.fluent import (
    evaluate as evaluate,
)
from mlflow.evaluation.validation import (
    validate_evaluation_results as validate_evaluation_results,
)
from mlflow.exceptions import (
    MlflowException as MlflowException,
)
from mlflow.tracking.active import (
    get_registry_uri as get_registry_uri,
)
from mlflow.tracking.active import (
    get_tracking_uri as get_tracking_uri,
)
from mlflow.tracking.active import (
    is_tracking_uri_set as is_tracking_uri_set,
)
from mlflow.tracking.active import (
    set_registry_uri as set_registry_uri,
)
from mlflow.tracking.active import (
    set_tracking_uri as set_tracking_uri,
)
from mlflow.tracking.autolog import (
    autolog as autolog,
)
from mlflow.tracking.client import (
    MlflowClient as MlflowClient,
)
from mlflow.tracking.figures import (
    Image as Image,
)
from mlflow.tracking.files import (
    get_artifact_uri as get_artifact_uri,
)
from mlflow.tracking.files import (
    load_table as load_table,
)
from mlflow.tracking.files import (
    log_artifact as log_artifact,
)
from mlflow.tracking.files import (
    log_artifacts as log_artifacts,
)
from mlflow.tracking.files import (
    log_dict as log_dict,
)
from mlflow.tracking.files import (
    log_figure as log_figure,
)
from mlflow.tracking.files import (
    log_image as log_image,
)
from mlflow.tracking.files import (
    log_stream as log_stream,
)
from mlflow.tracking.files import (
    log_table as log_table,
)
from mlflow.tracking.files import (
    log_text as log_text,
)
from mlflow.tracking.fluent import (
    ActiveRun as ActiveRun,
)
from mlflow.tracking.fluent import (
    active_run as active_run,
)
from mlflow.tracking.fluent import (
    create_experiment as create_experiment,
)
from mlflow.tracking.fluent import (
    delete_experiment as delete_experiment,
)
from mlflow.tracking.fluent import (
    delete_experiment_tag as delete_experiment_tag,
)
from mlflow.tracking.fluent import (
    delete_run as delete_run,
)
from mlflow.tracking.fluent import (
    delete_tag as delete_tag,
)
from mlflow.tracking.fluent import (
    end_run as end_run,
)
from mlflow.tracking.fluent import (
    flush_artifact_async_logging as flush_artifact_async_logging,
)
from mlflow.tracking.fluent import (
    flush_async_logging as flush_async_logging,
)
from mlflow.tracking.fluent import (
    get_experiment as get_experiment,
)
from mlflow.tracking.fluent import (
    get_experiment_by_name as get_experiment_by_name,
)
from mlflow.tracking.fluent import (
    get_parent_run as get_parent_run,
)
from mlflow.tracking.fluent import (
    get_run as get_run,
)
from mlflow.tracking.fluent import (
    last_active_run as last_active_run,
)
from mlflow.tracking.fluent import (
    log_metric as log_metric,
)
from mlflow.tracking.fluent import (
    log_metrics as log_metrics,
)
from mlflow.tracking.fluent import (
    log_param as log_param,
)
from mlflow.tracking.fluent import (
    log_params as log_params,
)
from mlflow.tracking.fluent import (
    restore_experiment as restore_experiment,
)
from mlflow.tracking.fluent import (
    restore_run as restore_run,
)
from mlflow.tracking.fluent import (
    set_experiment as set_experiment,
)
from mlflow.tracking.fluent import (
    set_experiment_tag as set_experiment_tag,
)
from mlflow.tracking.fluent import (
    set_experiment_tags as set_experiment_tags,
)
from mlflow.tracking.fluent import (
    set_tag as set_tag,
)
from mlflow.tracking.fluent import (
    set_tags as set_tags,
)
from mlflow.tracking.fluent import (
    start_run as start_run,
)
from mlflow.tracking.inputs import (
    log_input as log_input,
)
from mlflow.tracking.inputs import (
    log_inputs as log_inputs,
)
from mlflow.tracking.inputs import (
    log_outputs as log_outputs,
)
from mlflow.tracking.logged import (
    ActiveModel as ActiveModel,
)
from mlflow.tracking.logged import (
    clear_active_model as clear_active_model,
)
from mlflow.tracking.logged import (
    create_external_model as create_external_model,
)
from mlflow.tracking.logged import (
    delete_logged_model_tag as delete_logged_model_tag,
)
from mlflow.tracking.logged import (
    finalize_logged_model as finalize_logged_model,
)
from mlflow.tracking.logged import (
    get_active_model_id as get_active_model_id,
)
from mlflow.tracking.logged import (
    get_logged_model as get_logged_model,
)
from mlflow.tracking.logged import (
    initialize_logged_model as initialize_logged_model,
)
from mlflow.tracking.logged import (
    last_logged_model as last_logged_model,
)
from mlflow.tracking.logged import (
    log_model_params as log_model_params,
)
from mlflow.tracking.logged import (
    search_logged_models as search_logged_models,
)
from mlflow.tracking.logged import (
    set_active_model as set_active_model,
)
from mlflow.tracking.logged import (
    set_logged_model_tags as set_logged_model_tags,
)
from mlflow.tracking.overhead import (
    get_logging_overhead as get_logging_overhead,
)
from mlflow.tracking.queue import (
    RunOperations as RunOperations,
)
from mlflow.tracking.registry import (
    register_model as register_model,
)
from mlflow.tracking.registry import (
    search_model_versions as search_model_versions,
)
from mlflow.tracking.registry import (
    search_registered_models as search_registered_models,
)
from mlflow.tracking.registry import (
    set_model_version_tag as set_model_version_tag,
)
from mlflow.tracking.searching import (
    search_experiments as search_experiments,
)
from mlflow.tracking.searching import (
    search_runs as search_runs,
)
from mlflow.tracking.system_metrics import (
    disable_system_metrics_logging as disable_system_metrics_logging,
)
from mlflow.tracking.system_metrics import (
    enable_system_metrics_logging as enable_system_metrics_logging,
)
from mlflow.tracking.system_metrics import (
    set_system_metrics_node_id as set_system_metrics_node_id,
)
from mlflow.tracking.system_metrics import (
    set_system_metrics_samples_before_logging as set_system_metrics_samples_before_logging,
)
from mlflow.tracking.system_metrics import (
    set_system_metrics_sampling_interval as set_system_metrics_sampling_interval,
)
from mlflow.version import (
    IS_TRACING_SDK_ONLY as IS_TRACING_SDK_ONLY,
)
from mlflow.version import (
    VERSION as VERSION,
)

__version__: str
