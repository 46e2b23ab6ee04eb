"""The table of all operations."""

from __future__ import annotations

from mlflow.api import experiments, models, registry, runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlflow.api.op import Op

# Chapters of the reference and their operations.
CHAPTERS: dict[str, tuple[Op, ...]] = {
    "Experiments": experiments.OPERATIONS,
    "Runs": runs.OPERATIONS,
    "Logged models": models.OPERATIONS,
    "Model registry": registry.OPERATIONS,
}
OPERATIONS: tuple[Op, ...] = tuple(op for chapter in CHAPTERS.values() for op in chapter)
