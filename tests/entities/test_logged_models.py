"""Logged models and their states."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from mlflow.entities import (
    LoggedModel,
    LoggedModelParameter,
    LoggedModelStatus,
    LoggedModelTag,
    Metric,
)
from mlflow.exceptions import MlflowException


def make_model(**changes: object) -> LoggedModel:
    """Return a logged model with everything given."""
    fields = {
        "experiment_id": "1",
        "model_id": "m-1",
        "name": "forest",
        "artifact_location": "file:///a",
        "creation_timestamp": 1,
        "last_updated_timestamp": 2,
        "model_type": "classifier",
        "source_run_id": "r",
        "status": LoggedModelStatus.READY,
        "status_message": "done",
        "tags": [LoggedModelTag("k", "v")],
        "params": [LoggedModelParameter("p", "q")],
        "metrics": [Metric("loss", 0.5, 2, 3)],
    }
    return LoggedModel(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_logged_model_prints_as_in_mlflow() -> None:
    """The text was observed: metrics, params and tags, which can be long, are not in it."""
    expected = (
        "LoggedModel(artifact_location='file:///a', creation_timestamp=1, experiment_id='1', "
        "last_updated_timestamp=2, model_id='m-1', model_type='classifier', "
        "model_uri='models:/m-1', name='forest', source_run_id='r', "
        "status=<LoggedModelStatus.READY: 'READY'>, status_message='done')"
    )

    assert repr(make_model()) == expected


def test_a_model_has_a_uri() -> None:
    """Libraries that copy `__dict__` have it too; a model is made from its fields without it."""
    model = make_model()

    assert model.model_uri == "models:/m-1"
    assert vars(model)["_model_uri"] == "models:/m-1"
    assert LoggedModel(**dict(model)) == model


def test_a_model_becomes_a_dict_of_plain_values() -> None:
    """The dict can be written as JSON; its status is the stored number, and there is no URI."""
    whole = make_model().to_dictionary()

    assert json.loads(json.dumps(whole)) == whole
    assert whole["status"] == 2
    assert whole["params"] == {"p": "q"}
    assert whole["tags"] == {"k": "v"}
    assert whole["metrics"][0]["value"] == 0.5
    assert "model_uri" not in whole


def test_a_model_is_read_back_from_its_dict() -> None:
    """What `to_dictionary` gives, `from_dictionary` takes."""
    model = make_model(metrics=None)

    assert LoggedModel.from_dictionary(model.to_dictionary()) == model


def test_tags_and_params_may_be_dicts() -> None:
    """Entities and dicts give the same model."""
    assert make_model(tags={"k": "v"}, params={"p": "q"}) == make_model()
    assert make_model(tags=None, params=None).tags == {}
    assert make_model(tags=None, params=None).params == {}


def test_models_can_be_members_of_sets() -> None:
    """Equal models have equal hashes; a copy is equal."""
    first = make_model()
    seen = {first, copy.deepcopy(first), make_model(model_id="m-2")}

    assert len(seen) == 2
    assert pickle.loads(pickle.dumps(first)) in seen


@pytest.mark.parametrize("given", [LoggedModelStatus.FAILED, 3, "FAILED"])
def test_a_status_may_be_a_number_or_a_name(given: object) -> None:
    """Stores keep numbers, the wire has names."""
    assert make_model(status=given).status is LoggedModelStatus.FAILED


@pytest.mark.parametrize("given", [9, -1, "ready", "LOST"])
def test_a_status_that_is_none_is_refused(given: object) -> None:
    """The message names it."""
    with pytest.raises(MlflowException, match=f"Unknown model status: {given!r}"):
        make_model(status=given)


@pytest.mark.parametrize(
    ("status", "number", "final"),
    [("UNSPECIFIED", 0, False), ("PENDING", 1, False), ("READY", 2, True), ("FAILED", 3, True)],
)
def test_each_status_has_a_number_and_is_final_or_not(
    status: str, number: int, final: bool
) -> None:
    """The numbers are those of MLflow's stores."""
    found = LoggedModelStatus(status)

    assert str(found) == status
    assert found == status
    assert found.to_int() == number
    assert LoggedModelStatus.from_int(number) is found
    assert LoggedModelStatus.is_finalized(found) is final
    assert LoggedModelStatus.is_finalized(status) is final
