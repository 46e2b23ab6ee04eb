"""Messages can be silenced everywhere, or in one thread only."""

from __future__ import annotations

import logging
import threading

import pytest

from mlflow._messages import MLFLOW_LOGGING_STREAM, suppress_logs_in_thread


def say(text: str) -> None:
    """Log one warning as the package does."""
    logging.getLogger("mlflow.sklearn").warning(text)


def test_one_thread_is_silent_and_another_is_not(caplog: pytest.LogCaptureFixture) -> None:
    """The block silences its own thread."""
    say("before")
    with suppress_logs_in_thread():
        say("inside")
        other = threading.Thread(target=say, args=("other",))
        other.start()
        other.join()
    say("after")

    assert [record.message for record in caplog.records] == ["before", "other", "after"]


def test_the_switch_silences_all(caplog: pytest.LogCaptureFixture) -> None:
    """While the stream is off nothing is said, and then everything again."""
    say("before")
    MLFLOW_LOGGING_STREAM.enabled = False
    say("off")
    MLFLOW_LOGGING_STREAM.enabled = True
    say("on")

    assert [record.message for record in caplog.records] == ["before", "on"]
