"""Runs and what belongs to them."""

from __future__ import annotations

import copy
import json
import math
import pickle

import pytest

from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
    RunTag,
    SourceType,
)

INFO = RunInfo("r" * 32, "0", "ann", "FINISHED", 1, 2, "active", "file:///a", "quick-fox-1")
DATASET = Dataset("wine", "d81bba40", "local", '{"uri": "wine.csv"}', "schema", "profile")


def make_run() -> Run:
    """Return a run with all that a run can have."""
    data = RunData([Metric("loss", 0.5, 7, 3)], [Param("lr", "0.1")], [RunTag("k", "v")])
    inputs = RunInputs(
        [DatasetInput(DATASET, [InputTag("mlflow.data.context", "train")])],
        [LoggedModelInput("m-1")],
    )
    return Run(INFO, data, inputs, RunOutputs([LoggedModelOutput("m-2", 3)]))


def test_a_run_becomes_what_json_can_hold() -> None:
    """`mlflow runs describe` prints this."""
    whole = make_run().to_dictionary()

    assert json.loads(json.dumps(whole)) == whole
    assert whole == {
        "info": {
            "artifact_uri": "file:///a",
            "end_time": 2,
            "experiment_id": "0",
            "lifecycle_stage": "active",
            "run_id": "r" * 32,
            "run_name": "quick-fox-1",
            "start_time": 1,
            "status": "FINISHED",
            "user_id": "ann",
        },
        "data": {"metrics": {"loss": 0.5}, "params": {"lr": "0.1"}, "tags": {"k": "v"}},
        "inputs": {
            "model_inputs": [{"model_id": "m-1"}],
            "dataset_inputs": [
                {
                    "dataset": {
                        "name": "wine",
                        "digest": "d81bba40",
                        "source_type": "local",
                        "source": '{"uri": "wine.csv"}',
                        "schema": "schema",
                        "profile": "profile",
                    },
                    "tags": {"mlflow.data.context": "train"},
                }
            ],
        },
        "outputs": {"model_outputs": [{"model_id": "m-2", "step": 3}]},
    }


def test_a_run_without_data_says_nothing_of_it() -> None:
    """Where only the state was asked for, `data` is None and the dict leaves it out."""
    run = Run(INFO, None)

    assert run.data is None
    assert list(run.to_dictionary()) == ["info"]


def test_a_run_prints_as_in_mlflow() -> None:
    """The text was observed; dicts are in the order of their keys."""
    data = RunData([Metric("b", 2.0, 1, 1), Metric("a", 1.0, 1, 1)], [Param("p", "q")])
    expected = (
        "<Run: data=<RunData: metrics={'a': 1.0, 'b': 2.0}, params={'p': 'q'}, tags={}>, "
        "info=<RunInfo: artifact_uri=None, end_time=None, experiment_id='0', "
        "lifecycle_stage='active', run_id='rrrr', run_name=None, start_time=1, "
        "status='RUNNING', user_id='u'>, inputs=None, outputs=None>"
    )

    assert repr(Run(RunInfo("rrrr", "0", "u", "RUNNING", 1, None, "active"), data)) == expected


def test_runs_and_their_data_can_be_members_of_sets() -> None:
    """Equal ones have equal hashes; a copy is equal."""
    run = make_run()
    copied = pickle.loads(pickle.dumps(run))

    assert len({run, copied, copy.deepcopy(run)}) == 1
    assert len({run.data, copied.data}) == 1
    assert len({run, Run(RunInfo("s", "0", "u", "RUNNING", 1, None, "active"), run.data)}) == 2


def test_data_that_grows_stays_in_its_set() -> None:
    """The dicts of run data are plain dicts, which the owner may change."""
    data = RunData()
    seen = {data}
    data.params["late"] = "1"

    assert data in seen


def test_data_shows_the_last_metric_of_a_key_and_keeps_the_entities() -> None:
    """Values are dicts, steps and times are in `_metric_objs`."""
    metrics = [Metric("a", 1.0, 1, 1), Metric("b", math.inf, 2, 2)]
    data = RunData(metrics)

    assert data.metrics == {"a": 1.0, "b": math.inf}
    assert data._metric_objs == metrics
    assert RunData().to_dictionary() == {"metrics": {}, "params": {}, "tags": {}}


def test_a_metric_may_name_model_dataset_and_run() -> None:
    """All eight fields come back."""
    metric = Metric("loss", 0.5, 7, 3, "m-1", "wine", "d81bba40", "r")

    assert metric.to_dictionary() == {
        "key": "loss",
        "value": 0.5,
        "timestamp": 7,
        "step": 3,
        "model_id": "m-1",
        "dataset_name": "wine",
        "dataset_digest": "d81bba40",
        "run_id": "r",
    }
    assert Metric.from_dictionary(metric.to_dictionary()) == metric


def test_metrics_differ_by_the_model_they_describe() -> None:
    """The same point on another model is another metric."""
    assert Metric("loss", 0.5, 7, 3, "m-1") != Metric("loss", 0.5, 7, 3, "m-2")


def test_info_is_copied_with_what_changes() -> None:
    """The original stays."""
    changed = INFO._copy_with_overrides("FAILED", 5, "deleted", "slow-fox-2")

    assert (changed.status, changed.end_time) == ("FAILED", 5)
    assert (changed.lifecycle_stage, changed.run_name) == ("deleted", "slow-fox-2")
    assert (changed.run_id, changed.start_time) == (INFO.run_id, 1)
    assert INFO.status == "FINISHED"
    assert INFO._copy_with_overrides() == INFO


def test_a_dataset_needs_no_schema_and_no_profile() -> None:
    """They are None then, in the dict as well."""
    least = Dataset("wine", "d81bba40", "local", "{}")

    assert (least.schema, least.profile) == (None, None)
    assert list(least.to_dictionary()) == [
        "name",
        "digest",
        "source_type",
        "source",
        "schema",
        "profile",
    ]
    assert repr(least) == (
        "<Dataset: digest='d81bba40', name='wine', profile=None, schema=None, source='{}', "
        "source_type='local'>"
    )


def test_inputs_without_tags_or_models_are_empty() -> None:
    """Lists, not None."""
    assert DatasetInput(DATASET).tags == []
    assert DatasetInput(DATASET).dataset is DATASET
    assert RunInputs([]).model_inputs == []
    assert RunInputs([]).to_dictionary() == {"model_inputs": [], "dataset_inputs": []}


@pytest.mark.parametrize(
    ("name", "number", "ended"),
    [
        ("RUNNING", 1, False),
        ("SCHEDULED", 2, False),
        ("FINISHED", 3, True),
        ("FAILED", 4, True),
        ("KILLED", 5, True),
    ],
)
def test_each_state_has_a_number_and_has_ended_or_not(name: str, number: int, ended: bool) -> None:
    """The numbers are those of MLflow's files."""
    assert getattr(RunStatus, name) == number
    assert RunStatus.from_string(name) == number
    assert RunStatus.to_string(number) == name
    assert RunStatus.is_terminated(number) is ended
    assert number in RunStatus.all_status()


def test_a_state_that_is_none_is_refused() -> None:
    """The messages are MLflow's; a number that is no state has not ended."""
    with pytest.raises(Exception, match="run status corresponding to string running. Valid run"):
        RunStatus.from_string("running")
    with pytest.raises(Exception, match="corresponding to run status 6. Valid run statuses: .1"):
        RunStatus.to_string(6)
    assert not RunStatus.is_terminated(6)
    assert RunStatus.all_status() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "number"),
    [("NOTEBOOK", 1), ("JOB", 2), ("PROJECT", 3), ("LOCAL", 4), ("UNKNOWN", 5)],
)
def test_each_kind_of_program_has_a_number(name: str, number: int) -> None:
    """The numbers are those of MLflow's Python API, not those of its wire format."""
    assert getattr(SourceType, name) == number
    assert SourceType.from_string(name) == number
    assert SourceType.to_string(number) == name


def test_a_kind_of_program_that_is_none_is_refused() -> None:
    """The message lists those there are."""
    with pytest.raises(Exception, match="string local. Valid source types: .'NOTEBOOK'"):
        SourceType.from_string("local")
    with pytest.raises(Exception, match="source type 1000. Valid source types: .1, 2, 3, 4, 5"):
        SourceType.to_string(1000)
