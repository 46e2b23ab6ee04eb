"""Where calls are run: in the event loop when they are short, in threads otherwise."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from mlflow.scoring.plan import Plan, Work
from mlflow.scoring.runner import ModelError, Runner

from .served import Served, sklearn_model


def test_short_calls_stay_in_the_loop():
    """An array model answers in the thread of the event loop."""
    plan = Plan(sklearn_model())
    seen = []
    inner = plan.twin
    plan.twin = lambda rows: (seen.append(threading.current_thread()), inner(rows))[1]
    runner = Runner(plan)
    seen.clear()
    asyncio.run(runner.run(Work(np.ones((1, 3)), array=True)))

    assert [threading.main_thread()] == seen


def test_long_calls_go_to_a_thread():
    """A call that would hold the loop goes to a thread."""
    plan = Plan(sklearn_model())
    seen = []
    inner = plan.twin
    plan.twin = lambda rows: (seen.append(threading.current_thread()), inner(rows))[1]
    runner = Runner(plan)
    runner._each_row = 1.0
    seen.clear()
    asyncio.run(runner.run(Work(np.ones((1, 3)), array=True)))

    assert threading.main_thread() not in seen


def test_unknown_models_go_to_a_thread():
    """Any other model is called in a thread."""
    seen = []
    runner = Runner(Plan(Served(lambda data: seen.append(threading.current_thread()))))
    asyncio.run(runner.run(Work([1])))

    assert threading.main_thread() not in seen


@pytest.mark.parametrize("batch", [True, False])
def test_errors_are_references(batch):
    """An error of the model is a reference to the log, with batches and without."""
    plan = Plan(sklearn_model())
    with pytest.raises(ModelError):
        asyncio.run(Runner(plan, batch=batch).run(Work(np.full((1, 3), np.nan), array=True)))
