"""Names of later versions: observers pass through once, the rest refuse."""

from __future__ import annotations

import warnings

import pytest

import mlflow
from mlflow import _later
from mlflow.exceptions import MlflowException


@pytest.fixture(autouse=True)
def _nothing_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_later, "_announced", set())


def test_trace_returns_the_function_and_warns_once() -> None:
    """A decorated function works as before, and one warning is given for all of them."""

    def double(number: int) -> int:
        return 2 * number

    with pytest.warns(UserWarning, match=r"mlflow\.trace does nothing"):
        traced = mlflow.trace(double)

    with warnings.catch_warnings():
        warnings.simplefilter("error")

        @mlflow.trace(name="triple", span_type="CHAIN")
        def triple(number: int) -> int:
            return 3 * number

    assert traced(4) == 8
    assert triple(4) == 12


def test_a_span_takes_everything_and_keeps_nothing() -> None:
    """The calls that instrumented code makes on a span all pass."""
    with pytest.warns(UserWarning, match="start_span"):
        opened = mlflow.start_span("step").__enter__()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with mlflow.start_span("step") as span:
            span.set_inputs({"a": 1})
            span.set_attribute("k", "v")
            span.set_outputs(3)
            span.end()

    assert opened.outputs is None

    assert span.inputs is None


def test_strict_makes_an_observer_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    """With MILLSTREAM_STRICT=1 nothing passes silently."""
    monkeypatch.setenv("MILLSTREAM_STRICT", "1")

    with pytest.raises(MlflowException, match=r"mlflow\.update_current_trace"):
        mlflow.update_current_trace()


def test_a_later_class_can_be_named_in_a_base_list() -> None:
    """Importing a class of a later version to derive from it works; making one raises."""
    from mlflow.deployments import BaseDeploymentClient

    class Mine(BaseDeploymentClient):  # type: ignore[misc, valid-type]
        pass

    with pytest.raises(MlflowException, match="not in this version"):
        Mine()


def test_switching_on_a_later_flavor_passes_and_logging_with_it_refuses() -> None:
    """`autolog` only observes; `log_model` would have to give a result."""
    import mlflow.paddle

    with pytest.warns(UserWarning, match=r"paddle\.autolog"):
        mlflow.paddle.autolog()
    with pytest.raises(MlflowException, match=r"paddle\.log_model"):
        mlflow.paddle.log_model(object(), "model")


def test_constants_of_later_classes_say_so_too() -> None:
    """Whatever a script does first with such a class, it hears what is missing."""
    from mlflow.entities import AssessmentSourceType

    with pytest.raises(MlflowException, match=r"AssessmentSourceType\.HUMAN is not in this"):
        _ = AssessmentSourceType.HUMAN
    assert not hasattr(AssessmentSourceType, "__wrapped__")


def test_modules_in_modules_are_reached_after_a_bare_import() -> None:
    """A later package shows its submodules, as a loaded one would."""
    for package in (mlflow, mlflow.genai, mlflow.pyspark, mlflow.metrics):
        names = [name for name in dir(package) if name in ("genai", "datasets", "ml")]
        assert all(hasattr(package, name) for name in names)
    assert "sklearn" in dir(mlflow)
    with pytest.raises(MlflowException, match="not in this version"):
        mlflow.genai.datasets.get_dataset("d")
