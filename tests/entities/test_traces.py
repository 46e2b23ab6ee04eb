"""Code that names the words of tracing runs, and what it builds holds what it was given."""

from __future__ import annotations

import warnings

import pytest

import mlflow
from mlflow.entities import (
    Document,
    NoOpSpan,
    SpanEvent,
    SpanLogLevel,
    SpanStatus,
    SpanStatusCode,
    SpanType,
)


@pytest.mark.filterwarnings("ignore:mlflow.trace does nothing", "ignore:mlflow.start_span does")
def test_an_instrumented_program_runs() -> None:
    """What a traced program does with spans passes, and its results are its own."""

    @mlflow.trace(span_type=SpanType.RETRIEVER)
    def find(text: str) -> list[Document]:
        return [Document(text, {"source": "a"}, "1")]

    with mlflow.start_span("answer", span_type=SpanType.CHAIN) as span:
        assert isinstance(span, NoOpSpan)
        span.set_inputs({"text": "x"})
        found = find("x")
        span.add_event(SpanEvent("found", attributes={"count": len(found)}))
        span.set_log_level(SpanLogLevel.WARNING)
        span.set_status(SpanStatus(SpanStatusCode.OK))

    assert [one.to_dict() for one in found] == [
        {"page_content": "x", "metadata": {"source": "a"}, "id": "1"}
    ]


def test_states_and_events() -> None:
    """States may be given as text; an exception becomes an event that names it."""
    assert SpanStatus("ERROR", "why") == SpanStatus(SpanStatusCode.ERROR, "why")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="GREAT"):
        SpanStatus("GREAT")  # type: ignore[arg-type]
    event = SpanEvent.from_exception(KeyError("k"))
    assert (event.name, event.attributes["exception.type"]) == ("exception", "KeyError")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from mlflow.entities.span import SpanType as ByPath
    assert ByPath is SpanType
