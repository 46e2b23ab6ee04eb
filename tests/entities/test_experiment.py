"""Experiments, lifecycle stages and views."""

from __future__ import annotations

import copy
import pickle

import pytest

from mlflow.entities import Experiment, ExperimentTag, LifecycleStage, ViewType


def make_experiment(**changes: object) -> Experiment:
    """Return an experiment with a tag and times."""
    fields = {
        "experiment_id": "1",
        "name": "wine",
        "artifact_location": "file:///a",
        "lifecycle_stage": "active",
        "tags": [ExperimentTag("k", "v")],
        "creation_time": 1,
        "last_update_time": 2,
    }
    return Experiment(**{**fields, **changes})  # type: ignore[arg-type]


def test_an_experiment_prints_as_in_mlflow() -> None:
    """The text was observed."""
    expected = (
        "<Experiment: artifact_location='file:///a', creation_time=1, "
        "effective_trace_archival_retention=None, experiment_id='1', last_update_time=2, "
        "lifecycle_stage='active', name='wine', tags={'k': 'v'}, trace_location=None, "
        "workspace='default'>"
    )

    assert repr(make_experiment()) == expected


def test_tags_are_a_dict_and_absent_ones_an_empty_dict() -> None:
    """Tags are given as entities and shown by key."""
    assert make_experiment(tags=None).tags == {}
    assert make_experiment(tags=[ExperimentTag("b", "1"), ExperimentTag("a", "2")]).tags == {
        "b": "1",
        "a": "2",
    }


def test_the_workspace_has_a_default() -> None:
    """Stores without workspaces keep everything in one."""
    assert make_experiment().workspace == "default"
    assert make_experiment(workspace="team").workspace == "team"


def test_every_field_has_a_property() -> None:
    """Iteration gives name and value of each field, in alphabetical order."""
    fields = dict(make_experiment(trace_location="there", effective_trace_archival_retention="3d"))

    assert list(fields) == sorted(fields)
    assert fields["trace_location"] == "there"
    assert fields["effective_trace_archival_retention"] == "3d"
    assert (fields["creation_time"], fields["last_update_time"]) == (1, 2)
    assert fields["artifact_location"] == "file:///a"


def test_experiments_can_be_members_of_sets() -> None:
    """Equal experiments have equal hashes; a copy is equal."""
    first = make_experiment()
    seen = {first, copy.deepcopy(first), make_experiment(experiment_id="2")}

    assert len(seen) == 2
    assert pickle.loads(pickle.dumps(first)) in seen


def test_the_default_experiment_has_its_name() -> None:
    """Clients look it up by this constant."""
    assert Experiment.DEFAULT_EXPERIMENT_NAME == "Default"


@pytest.mark.parametrize(
    ("view", "stages"),
    [
        (ViewType.ACTIVE_ONLY, ["active"]),
        (ViewType.DELETED_ONLY, ["deleted"]),
        (ViewType.ALL, ["active", "deleted"]),
        (0, []),
        (None, []),
    ],
)
def test_a_view_shows_its_stages_and_an_unknown_view_shows_nothing(
    view: int, stages: list[str]
) -> None:
    """Deleted things must not appear because a number was wrong."""
    assert LifecycleStage.view_type_to_stages(view) == stages
    for stage in ("active", "deleted"):
        assert LifecycleStage.matches_view_type(view, stage) is (stage in stages)


def test_without_a_view_everything_is_shown() -> None:
    """The default is all."""
    assert LifecycleStage.view_type_to_stages() == ["active", "deleted"]


def test_stages_are_written_in_lower_case() -> None:
    """Other spellings are no stages."""
    assert LifecycleStage.is_valid("active")
    assert LifecycleStage.is_valid("deleted")
    assert not LifecycleStage.is_valid("Active")


@pytest.mark.parametrize(
    ("name", "view"), [("active_only", 1), ("deleted_only", 2), ("all", 3)], ids=lambda one: one
)
def test_views_have_names(name: str, view: int) -> None:
    """Command line options carry these."""
    assert ViewType.from_string(name) == view
    assert ViewType.to_string(view) == name


def test_names_that_are_no_views_are_refused_with_those_that_are() -> None:
    """The messages are MLflow's."""
    with pytest.raises(ValueError, match="ALL. Valid view types are .'active_only', 'deleted_o"):
        ViewType.from_string("ALL")
    with pytest.raises(ValueError, match="string 0. Valid view types are .1, 2, 3."):
        ViewType.to_string(0)
