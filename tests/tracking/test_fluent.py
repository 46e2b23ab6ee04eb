"""Runs and experiments as a training script uses them."""

from __future__ import annotations

import asyncio
import os

import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import fluent


def _tags(run) -> dict[str, str]:
    return mlflow.get_run(run.info.run_id).data.tags


def test_a_run_is_running_in_its_block_and_finished_after_it():
    with mlflow.start_run(run_name="first", tags={"a": 1}, description="what") as run:
        assert mlflow.active_run() is run
        assert mlflow.get_run(run.info.run_id).info.status == "RUNNING"

    after = mlflow.get_run(run.info.run_id)
    assert mlflow.active_run() is None
    assert after.info.status == "FINISHED"
    assert after.info.end_time >= after.info.start_time
    assert after.info.run_name == "first"
    assert after.data.tags["a"] == "1"
    assert after.data.tags["mlflow.note.content"] == "what"
    assert after.data.tags["mlflow.source.type"] == "LOCAL"
    assert after.data.tags["mlflow.user"]


def test_an_exception_fails_the_run_and_is_kept_on_it():
    class OutOfLuckError(Exception):
        pass

    with pytest.raises(OutOfLuckError), mlflow.start_run() as run:
        raise OutOfLuckError("no luck: 7")

    assert mlflow.get_run(run.info.run_id).info.status == "FAILED"
    tags = _tags(run)
    assert tags["millstream.error.type"].endswith("OutOfLuckError")
    assert tags["millstream.error.message"] == "no luck: 7"
    assert "test_fluent.py" in tags["millstream.error.trace"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SystemExit(0), "FINISHED"),
        (SystemExit(None), "FINISHED"),
        (SystemExit(3), "FAILED"),
        (SystemExit("why"), "FAILED"),
        (KeyboardInterrupt(), "KILLED"),
        (asyncio.CancelledError(), "KILLED"),
    ],
)
def test_how_a_block_is_left_says_how_the_run_ended(error, status):
    with pytest.raises(type(error)), mlflow.start_run() as run:
        raise error

    assert mlflow.get_run(run.info.run_id).info.status == status


def test_an_error_that_cannot_be_shown_still_fails_the_run():
    class Mute(Exception):  # noqa: N818
        def __str__(self) -> str:
            raise RuntimeError

    with pytest.raises(Mute), mlflow.start_run() as run:
        raise Mute

    assert mlflow.get_run(run.info.run_id).info.status == "FAILED"


def test_a_second_run_needs_nested():
    with mlflow.start_run() as run:
        with pytest.raises(
            Exception, match=f"Run with UUID {run.info.run_id} is already active"
        ) as e:
            mlflow.start_run()
        assert type(e.value) is Exception
        with mlflow.start_run(nested=True) as child:
            assert mlflow.active_run() is child
        assert mlflow.active_run() is run

    assert _tags(child)["mlflow.parentRunId"] == run.info.run_id
    assert mlflow.get_parent_run(child.info.run_id).info.run_id == run.info.run_id
    assert mlflow.get_parent_run(run.info.run_id) is None


def test_inner_runs_that_were_left_open_end_with_the_outer_one():
    with mlflow.start_run() as outer:
        inner = mlflow.start_run(nested=True)

    assert mlflow.active_run() is None
    assert {mlflow.get_run(one.info.run_id).info.status for one in (outer, inner)} == {"FINISHED"}


def test_a_run_that_was_ended_in_its_block_keeps_that_state():
    with mlflow.start_run() as run:
        mlflow.end_run("KILLED")

    assert mlflow.get_run(run.info.run_id).info.status == "KILLED"


def test_a_parent_may_be_named():
    parent = mlflow.start_run()
    mlflow.end_run()
    with mlflow.start_run(parent_run_id=parent.info.run_id) as child:
        other = parent.info.run_id
        with pytest.raises(MlflowException, match="does not match the specified parent_run_id"):
            mlflow.start_run(parent_run_id=other, nested=True)
    assert _tags(child)["mlflow.parentRunId"] == parent.info.run_id
    with pytest.raises(MlflowException) as caught:
        mlflow.start_run(parent_run_id="f" * 32)
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_an_earlier_run_goes_on():
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1)
    with mlflow.start_run(run_id=run.info.run_id, tags={"again": "yes"}) as again:
        assert mlflow.get_run(run.info.run_id).info.status == "RUNNING"
        mlflow.log_metric("m", 2, step=1)

    assert again.info.run_id == run.info.run_id
    assert _tags(run)["again"] == "yes"
    assert [p.value for p in mlflow.MlflowClient().get_metric_history(run.info.run_id, "m")] == [
        1,
        2,
    ]


def test_a_deleted_run_does_not_go_on():
    with mlflow.start_run() as run:
        pass
    mlflow.delete_run(run.info.run_id)
    with pytest.raises(MlflowException, match="deleted state"):
        mlflow.start_run(run_id=run.info.run_id)
    mlflow.restore_run(run.info.run_id)
    with mlflow.start_run(run_id=run.info.run_id):
        pass


def test_a_run_of_another_experiment_than_the_active_one_does_not_go_on():
    with mlflow.start_run() as run:
        pass
    mlflow.set_experiment("other")
    with pytest.raises(MlflowException, match="active experiment ID does not match"):
        mlflow.start_run(run_id=run.info.run_id)


def test_the_environment_names_a_run_once(monkeypatch):
    with mlflow.start_run() as run:
        pass
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    with mlflow.start_run() as again:
        assert again.info.run_id == run.info.run_id
    with mlflow.start_run() as new:
        assert new.info.run_id != run.info.run_id


def test_tags_may_be_json_text_and_a_description_is_given_once():
    with mlflow.start_run(tags='{"a": 1}') as run:
        pass
    assert _tags(run)["a"] == "1"
    with pytest.raises(MlflowException, match="Description is already set via the tag"):
        mlflow.start_run(description="x", tags={"mlflow.note.content": "y"})


def test_an_unknown_status_ends_nothing():
    with mlflow.start_run() as run:
        with pytest.raises(Exception, match="Could not get run status"):
            mlflow.end_run("BOGUS")
        assert mlflow.active_run() is run
    mlflow.end_run()


def test_logging_starts_a_run():
    mlflow.log_param("a", 1)
    run = mlflow.active_run()
    mlflow.log_metric("m", 2)
    mlflow.set_tag("t", "x")
    mlflow.end_run()

    data = mlflow.get_run(run.info.run_id).data
    assert (data.params, data.metrics, data.tags["t"]) == ({"a": "1"}, {"m": 2.0}, "x")
    assert mlflow.last_active_run().info.run_id == run.info.run_id


def test_a_run_keeps_its_store_when_the_folder_or_the_uri_changes(tmp_path):
    with mlflow.start_run() as run:
        os.chdir(tmp_path)
        mlflow.log_metric("m", 1)
        mlflow.set_tracking_uri(tmp_path / "elsewhere")
        mlflow.log_metric("m", 2, step=1)
        mlflow.log_text("x", "x.txt")
        mlflow.log_metrics({"n": 1})

    store = run._store
    assert store.get_run(run.info.run_id).data.metrics == {"m": 2.0, "n": 1.0}
    assert not (tmp_path / "elsewhere" / "0" / run.info.run_id).exists()


def test_log_param_returns_what_it_was_given_and_refuses_another_value():
    with mlflow.start_run():
        assert mlflow.log_param("a", 1) == 1
        mlflow.log_param("a", 1)
        with pytest.raises(MlflowException) as caught:
            mlflow.log_param("a", 2)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_more_than_a_batch_is_logged_in_several():
    with mlflow.start_run() as run:
        mlflow.log_params({f"p{i}": i for i in range(250)})
        mlflow.set_tags({f"t{i}": i for i in range(250)})
        mlflow.log_metrics({f"m{i}": i for i in range(2500)}, step=3)

    data = mlflow.get_run(run.info.run_id).data
    assert len(data.params) == 250
    assert sum(key.startswith("t") for key in data.tags) == 250
    assert data.metrics == {f"m{i}": float(i) for i in range(2500)}


def test_the_fast_way_of_log_metric_equals_the_plain_one(monkeypatch):
    values = [1, 0.1, True, "3", float("inf"), float("-inf"), -0.0, 1e-320]
    with mlflow.start_run() as run:
        for step, value in enumerate(values):
            mlflow.log_metric("fast", value, step=step, timestamp=5)
            mlflow.log_metric("plain", value, step=step, timestamp=5, synchronous=True)
            mlflow.log_metrics({"many": value}, step=step, timestamp=5)
    client = mlflow.MlflowClient()
    fast, plain, many = (
        [
            (repr(p.value), p.step, p.timestamp)
            for p in client.get_metric_history(run.info.run_id, k)
        ]
        for k in ("fast", "plain", "many")
    )
    assert fast == plain == many


def test_metrics_can_be_logged_to_another_run():
    with mlflow.start_run() as one:
        pass
    with mlflow.start_run():
        mlflow.log_metric("m", 1, run_id=one.info.run_id)
        mlflow.log_params({"p": 1}, run_id=one.info.run_id)

    assert mlflow.get_run(one.info.run_id).data.metrics == {"m": 1.0}


def test_metrics_describe_the_model_that_the_run_produced_at_their_step():
    with mlflow.start_run():
        model = mlflow.initialize_logged_model("m")
        mlflow.log_outputs([mlflow.entities.LoggedModelOutput(model.model_id, 7)])
        mlflow.log_metric("acc", 0.5, step=7)
        mlflow.log_metric("acc", 0.6, step=8)
    found = mlflow.get_logged_model(model.model_id).metrics

    assert [(one.key, one.value, one.step) for one in found] == [("acc", 0.5, 7)]


def test_a_point_is_logged_once_however_many_models_there_are():
    with mlflow.start_run() as run:
        models = [mlflow.initialize_logged_model(name) for name in "ab"]
        mlflow.log_outputs([mlflow.entities.LoggedModelOutput(m.model_id, 0) for m in models])
        mlflow.log_metric("acc", 0.5)
    metrics = [mlflow.get_logged_model(model.model_id).metrics for model in models]

    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "acc")
    assert [one.value for one in history] == [0.5]
    assert [[one.key for one in found or ()] for found in metrics] == [["acc"], []]


# ------------------------------------------------------------------------------ experiments


def test_set_experiment_makes_it_and_new_runs_go_there():
    experiment = mlflow.set_experiment("wine")
    with mlflow.start_run() as run:
        pass

    assert run.info.experiment_id == experiment.experiment_id
    assert os.environ["MLFLOW_EXPERIMENT_ID"] == experiment.experiment_id
    assert fluent._active_experiment_id == experiment.experiment_id
    assert mlflow.set_experiment(experiment_id=experiment.experiment_id).name == "wine"


@pytest.mark.parametrize("arguments", [(), ("a", "0")])
def test_set_experiment_takes_exactly_one_of_name_and_id(arguments):
    with pytest.raises(MlflowException, match="Must specify exactly one of"):
        mlflow.set_experiment(*arguments)


def test_a_deleted_experiment_is_not_made_active():
    number = mlflow.create_experiment("gone")
    mlflow.delete_experiment(number)
    with pytest.raises(MlflowException, match="Cannot set a deleted experiment 'gone'"):
        mlflow.set_experiment("gone")
    mlflow.restore_experiment(number)
    assert mlflow.set_experiment("gone").experiment_id == number


def test_the_environment_names_the_experiment(monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "named")
    with mlflow.start_run() as run:
        pass
    assert mlflow.get_experiment(run.info.experiment_id).name == "named"

    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")
    with pytest.raises(MlflowException, match="does not match the experiment id"):
        mlflow.start_run()

    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME")
    with mlflow.start_run() as run:
        assert run.info.experiment_id == "0"


def test_the_active_experiment_may_be_set_from_outside():
    number = mlflow.create_experiment("x")
    fluent._active_experiment_id = number
    with mlflow.start_run() as run:
        assert run.info.experiment_id == number
    mlflow.set_experiment_tag("a", 1)
    mlflow.set_experiment_tags({"b": 2, "c": 3})
    mlflow.delete_experiment_tag("c")
    assert mlflow.get_experiment(number).tags == {"a": "1", "b": "2"}
    fluent._active_experiment_id = None


def test_the_uncommitted_patch_is_kept_when_asked_for(tmp_path, monkeypatch):
    import shutil
    import subprocess

    if shutil.which("git") is None:
        pytest.skip("the git program is not installed")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "train.py").write_text("one\n")
    subprocess.run([*git, "-C", str(tmp_path), "add", "."], check=True)
    subprocess.run([*git, "-C", str(tmp_path), "commit", "-qm", "x"], check=True)
    (tmp_path / "train.py").write_text("two\n")
    monkeypatch.setattr("mlflow.tracking.client_files.main_folder", lambda: str(tmp_path))
    monkeypatch.setenv("MILLSTREAM_LOG_PATCH", "true")

    with mlflow.start_run() as run:
        pass

    text = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/source/uncommitted.patch")
    assert "-one" in text
    assert "+two" in text
