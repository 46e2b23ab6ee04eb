"""Registered models, their versions, and the states of these."""

from __future__ import annotations

import pytest

from mlflow.entities import LoggedModelParameter, Metric
from mlflow.entities.registry import (
    ALL_STAGES,
    CANONICAL_STAGES,
    DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS,
    ModelVersion,
    ModelVersionStatus,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag,
)


def make_version(**changes: object) -> ModelVersion:
    """Return a version with everything given."""
    fields = {
        "name": "wine",
        "version": "1",
        "creation_timestamp": 10,
        "last_updated_timestamp": 11,
        "description": "d",
        "user_id": "ann",
        "current_stage": "None",
        "source": "runs:/r/model",
        "run_id": "r",
        "status": "READY",
        "status_message": "msg",
        "tags": [ModelVersionTag("a", "b")],
        "run_link": "link",
        "aliases": ["champion"],
        "model_id": "m-1",
        "params": [LoggedModelParameter("p", "q")],
        "metrics": [Metric("loss", 0.5, 2, 3)],
    }
    return ModelVersion(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_version_prints_as_in_mlflow() -> None:
    """The text was observed."""
    expected = (
        "<ModelVersion: aliases=['champion'], creation_timestamp=10, current_stage='None', "
        "deployment_job_state=None, description='d', last_updated_timestamp=11, "
        "metrics=[<Metric: dataset_digest=None, dataset_name=None, key='loss', model_id=None, "
        "run_id=None, step=3, timestamp=2, value=0.5>], model_id='m-1', name='wine', "
        "params=[<LoggedModelParameter: key='p', value='q'>], run_id='r', run_link='link', "
        "source='runs:/r/model', status='READY', status_message='msg', tags={'a': 'b'}, "
        "user_id='ann', version='1', workspace='default'>"
    )

    assert repr(make_version()) == expected


def test_a_version_needs_name_number_and_time_only() -> None:
    """What was not given is None or empty, and the version is ready."""
    least = ModelVersion("wine", "1", 10)

    assert least.status == "READY"
    assert least.tags == {}
    assert least.aliases == []
    assert {
        least.description,
        least.user_id,
        least.current_stage,
        least.source,
        least.run_id,
        least.run_link,
        least.status_message,
        least.model_id,
        least.params,
        least.metrics,
        least.last_updated_timestamp,
        least.deployment_job_state,
    } == {None}


def test_the_number_of_a_version_is_text() -> None:
    """It is so on the wire, and clients compare it with text."""
    assert make_version(version=12).version == "12"


def test_a_registered_model_prints_as_in_mlflow() -> None:
    """The text was observed; aliases and tags are dicts in the order of their keys."""
    model = RegisteredModel(
        "wine",
        1,
        2,
        "d",
        [],
        [RegisteredModelTag("b", "2"), RegisteredModelTag("a", "1")],
        [RegisteredModelAlias("champion", "3")],
    )
    expected = (
        "<RegisteredModel: aliases={'champion': '3'}, creation_timestamp=1, "
        "deployment_job_id=None, deployment_job_state=None, description='d', "
        "last_updated_timestamp=2, latest_versions=[], name='wine', "
        "tags={'a': '1', 'b': '2'}, workspace='default'>"
    )

    assert repr(model) == expected


def test_a_registered_model_keeps_its_latest_versions() -> None:
    """They are the versions that were given."""
    version = make_version()
    model = RegisteredModel("wine", latest_versions=[version], deployment_job_id="job")

    assert model.latest_versions == [version]
    assert model.deployment_job_id == "job"
    assert RegisteredModel("wine").latest_versions is None
    assert RegisteredModel("wine").tags == {}
    assert RegisteredModel("wine").aliases == {}


def test_an_alias_names_a_version() -> None:
    """The text was observed."""
    alias = RegisteredModelAlias("champion", "3")

    assert (alias.alias, alias.version) == ("champion", "3")
    assert repr(alias) == "<RegisteredModelAlias: alias='champion', version='3'>"


def test_stages_are_known_in_any_case() -> None:
    """The spelling that is kept has a capital."""
    assert ALL_STAGES == ["None", "Staging", "Production", "Archived"]
    assert DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS == ["Staging", "Production"]
    assert CANONICAL_STAGES["production"] == "Production"
    assert sorted(CANONICAL_STAGES.values()) == sorted(ALL_STAGES)


@pytest.mark.parametrize(
    ("number", "name"), [(1, "PENDING_REGISTRATION"), (2, "FAILED_REGISTRATION"), (3, "READY")]
)
def test_a_version_status_has_a_name_and_a_number(number: int, name: str) -> None:
    """Programs that compare with `from_string`, and those that print numbers, both work."""
    assert ModelVersionStatus.from_string(name) == getattr(ModelVersionStatus, name)
    assert ModelVersionStatus.to_string(ModelVersionStatus.from_string(name)) == name
    assert ModelVersionStatus.to_string(number) == name
    assert name in ModelVersionStatus.all_status()


@pytest.mark.parametrize("wrong", ["ready", "", "4"])
def test_a_version_status_that_is_none_is_refused(wrong: str) -> None:
    """The message lists those there are."""
    with pytest.raises(ValueError, match="Valid status strings: .'PENDING_REGISTRATION', 'FAILED"):
        ModelVersionStatus.from_string(wrong)
    with pytest.raises(ValueError, match="Valid status strings"):
        ModelVersionStatus.to_string(wrong)


@pytest.mark.parametrize("wrong", [0, 4, -1])
def test_a_number_of_no_version_status_is_refused(wrong: int) -> None:
    """Zero and less must not count from the end."""
    with pytest.raises(ValueError, match=f"corresponding to string {wrong}. Valid"):
        ModelVersionStatus.to_string(wrong)
