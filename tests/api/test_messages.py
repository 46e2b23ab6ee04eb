"""Entities go over the wire and come back, in the form of stock MLflow's answers."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.api import messages
from mlflow.api.wire import Message, UnreadableError
from mlflow.entities.experiment import Experiment, ExperimentTag
from mlflow.entities.logged_models import LoggedModel, LoggedModelStatus
from mlflow.entities.registry import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
)
from mlflow.entities.run import (
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
    RunTag,
)

RUN = Run(
    RunInfo("r", "1", "ada", "RUNNING", 5, None, "active", "file:///a", "name"),
    RunData([Metric("m", 0.5, 1, 2)], [Param("p", "1")], [RunTag("t", "v")]),
    RunInputs(
        [DatasetInput(Dataset("d", "x", "local", "{}"), [InputTag("k", "v")])],
        [LoggedModelInput("m-1")],
    ),
    RunOutputs([LoggedModelOutput("m-2", 3)]),
)
EXPERIMENT = Experiment("1", "e", "file:///e", "active", [ExperimentTag("a", "b")], 5, 6)
MODEL = LoggedModel(
    "1", "m-1", "n", "file:///m", 5, 6, None, "r", LoggedModelStatus.PENDING, None, {"a": "b"},
    {"p": "1"}, [Metric("m", 1.0, 2, 3, "m-1", "d", "x", "r")],
)  # fmt: skip
VERSION = ModelVersion(
    "M", "2", 5, 6, "text", None, "None", "s3://b", None, "READY", None, [ModelVersionTag("a", "b")],
    None, ["champ"],
)  # fmt: skip
REGISTERED = RegisteredModel("M", 5, 6, None, [VERSION], [], [RegisteredModelAlias("champ", "2")])


def over_the_wire(message, entity):
    """Write, go through JSON, and read."""
    return message.read(json.loads(json.dumps(message.write(entity))))


@pytest.mark.parametrize(
    ("message", "entity"),
    [(messages.RUN, RUN), (messages.EXPERIMENT, EXPERIMENT), (messages.LOGGED_MODEL, MODEL),
     (messages.MODEL_VERSION, VERSION), (messages.REGISTERED_MODEL, REGISTERED)],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_entities_come_back(message, entity):
    """Nothing is lost on the way."""
    assert vars(entity).keys() == vars(over_the_wire(message, entity)).keys()
    assert message.write(entity) == message.write(over_the_wire(message, entity))
    assert entity == over_the_wire(message, entity)


def test_a_run_as_stock_writes_it():
    """The fields are in the order of the protocol's numbers; what has no value is left out."""
    assert (
        '{"info": {"run_uuid": "r", "experiment_id": "1", "run_name": "name", "user_id": "ada", '
        '"status": "RUNNING", "start_time": 5, "artifact_uri": "file:///a", "lifecycle_stage": '
        '"active", "run_id": "r"}, "data": {"metrics": [{"key": "m", "value": 0.5, "timestamp": '
        '1, "step": 2}], "params": [{"key": "p", "value": "1"}], "tags": [{"key": "t", "value": '
        '"v"}]}, "inputs": {"dataset_inputs": [{"tags": [{"key": "k", "value": "v"}], "dataset": '
        '{"name": "d", "digest": "x", "source_type": "local", "source": "{}"}}], "model_inputs": '
        '[{"model_id": "m-1"}]}, "outputs": {"model_outputs": [{"model_id": "m-2", "step": 3}]}}'
    ) == json.dumps(messages.RUN.write(RUN))


def test_an_experiment_as_stock_writes_it():
    """Recorded from stock MLflow 3.17.2, names and times aside."""
    assert (
        '{"experiment_id": "1", "name": "e", "artifact_location": "file:///e", "lifecycle_stage": '
        '"active", "last_update_time": 6, "creation_time": 5, "tags": [{"key": "a", "value": '
        '"b"}], "workspace": "default"}'
    ) == json.dumps(messages.EXPERIMENT.write(EXPERIMENT))


def test_models_as_stock_writes_them():
    """Some fields without a value are empty text there."""
    assert (
        '{"info": {"model_id": "m-1", "experiment_id": "1", "name": "n", "creation_timestamp_ms": '
        '5, "last_updated_timestamp_ms": 6, "artifact_uri": "file:///m", "status": '
        '"LOGGED_MODEL_PENDING", "model_type": "", "source_run_id": "r", "tags": [{"key": "a", '
        '"value": "b"}]}, "data": {"params": [{"key": "p", "value": "1"}], "metrics": [{"key": '
        '"m", "value": 1.0, "timestamp": 2, "step": 3, "dataset_name": "d", "dataset_digest": '
        '"x", "model_id": "m-1", "run_id": "r"}]}}'
    ) == json.dumps(messages.LOGGED_MODEL.write(MODEL))
    assert (
        '{"name": "M", "version": "2", "creation_timestamp": 5, "last_updated_timestamp": 6, '
        '"current_stage": "None", "description": "text", "source": "s3://b", "run_id": "", '
        '"status": "READY", "tags": [{"key": "a", "value": "b"}], "run_link": "", "aliases": '
        '["champ"]}'
    ) == json.dumps(messages.MODEL_VERSION.write(VERSION))


# --- the short way of metrics --------------------------------------------------------------------

VALUES = st.one_of(
    st.floats(), st.integers(), st.booleans(), st.none(), st.sampled_from(["1.5", "NaN", "x", ""])
)
NUMBERS = st.one_of(st.integers(-(2**64), 2**64), st.sampled_from(["3", "x", None, 1.5, 2.0, True]))
RAW = st.dictionaries(
    st.sampled_from(
        ["key", "value", "timestamp", "step", "run_id", "model_id", "datasetName", "other"]
    ),
    st.one_of(VALUES, NUMBERS, st.text(max_size=2)),
)


def plainly(message: Message, value):
    """Read without the short way; what was made, or that nothing was."""
    try:
        return repr(Message.read(message, value))
    except UnreadableError as error:
        return error.told().message


def shortly(message: Message, value):
    try:
        return repr(message.read(value))
    except UnreadableError as error:
        return error.told().message


@given(RAW, st.sampled_from([messages.METRIC, messages.MODEL_METRIC]))
def test_the_short_way_reads_as_the_plain_one(value, message):
    """Whatever comes."""
    assert plainly(message, value) == shortly(message, value)


@given(st.text(min_size=1, max_size=2), st.floats(), st.integers(-5, 2**63 - 1), st.integers(-9, 9))
def test_usual_points(key, value, timestamp, step):
    """The points that go the short way do so, and are read as the plain way reads them."""
    raw = {"key": key, "value": value, "timestamp": timestamp, "step": step}

    assert plainly(messages.METRIC, raw) == shortly(messages.METRIC, raw)


@pytest.mark.parametrize("value", [1.0, 1, math.nan, math.inf])
@pytest.mark.parametrize("model", [None, "m-1"])
@pytest.mark.parametrize("message", [messages.METRIC, messages.MODEL_METRIC])
def test_the_short_way_writes_as_the_plain_one(value, model, message):
    """The JSON is the same."""
    metric = Metric("m", value, 1, 2, model, run_id="r")

    assert json.dumps(Message.write(message, metric)) == json.dumps(message.write(metric))


# --- records and the rest ------------------------------------------------------------------------


def test_records_are_dicts():
    """What they do not say is left out, both ways."""
    order = {"field_name": "metrics.a", "ascending": False}

    assert order == messages.MODEL_ORDER.read(order)
    assert order == messages.MODEL_ORDER.write({**order, "dataset_name": None})
    with pytest.raises(UnreadableError):
        messages.MODEL_ORDER.write("metrics.a")


def test_experiment_ids():
    """A bare id counts as a list of it; numbers count as their digits."""
    assert ["12"] == messages.EXPERIMENT_IDS.write("12")
    assert ["1", "2"] == messages.EXPERIMENT_IDS.write([1, "2"])
    assert ["1", "2"] == messages.EXPERIMENT_IDS.read([1, "2"])


class Noted:
    def get_tags_dict(self):
        return {"run_id": "r", "artifact_path": "a", "utc_time_created": "t", "flavors": {}}


def test_the_note_of_a_model():
    """It is JSON in text, and says what every model says."""
    written = messages.MODEL_JSON.write(Noted())

    assert Noted().get_tags_dict() == messages.MODEL_JSON.read(written).get_tags_dict()
    for bad, words in (
        ("x", "Malformed model info"),
        ("{}", "missing mandatory"),
        ("[]", "missing"),
    ):
        with pytest.raises(UnreadableError) as caught:
            messages.MODEL_JSON.read(bad)
        assert words in caught.value.told().message
