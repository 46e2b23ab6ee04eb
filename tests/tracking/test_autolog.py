"""The patch layer: the original runs once, its result and its errors are the caller's."""

import logging
import subprocess
import sys
import textwrap

import pytest

import mlflow
from mlflow.tracking import autolog

NAME = "made_up"


@pytest.fixture
def library():
    class Library:
        calls: list = []

        def train(self, x, *, y=1):
            """Train."""
            Library.calls.append((x, y))
            if x == "bad":
                raise KeyError("the user's")
            return ("result", x, y)

    autolog.AUTOLOGGING_INTEGRATIONS[NAME] = {}
    autolog._reported.clear()
    yield Library
    del autolog.AUTOLOGGING_INTEGRATIONS[NAME]


def patched(library, patch, **kwargs):
    autolog.safe_patch(NAME, library, "train", patch, **kwargs)
    return library()


def through(original, *args, **kwargs):
    return original(*args, **kwargs)


def before(original, *args, **kwargs):
    raise RuntimeError("ours")


def after(original, *args, **kwargs):
    original(*args, **kwargs)
    raise RuntimeError("ours")


def never(original, *args, **kwargs):
    return "something else"


def twice(original, *args, **kwargs):
    return original(*args, **kwargs), original(*args, **kwargs)


def swallowing(original, *args, **kwargs):
    try:
        original(*args, **kwargs)
    except KeyError:
        return None


def translating(original, *args, **kwargs):
    try:
        original(*args, **kwargs)
    except KeyError as error:
        raise RuntimeError("ours") from error


PATCHES = [through, before, after, never, twice, swallowing, translating]


@pytest.mark.parametrize("patch", PATCHES)
def test_the_result_is_the_originals_and_it_runs_once(library, patch):
    assert patched(library, patch).train(2, y=3) == ("result", 2, 3)
    assert library.calls == [(2, 3)]


@pytest.mark.parametrize("patch", PATCHES)
def test_the_error_is_the_originals_and_it_runs_once(library, patch):
    with pytest.raises(KeyError, match="the user's"):
        patched(library, patch).train("bad")
    assert library.calls == [("bad", 1)]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_interrupts_pass(library, kind):
    def interrupted(original, *args, **kwargs):
        raise kind

    with pytest.raises(kind):
        patched(library, interrupted).train(1)


def test_our_error_is_said_once(library, caplog):
    model = patched(library, before)
    with caplog.at_level(logging.WARNING):
        model.train(1)
        model.train(2)

    assert [r.getMessage() for r in caplog.records] == [
        "Encountered unexpected error during made_up autologging: RuntimeError: ours"
    ]


def test_silent_says_nothing(library, caplog):
    autolog.AUTOLOGGING_INTEGRATIONS[NAME] = {"silent": True}
    with caplog.at_level(logging.WARNING):
        patched(library, before).train(1)

    assert caplog.records == []


def test_calls_inside_a_call_are_not_logged(library):
    entered = []

    class Outer(library):
        def train(self, x, *, y=1):
            return super().train(x, y=y)

    def note(original, *args, **kwargs):
        entered.append(1)
        return original(*args, **kwargs)

    autolog.safe_patch(NAME, library, "train", note)
    autolog.safe_patch(NAME, Outer, "train", note)

    assert Outer().train(1) == ("result", 1, 1)
    assert entered == [1]
    assert not autolog.in_session()


def test_a_patch_may_be_asked_inside_a_call(library):
    entered = []

    class Outer(library):
        def fit(self):
            return self.train(1)

    def note(original, *args, **kwargs):
        entered.append(1)
        return original(*args, **kwargs)

    autolog.safe_patch(NAME, library, "train", note, inside=True)
    autolog.safe_patch(NAME, Outer, "fit", through)

    assert Outer().fit() == ("result", 1, 1)
    assert entered == [1]
    assert library.calls == [(1, 1)]


def test_a_patch_is_put_on_once_and_taken_off(library):
    original = library.train
    patched(library, through)
    first = library.train
    patched(library, before)

    assert library.train is first
    assert library.train.__doc__ == "Train."
    autolog.revert_patch(library, "train")
    assert library.train is original
    autolog.revert_patch(library, "train")


@pytest.mark.parametrize("block", [
    autolog.disable_autologging,
    lambda: autolog.disable_discrete_autologging([NAME]),
])  # fmt: skip
def test_blocks_that_switch_it_off(library, block):
    model = patched(library, never)
    with block():
        assert autolog.autologging_is_disabled(NAME)
        model.train(1)

    assert not autolog.autologging_is_disabled(NAME)
    assert library.calls == [(1, 1)]


def test_other_integrations_stay_on():
    autolog.AUTOLOGGING_INTEGRATIONS[NAME] = {}
    try:
        with autolog.disable_discrete_autologging(["another"]):
            assert not autolog.autologging_is_disabled(NAME)
    finally:
        del autolog.AUTOLOGGING_INTEGRATIONS[NAME]
    assert autolog.autologging_is_disabled("unknown")


def test_a_managed_run_is_begun_and_ended(library):
    seen = []

    def look(original, *args, **kwargs):
        seen.append(mlflow.active_run().info.run_id)
        return original(*args, **kwargs)

    model = patched(library, look, manage_run=True, extra_tags={"a": "b"})
    model.train(1)
    with pytest.raises(KeyError):
        model.train("bad")
    with mlflow.start_run() as own:
        model.train(2)

    found = [mlflow.get_run(run_id) for run_id in seen]
    assert [run.info.status for run in found] == ["FINISHED", "FAILED", "FINISHED"]
    assert seen[2] == own.info.run_id
    assert found[0].data.tags["mlflow.autologging"] == NAME
    assert found[0].data.tags["a"] == "b"
    assert "mlflow.autologging" not in found[2].data.tags


def test_exclusive_looks_at_the_users_run_only(library):
    autolog.AUTOLOGGING_INTEGRATIONS[NAME] = {"exclusive": True}

    assert not autolog.autologging_is_disabled(NAME)
    with mlflow.start_run():
        assert autolog.autologging_is_disabled(NAME)
    with mlflow.start_run(tags={"mlflow.autologging": "x"}):
        assert not autolog.autologging_is_disabled(NAME)


def test_enabling_keeps_the_arguments_and_never_raises(caplog):
    @autolog.autologging_integration(NAME)
    def enable(a=1, disable=False):
        if a == "bad":
            raise RuntimeError("no")

    assert autolog.autologging_is_disabled(NAME)
    enable(a=2)
    assert autolog.get_autologging_config(NAME, "a") == 2
    assert autolog.get_autologging_config(NAME, "b", "none") == "none"
    with caplog.at_level(logging.WARNING):
        enable(a="bad")
    assert "while enabling autologging for made_up" in caplog.text
    assert autolog.autologging_is_disabled(NAME)
    assert enable.integration_name == NAME
    del autolog.AUTOLOGGING_INTEGRATIONS[NAME]


def test_a_call_is_remembered():
    call = autolog.OriginalCall(lambda x: [x])

    assert call(1) is call(2)
    failing = autolog.OriginalCall(lambda: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            failing()


def test_libraries_that_come_later_are_enabled_on_import(tmp_path):
    program = """
        import sys
        import mlflow
        mlflow.autolog(log_models=False)
        assert not {"sklearn", "xgboost", "lightgbm", "statsmodels"} & set(sys.modules)
        import numpy as np
        import lightgbm, xgboost, statsmodels.api
        from sklearn.linear_model import LinearRegression
        X, y = np.array([[0.0], [1.0]] * 30), np.array([0, 1] * 30)

        def train():
            lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, y), 1)
            LinearRegression().fit(X, y)
            statsmodels.api.OLS(y, X).fit()
            xgboost.train({}, xgboost.DMatrix(X, y), 1)

        train()
        runs = mlflow.search_runs(output_format="list", order_by=["start_time ASC"])
        told = [run.data.tags["mlflow.autologging"] for run in runs]
        assert told == ["lightgbm", "sklearn", "statsmodels", "xgboost"], told
        mlflow.autolog(disable=True)
        train()
        assert len(mlflow.search_runs(output_format="list")) == 4
        mlflow.autolog(exclude_flavors=["sklearn", "lightgbm"], log_models=False)
        train()
        assert len(mlflow.search_runs(output_format="list")) == 6

        # What was asked of one stays.
        mlflow.sklearn.autolog(log_models=False, log_datasets=False)
        mlflow.autolog(disable=True)
        train()
        runs = mlflow.search_runs(output_format="list", order_by=["start_time DESC"])
        assert len(runs) == 7
        assert runs[0].data.tags["mlflow.autologging"] == "sklearn"
        assert runs[0].inputs.dataset_inputs == []
        print("good")
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=tmp_path, capture_output=True,
        text=True, check=False,
    )  # fmt: skip

    assert found.stdout.splitlines()[-1:] == ["good"], found.stderr


def test_what_was_asked_of_all_can_be_read_before_anything_was():
    """FLAML does, and takes its absence for an MLflow that it does not know."""
    assert True is autolog.AUTOLOGGING_INTEGRATIONS["mlflow"].get("log_models", True)
