"""The list of experiments, with how many runs each has and when something last happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.entities.experiment import Experiment
    from mlflow.server.ui.frame import Frames
    from mlflow.store.base import AbstractStore

_MAX = 1_000
# What frozen links keep: long, and read by the page that follows one.
_FROZEN = "millstream.frozen."


def experiments(store: AbstractStore, view: int = 1) -> dict[str, Any]:
    """Return the experiments of a view, newest first.

    Args:
        store: where they are.
        view: a `ViewType`.

    Returns:
        `experiments` and `more`: whether there are others.
    """
    found = store.search_experiments(view, _MAX)
    return {"experiments": [written(one) for one in found], "more": bool(found.token)}


def written(one: Experiment) -> dict[str, Any]:
    """Return an experiment as pages read it."""
    return {
        "id": one.experiment_id,
        "name": one.name,
        "stage": one.lifecycle_stage,
        "created": one.creation_time,
        "updated": one.last_update_time,
        "location": one.artifact_location,
        "tags": {key: text for key, text in one.tags.items() if not key.startswith(_FROZEN)},
    }


def activity(store: AbstractStore, frames: Frames, ids: list[str]) -> dict[str, Any]:
    """Return for some experiments what has happened lately.

    Args:
        store: where they are.
        frames: what is remembered of runs: where that is complete, it gives the counts.
        ids: which experiments; the first 50 are answered.

    Returns:
        For each id `last` (start of the newest run), `running` and `total`; `total` is None where
        the runs have not been counted.
    """
    found = {}
    for experiment_id in ids[:50]:
        newest = store.search_runs([experiment_id], "", 1, 20)
        frame = frames.get([experiment_id], 1)
        counted = frame.complete or not newest.token
        total = len(frame.runs()) if frame.complete else len(newest)
        found[experiment_id] = {
            "last": newest[0].info.start_time if newest else None,
            "recent": [[run.info.status, run.info.start_time] for run in newest],
            "running": sum(run.info.status == "RUNNING" for run in newest),
            "total": total if counted else None,
        }
    return found
