"""The list of experiments and what happens in them."""

from __future__ import annotations

from mlflow.entities.experiment import ExperimentTag
from mlflow.server.ui.experiments import activity, experiments
from mlflow.server.ui.frame import Frames

from .conftest import filled


def test_experiments_of_a_view(sweep):
    """With their tags; deleted ones are another view."""
    sweep.store.set_experiment_tag(sweep.experiment, ExperimentTag("team", "x"))
    gone = sweep.store.create_experiment("gone")
    sweep.store.delete_experiment(gone)

    found = experiments(sweep.store)

    by_name = {one["name"]: one for one in found["experiments"]}
    assert ({"Default", "sweep"}, False) == (set(by_name), found["more"])
    assert {"team": "x"} == by_name["sweep"]["tags"]
    assert ["gone"] == [one["name"] for one in experiments(sweep.store, 2)["experiments"]]


def test_activity(sweep):
    """The newest runs, how many run, and the number of all where it is known."""
    sweep.store.create_run(sweep.experiment, "u", 9000, [], "live")
    for number in range(20):
        sweep.add(100 + number)
    frames = Frames(sweep.store)

    found = activity(sweep.store, frames, [sweep.experiment, "0"])

    own = found[sweep.experiment]
    assert (9000, 1, None, 20) == (
        own["last"], own["running"], own["total"], len(own["recent"]),
    )  # fmt: skip
    assert {"last": None, "recent": [], "running": 0, "total": 0} == found["0"]
    filled(frames.get([sweep.experiment], 1))
    assert 33 == activity(sweep.store, frames, [sweep.experiment])[sweep.experiment]["total"]


def test_what_frozen_links_keep_is_no_part_of_the_list(sweep):
    """It is long, and read by the page that follows one."""
    for key in ("millstream.frozen.ab.0", "millstream.view.x"):
        sweep.store.set_experiment_tag(sweep.experiment, ExperimentTag(key, "{}"))
    found = experiments(sweep.store)["experiments"]
    tags = next(one["tags"] for one in found if one["id"] == sweep.experiment)
    assert ["millstream.view.x"] == list(tags)
