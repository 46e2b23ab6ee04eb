"""Windows, summaries, groups, points and comparisons."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.ui.frame import Frame
from mlflow.server.ui.runs import MAX_COMPARED, Ask, compare, groups, points, summary, window

from .conftest import filled


@pytest.fixture
def frame(sweep):
    return filled(Frame(sweep.store, [sweep.experiment], 1))


def names(answer):
    return answer["columns"]["attributes.run_name"]


def test_a_window_is_what_the_store_says(sweep, frame):
    """Rows from the middle, in the store's order, with the number of all."""
    ask = Ask([sweep.experiment], order_by=["metrics.loss DESC"])

    found = window(sweep.store, frame, ask, ["params.lr"], 2, 3)

    assert ["run-9", "run-8", "run-7"] == names(found)
    assert (3, 12, True) == (found["count"], found["total"], found["more"])
    assert ["0.02", "0.02", "0.1"] == found["columns"]["params.lr"]


def test_a_window_needs_no_frame(sweep):
    """Before runs are remembered the rows are there, and their number is not known."""
    empty = Frame(sweep.store, [sweep.experiment], 1)

    found = window(sweep.store, empty, Ask([sweep.experiment]), [], 0, 5)

    assert (5, None, True) == (found["count"], found["total"], found["more"])


def test_a_window_may_name_its_columns_itself(sweep, frame):
    """For the first look, before anybody knows which there are; MLflow's own tags stay out."""
    found = window(sweep.store, frame, Ask([sweep.experiment]), None)

    assert {"metrics.loss", "metrics.score", "params.lr", "params.data"} <= set(found["columns"])
    assert "tags.mlflow.runName" not in found["columns"]


def test_params_are_ordered_as_numbers(sweep, frame):
    """0.02 comes before 0.1 before 0.5, and back; what is missing comes last in both."""
    bare = sweep.store.create_run(sweep.experiment, "u", 1, [], "bare")
    frame.note([bare])
    for direction, expected in (("ASC", "0.02"), ("DESC", "0.5")):
        ask = Ask([sweep.experiment], order_by=[f"params.lr {direction}"])
        found = window(sweep.store, frame, ask, ["params.lr"], 0, 100)
        assert expected == found["columns"]["params.lr"][0]
        assert "bare" == names(found)[-1]
    ask = Ask([sweep.experiment], order_by=["params.optimizer ASC"])
    found = window(sweep.store, frame, ask, ["params.optimizer"], 0, 100)
    assert ["adam", "sgd"] == found["columns"]["params.optimizer"][:7:6]


def test_a_window_has_bounds(sweep, frame):
    """No request makes the server send everything."""
    for offset, limit in ((0, 0), (0, 501), (-1, 10), (2**60, 10)):
        with pytest.raises(MlflowException, match="Invalid window"):
            window(sweep.store, frame, Ask([sweep.experiment]), [], offset, limit)
    with pytest.raises(MlflowException, match="filter string"):
        window(sweep.store, frame, Ask([sweep.experiment], "metrics. <"), [])


def test_a_filter_on_histories_has_no_total(sweep, frame):
    """Aggregates are the store's to evaluate."""
    ask = Ask([sweep.experiment], "metrics.`loss`.max > 5")

    found = window(sweep.store, frame, ask, [], 0, 100)

    assert (7, None) == (found["count"], found["total"])


def test_a_summary_tells_what_differs(frame, sweep):
    """Keys, their ranges and values, how many runs have one."""
    found = summary(frame, Ask([sweep.experiment]))

    by_key = {one["key"]: one for one in found["params"]}
    assert (12, True, {"FINISHED": 12}) == (found["total"], found["complete"], found["status"])
    assert [["0.02", 4], ["0.1", 4], ["0.5", 4]] == by_key["lr"]["values"]
    assert (1, True, False) == (
        by_key["data"]["distinct"], by_key["seed"]["numeric"], by_key["optimizer"]["numeric"],
    )  # fmt: skip
    score = next(one for one in found["metrics"] if one["key"] == "score")
    assert (12, 0.0, 11.0, [1, 1]) == (
        score["n"], score["min"], score["max"], score["ties"],
    )  # fmt: skip
    part = summary(frame, Ask([sweep.experiment], "params.optimizer = 'adam'"))
    assert 6 == part["total"]


def test_nested_runs_are_counted(sweep):
    """By their parent."""
    sweep.add(20, **{"mlflow.parentRunId": sweep.ids[0]})
    frame = filled(Frame(sweep.store, [sweep.experiment], 1))

    assert {sweep.ids[0]: 1} == summary(frame, Ask([sweep.experiment]))["children"]


def test_parents_show_the_best_below_them(sweep):
    """By metric, whichever way is better; what is not a number is never the best."""
    store = sweep.store
    parent = store.create_run(sweep.experiment, "u", 9000, [], "parent").info.run_id
    inside = [sweep.add(number, **{"mlflow.parentRunId": parent}) for number in (3, 5, 4)]
    frame = filled(Frame(store, [sweep.experiment], 1))
    ask = Ask([sweep.experiment])

    found = window(
        store, frame, ask, ["metrics.loss", "metrics.score", "metrics.none"], 0, 5,
        minimize=["metrics.loss"],
    )  # fmt: skip

    assert {
        parent: {
            "metrics.loss": [pytest.approx(1 / 3 + 3), inside[0], "run-3"],
            "metrics.score": [4.0, inside[2], "run-4"],
        }
    } == found["best"]
    assert {} == window(store, frame, Ask([sweep.experiment], "metrics.loss > 0"), [])["best"]


def test_groups_have_means_and_a_best_run(frame, sweep):
    """Numbers to mean and spread, others to their values; NaN is counted apart."""
    ask = Ask([sweep.experiment])

    found = groups(frame, ask, ["params.lr"], ["metrics.score", "params.optimizer"])

    assert 3 == found["total"]
    by_value = {tuple(one["values"]): one for one in found["groups"]}
    cell = by_value["0.5",]["cells"]["metrics.score"]
    assert (4, 1.5, 0.0, 3.0) == (cell["n"], cell["mean"], cell["min"], cell["max"])
    assert 1.2909944 == pytest.approx(cell["sd"])
    assert sweep.ids[3] == cell["best"]
    odd = by_value["0.1",]["cells"]["metrics.score"]
    assert (3, 1) == (odd["n"], odd["odd"])
    assert 2 == by_value["0.5",]["cells"]["params.optimizer"]["distinct"]
    least = groups(frame, ask, ["params.lr"], ["metrics.score"], ["metrics.score"])
    assert sweep.ids[0] == next(
        one["cells"]["metrics.score"]["best"] for one in least["groups"] if one["values"] == ["0.5"]
    )


def test_groups_need_something_to_group_by(frame, sweep):
    """An empty list is a mistake."""
    with pytest.raises(MlflowException, match="at least one column"):
        groups(frame, Ask([sweep.experiment]), [], [])


def test_points_of_all_runs(frame, sweep):
    """The cells of every match, in the order that was asked for, up to a limit."""
    ask = Ask([sweep.experiment], "params.seed = '1'", order_by=["metrics.loss ASC"])

    found = points(frame, ask, ["metrics.loss"], limit=4)

    assert (4, 6) == (found["count"], found["total"])
    assert sorted(found["columns"]["metrics.loss"]) == found["columns"]["metrics.loss"]


def test_comparison_has_everything(sweep):
    """Every key of every run, their datasets, and which are gone."""
    found = compare(sweep.store, [sweep.ids[3], sweep.ids[0], "f" * 32])

    assert ["run-3", "run-0"] == names(found)
    assert {"params.lr", "metrics.loss", "metrics.score"} <= found["columns"].keys()
    assert [[["wine", "abc"]], [["wine", "abc"]]] == found["datasets"]
    assert ["f" * 32] == found["missing"]
    with pytest.raises(MlflowException, match="Too many runs"):
        compare(sweep.store, [str(number) for number in range(MAX_COMPARED + 1)])
