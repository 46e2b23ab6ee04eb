"""Training of transformers: what its `Trainer` fits inside is not logged by other integrations.

The library logs its own training, by the callback that `report_to="mlflow"` asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow.models.flavors import library_of, require_tested
from mlflow.tracking.autolog import autologging_integration, safe_patch
from mlflow.transformers.loading import FLAVOR_NAME

if TYPE_CHECKING:
    from collections.abc import Callable


@autologging_integration(FLAVOR_NAME)
def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = False,
    log_models: bool = False,
    log_datasets: bool = False,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    extra_tags: dict[str, str] | None = None,
) -> None:
    """Let no integration but the library's own callback log what its `Trainer` trains.

    Args:
        log_input_examples: accepted as in MLflow.
        log_model_signatures: accepted as in MLflow.
        log_models: accepted as in MLflow.
        log_datasets: accepted as in MLflow.
        disable: switch it off.
        exclusive: leave training in runs of the user alone.
        disable_for_unsupported_versions: do nothing for versions that were not tested.
        silent: no warnings.
        extra_tags: accepted as in MLflow.
    """
    if disable:
        return
    if disable_for_unsupported_versions:
        require_tested(FLAVOR_NAME)
    safe_patch(FLAVOR_NAME, library_of(FLAVOR_NAME).Trainer, "train", _train)


def _train(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    # Other integrations log nothing inside a call that is being logged; this one has nothing to.
    return original(*args, **kwargs)
