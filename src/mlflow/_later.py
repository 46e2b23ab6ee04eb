"""Names of MLflow that a later version of Millstream will fill.

What only observes passes through and says so once, so that no script dies of a tracker; with
`MILLSTREAM_STRICT=1` it raises. What would have to give a result raises.
"""

from __future__ import annotations

import contextlib

from mlflow._doorway import load
from mlflow.environment_variables import MILLSTREAM_STRICT
from mlflow.exceptions import NOT_IMPLEMENTED, MlflowException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

_FLAVOR = "get_default_conda_env get_default_pip_requirements load_model log_model save_model"

# Module → the names in it.
MODULES: dict[str, str] = {
    **dict.fromkeys(
        (
            f"mlflow.{name}"
            for name in (
                "ag2 agno anthropic autogen bedrock crewai dspy gemini groq haystack langchain "
                "litellm llama_index mistral openai otel pydantic_ai semantic_kernel smolagents "
                "strands typesafe"
            ).split()
        ),
        f"autolog {_FLAVOR}",
    ),
    **dict.fromkeys(
        (f"mlflow.{name}" for name in ("diffusers h2o johnsnowlabs paddle spark").split()),
        f"autolog {_FLAVOR} MlflowCallback load_checkpoint",
    ),
    "mlflow.deployments": (
        "BaseDeploymentClient MlflowDeploymentClient PredictionsResponse get_deploy_client "
        "get_deployments_target run_local set_deployments_target"
    ),
    "mlflow.deployments.base": "BaseDeploymentClient run_local target_help",
    "mlflow.gateway": "get_gateway_uri set_gateway_uri",
    "mlflow.genai": (
        "Agent ConversationSimulator EvaluationDatasetVersion LabelingSession ReviewApp Scorer "
        "ScorerScheduleConfig create_dataset create_labeling_session delete_dataset "
        "delete_dataset_tag delete_prompt_alias delete_prompt_tag delete_prompt_version_tag "
        "delete_scorer disable_git_model_versioning enable_git_model_versioning evaluate "
        "get_dataset get_labeling_session get_prompt_tags get_review_app get_scorer list_scorers "
        "load_prompt make_judge make_scorer_ensemble optimize_prompt optimize_prompts "
        "register_prompt scorer search_datasets search_prompts set_dataset_tags set_prompt_alias "
        "set_prompt_tag set_prompt_version_tag test_agent to_predict_fn"
    ),
    "mlflow.genai.datasets": (
        "EvaluationDataset EvaluationDatasetVersion add_dataset_to_experiments create_dataset "
        "delete_dataset delete_dataset_tag get_dataset remove_dataset_from_experiments "
        "search_datasets set_dataset_tags"
    ),
    "mlflow.genai.judges": (
        "AlignmentOptimizer CategoricalRating Judge custom_prompt_judge is_context_relevant "
        "is_context_sufficient is_correct is_grounded is_safe make_judge meets_guidelines"
    ),
    "mlflow.genai.scorers": (
        "Completeness ConversationCompleteness Correctness Equivalence ExpectationsGuidelines "
        "Fluency Guidelines KnowledgeRetention PIIDetection RegexMatch RelevanceToQuery "
        "ResponseLength RetrievalGroundedness RetrievalRelevance RetrievalSufficiency Safety "
        "Scorer ScorerSamplingConfig Summarization ToolCallCorrectness ToolCallEfficiency "
        "UserFrustration delete_scorer get_all_scorers get_scorer list_scorers "
        "make_scorer_ensemble scorer"
    ),
    "mlflow.metrics.genai": (
        "EvaluationExample answer_correctness answer_relevance answer_similarity faithfulness "
        "make_genai_metric make_genai_metric_from_prompt relevance retrieve_custom_metrics"
    ),
    "mlflow.models.auth_policy": "AuthPolicy SystemAuthPolicy UserAuthPolicy",
    "mlflow.models.rag_signatures": (
        "ChainCompletionChoice ChainCompletionChunk ChatCompletionRequest ChatCompletionResponse "
        "Message MultiturnChatRequest SplitChatMessagesRequest StringResponse"
    ),
    "mlflow.models.resources": (
        "DatabricksApp DatabricksFunction DatabricksGenieSpace DatabricksLakebase "
        "DatabricksSQLWarehouse DatabricksServingEndpoint DatabricksTable DatabricksUCConnection "
        "DatabricksVectorSearchIndex Resource ResourceType"
    ),
    "mlflow.optuna": "MlflowStorage",
    "mlflow.projects": "SubmittedRun run",
    "mlflow.projects.backend": "",
    "mlflow.projects.backend.abstract_backend": "AbstractBackend",
    "mlflow.projects.submitted_run": "SubmittedRun",
    "mlflow.pyspark": "",
    "mlflow.pyspark.ml": "autolog",
    "mlflow.pyspark.optuna": "MlflowSparkStudy",
    "mlflow.types.agent": (
        "ChatAgentChunk ChatAgentMessage ChatAgentRequest ChatAgentResponse ChatContext"
    ),
    "mlflow.types.chat": (
        "ChatCompletionChunk ChatCompletionRequest ChatCompletionResponse ChatMessage ChatTool "
        "ChatUsage FunctionToolDefinition ToolCall"
    ),
    "mlflow.types.llm": (
        "ChatChoice ChatChoiceDelta ChatChunkChoice ChatCompletionChunk ChatCompletionRequest "
        "ChatCompletionResponse ChatMessage ChatParams FunctionToolCallArguments "
        "FunctionToolDefinition ParamProperty ParamType TokenUsageStats ToolCall ToolDefinition "
        "ToolParamsSchema"
    ),
    "mlflow.types.responses": (
        "ResponsesAgentRequest ResponsesAgentResponse ResponsesAgentStreamEvent "
        "output_to_responses_items_stream to_chat_completions_input"
    ),
    "mlflow.webhooks": "WEBHOOK_SIGNATURE_HEADER WebhookPayload",
}

_announced: set[str] = set()


def later_error(name: str) -> MlflowException:
    """Return the error for a name that this version does not fill."""
    return MlflowException(
        f"{name} is not in this version of Millstream. What is there, and what comes later, is "
        "listed in docs/compatibility.md; stock MLflow can open the same store meanwhile.",
        error_code=NOT_IMPLEMENTED,
    )


def announce(name: str) -> None:
    """Say once a process that a call observes nothing yet.

    Raises:
        MlflowException: `MILLSTREAM_STRICT` is on.
    """
    if MILLSTREAM_STRICT.get():
        raise later_error(name)
    if name in _announced:
        return
    _announced.add(name)
    import warnings

    warnings.warn(
        f"{name} does nothing in this version of Millstream; the program goes on without it. "
        "Set MILLSTREAM_STRICT=1 to make it an error.",
        UserWarning,
        stacklevel=3,
    )


# Flavors whose models are here and whose autologging is not.
AUTOLOG: tuple[str, ...] = ()


def later(name: str) -> Any:
    """Return what stands for a name of a later version: a class for `CapWords`, else a function."""
    last = name.rpartition(".")[2]
    if last[0].isupper():
        return _LaterClass(
            last, (), {"__init__": _refuse(name), "__doc__": f"{name}: comes later."}
        )
    return _refuse(name)


class _LaterClass(type):
    """The class of classes of a later version: their constants refuse as their making does."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise later_error(f"{cls.__name__}.{name}")


def refuses(value: object) -> bool:
    """Tell whether something stands for a name of a later version and does nothing but refuse."""
    return isinstance(value, _LaterClass) or getattr(value, "is_later", False) is True


def _refuse(name: str) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        del args, kwargs
        raise later_error(name)

    refuse.__name__ = refuse.__qualname__ = name.rpartition(".")[2]
    refuse.is_later = True  # type: ignore[attr-defined]
    refuse.__doc__ = f"Raise: {name} is part of a later version."
    return refuse


def observer(name: str) -> Callable[..., None]:
    def observe(*args: Any, **kwargs: Any) -> None:
        del args, kwargs
        announce(name)

    observe.__name__ = observe.__qualname__ = name.rpartition(".")[2]
    observe.__doc__ = f"Do nothing, and say so once: {name} is part of a later version."
    return observe


def fill(module: ModuleType) -> None:
    """Give a module of `MODULES` its names."""
    module.__doc__ = f"{module.__name__}: a later version of Millstream fills it."
    prefix = f"{module.__name__}."
    for name in MODULES[module.__name__].split():
        full = prefix + name
        setattr(module, name, observer(full) if name == "autolog" else later(full))
    for full in MODULES:
        name = full.removeprefix(prefix)
        if name != full and "." not in name:
            setattr(module, name, load(full))


class NoOpSpan:
    """A span that records nothing."""

    trace_id = request_id = span_id = parent_id = name = span_type = None
    inputs = outputs = status = start_time_ns = end_time_ns = None
    context = description = log_level = model_name = llm_cost = None

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}
        self.events: list[Any] = []
        self.links: list[Any] = []

    def get_attribute(self, key: str) -> Any:
        """Return None: nothing was recorded."""
        del key

    def _ignore(self, *args: Any, **kwargs: Any) -> None:
        """Record nothing."""

    set_inputs = set_outputs = set_attributes = set_attribute = set_status = _ignore
    set_span_type = set_description = set_log_level = _ignore
    add_event = add_link = record_exception = end = _ignore


def trace(
    func: Callable[..., Any] | None = None,
    name: str | None = None,
    span_type: str = "UNKNOWN",
    attributes: dict[str, Any] | None = None,
    output_reducer: Callable[[list[Any]], Any] | None = None,
    trace_destination: object | None = None,
    sampling_ratio_override: float | None = None,
    log_level: object | None = None,
    links: list[Any] | None = None,
    description: str | None = None,
) -> Callable[..., Any]:
    """Return the function unchanged: traces come in a later version."""
    del name, span_type, attributes, output_reducer, trace_destination
    del sampling_ratio_override, log_level, links, description
    announce("mlflow.trace")
    return func if func is not None else lambda decorated: decorated


@contextlib.contextmanager
def start_span(
    name: str = "span",
    span_type: str | None = "UNKNOWN",
    attributes: dict[str, Any] | None = None,
    trace_destination: object | None = None,
    log_level: object | None = None,
    run_id: str | None = None,
    links: list[Any] | None = None,
    description: str | None = None,
) -> Iterator[NoOpSpan]:
    """Give a span that records nothing: traces come in a later version."""
    del name, span_type, attributes, trace_destination, log_level, run_id, links, description
    announce("mlflow.start_span")
    yield NoOpSpan()


def start_span_no_context(
    name: str,
    span_type: str = "UNKNOWN",
    parent_span: object | None = None,
    inputs: Any | None = None,
    attributes: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    experiment_id: str | None = None,
    start_time_ns: int | None = None,
    log_level: object | None = None,
    links: list[Any] | None = None,
    description: str | None = None,
) -> NoOpSpan:
    """Return a span that records nothing: traces come in a later version."""
    del name, span_type, parent_span, inputs, attributes, tags, metadata
    del experiment_id, start_time_ns, log_level, links, description
    announce("mlflow.start_span_no_context")
    return NoOpSpan()


@contextlib.contextmanager
def context(
    metadata: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    enabled: bool | None = None,
    session_id: str | None = None,
    user: str | None = None,
) -> Iterator[None]:
    """Do nothing: traces come in a later version."""
    del metadata, tags, enabled, session_id, user
    announce("mlflow.context")
    yield


def get_current_active_span() -> None:
    """Return None: there are no spans yet."""


def get_active_trace_id() -> None:
    """Return None: there are no traces yet."""


def get_last_active_trace_id(thread_local: bool = False) -> None:
    """Return None: there are no traces yet."""
    del thread_local


def flush_trace_async_logging(terminate: bool = False) -> None:
    """Return at once: there are no traces to write."""
    del terminate


def update_current_trace(
    tags: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    client_request_id: str | None = None,
    request_preview: str | None = None,
    response_preview: str | None = None,
    state: object | None = None,
    model_id: str | None = None,
    session_id: str | None = None,
    user: str | None = None,
) -> None:
    """Do nothing: traces come in a later version."""
    del tags, metadata, client_request_id, request_preview, response_preview
    del state, model_id, session_id, user
    announce("mlflow.update_current_trace")


# What only switches observation on or off.
enable = observer("mlflow.tracing.enable")
disable = observer("mlflow.tracing.disable")
configure = observer("mlflow.tracing.configure")
set_destination = observer("mlflow.tracing.set_destination")
reset = observer("mlflow.tracing.reset")
enable_notebook_display = observer("mlflow.tracing.enable_notebook_display")
disable_notebook_display = observer("mlflow.tracing.disable_notebook_display")


def is_databricks_uri(uri: str) -> bool:
    """Tell whether a URI names a Databricks workspace."""
    return uri == "databricks" or uri.startswith(("databricks://", "databricks-uc", "uc:"))


# The dialects that MLflow's database stores know; the stores come in a later version.
DATABASE_ENGINES = ["postgresql", "mysql", "sqlite", "mssql"]

get_databricks_host_creds = later("mlflow.utils.databricks_utils.get_databricks_host_creds")
http_request_safe = later("mlflow.utils.rest_utils.http_request_safe")

# Functions of the door, each of which would have to give a result.
DOOR = (
    "add_trace create_workspace delete_assessment delete_prompt_alias delete_trace_tag "
    "delete_workspace get_assessment get_trace get_workspace import_checkpoints "
    "list_workspaces load_prompt log_assessment log_expectation log_feedback log_issue log_trace "
    "login override_feedback register_prompt run search_prompts search_sessions search_traces "
    "set_prompt_alias set_trace_tag set_workspace test update_assessment update_workspace"
).split()


# Names of packages that are otherwise here, each of which would have to give a result.
INSIDE: dict[str, str] = {
    "mlflow.entities": (
        "Assessment AssessmentError AssessmentSource AssessmentSourceType BudgetAction "
        "BudgetDuration BudgetDurationUnit BudgetTargetScope BudgetUnit ConnectOptionSettings "
        "DatasetRecord DatasetRecordSource DatasetRecordSourceType EntityAssociationType "
        "EvaluationDataset Expectation ExpectationValue FallbackConfig FallbackStrategy Feedback "
        "FeedbackValue GatewayBudgetPolicy GatewayEndpoint GatewayEndpointBinding "
        "GatewayEndpointModelConfig GatewayEndpointModelMapping GatewayEndpointTag "
        "GatewayGuardrail GatewayGuardrailConfig GatewayModelDefinition GatewayModelLinkageType "
        "GatewayResourceType GatewaySecretInfo GuardrailAction GuardrailStage "
        "InferenceTableLocation Issue IssueReference IssueSeverity IssueStatus Link LiveSpan "
        "MCPAccessEndpoint MCPRemoteTransportType MCPServer MCPServerVersion MCPStatus MCPTool "
        "MlflowExperimentLocation RoutingStrategy ScorerVersion Session Span Trace "
        "TraceArchivalConfig TraceData TraceInfo TraceLocation TraceLocationType TraceState "
        "UCSchemaLocation UnityCatalog Webhook WebhookAction WebhookEntity WebhookEvent "
        "WebhookStatus WebhookTestResult Workspace WorkspaceDeletionMode"
    ),
    "mlflow.entities.model_registry": (
        "ModelVersionDeploymentJobState Prompt PromptModelConfig PromptVersion "
        "RegisteredModelDeploymentJobState"
    ),
    "mlflow.models": (
        "FlavorBackend Resource ResourceType add_libraries_to_model build_docker "
        "set_retriever_schema"
    ),
    "mlflow.pyfunc": "ChatAgent ChatModel ResponsesAgent build_model_env",
    "mlflow.tracing": (
        "get_tracing_context_headers_for_http_request set_experiment_trace_location "
        "set_span_chat_tools set_tracing_context_from_http_request_headers "
        "unset_experiment_trace_location"
    ),
}


def inside(package: str, name: str) -> Any:
    """Return what stands for a later name of a package that is otherwise here; None for others."""
    if name in INSIDE.get(package, "").split():
        return later(f"{package}.{name}")
    return None


def __getattr__(name: str) -> Any:
    if name in DOOR:
        value = globals()[name] = later(f"mlflow.{name}")
        return value
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
