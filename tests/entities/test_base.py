"""What all entities share."""

from __future__ import annotations

from mlflow.entities import Metric, Param, Run, RunData, RunInfo, RunTag


def make_run() -> Run:
    """Return a small run."""
    info = RunInfo("r" * 32, "0", "ann", "FINISHED", 1, 2, "active", "file:///a", "quick-fox-1")
    data = RunData([Metric("loss", 0.5, 7, 3)], [Param("lr", "0.1")], [RunTag("k", "v")])
    return Run(info, data)


def test_fields_are_kept_under_a_leading_underscore() -> None:
    """Libraries that copy entities read `__dict__` and cut the first character."""
    metric = Metric("loss", 0.5, 7, 3)
    copied = {name[1:]: value for name, value in vars(metric).items()}

    assert copied == metric.to_dictionary()


def test_equality_is_by_value() -> None:
    """Two entities with the same fields are equal, and differ from other kinds."""
    assert make_run() == make_run()
    assert Param("a", "b") != RunTag("a", "b")
    assert len({Metric("a", 1.0, 1, 1), Metric("a", 1.0, 1, 1)}) == 1


def test_repr_names_every_field() -> None:
    """The text is MLflow's."""
    expected = (
        "<Metric: dataset_digest=None, dataset_name=None, key='loss', model_id=None, "
        "run_id=None, step=3, timestamp=7, value=0.5>"
    )

    assert repr(Metric("loss", 0.5, 7, 3)) == expected


def test_a_run_becomes_plain_dicts() -> None:
    """`to_dictionary` holds info and data, and leaves out inputs that are not there."""
    whole = make_run().to_dictionary()

    assert whole["data"] == {"metrics": {"loss": 0.5}, "params": {"lr": "0.1"}, "tags": {"k": "v"}}
    assert whole["info"]["status"] == "FINISHED"
    assert "inputs" not in whole


def test_from_dictionary_ignores_what_is_not_a_field() -> None:
    """Dicts written by newer programs can be read."""
    expected = Metric("a", 1.0, 2, 3)
    fields = {"key": "a", "value": 1.0, "timestamp": 2, "step": 3, "colour": "red"}

    assert Metric.from_dictionary(fields) == expected
