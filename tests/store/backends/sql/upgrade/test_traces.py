"""Traces in an upgrade: what fits goes to columns, what does not fit stays."""

from __future__ import annotations

import json

import pytest
import sqlalchemy

from mlflow.exceptions import MlflowException
from mlflow.store.backends.sql.tables import experiments, metadata
from mlflow.store.backends.sql.tables_traces import (
    assessments,
    span_metrics,
    spans,
    trace_info,
    trace_metrics,
    trace_request_metadata,
    trace_tags,
)
from mlflow.store.backends.sql.upgrade import traces
from mlflow.store.backends.sql.upgrade.traces import fill_traces

TOKENS, COST = "mlflow.trace.tokenUsage", "mlflow.trace.cost"
SESSION, NAME = "mlflow.trace.session", "mlflow.traceName"


@pytest.fixture
def connection():
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as made:
        metadata.create_all(made)
        made.exec_driver_sql("ALTER TABLE spans ADD COLUMN dimension_attributes JSON")
        made.execute(experiments.insert().values(experiment_id=1, name="e"))
        yield made
    engine.dispose()


def add(connection, trace, *, tags=(), given=(), metrics=()):
    connection.execute(
        trace_info.insert().values(request_id=trace, experiment_id=1, timestamp_ms=9, status="OK")
    )
    for table, pairs in (
        (trace_tags, tags),
        (trace_request_metadata, given),
        (trace_metrics, metrics),
    ):
        for key, value in dict(pairs).items():
            text = value if not isinstance(value, (dict, list)) else json.dumps(value)
            connection.execute(table.insert().values(request_id=trace, key=key, value=text))


def columns(connection, trace):
    row = (
        connection.execute(sqlalchemy.select(trace_info).where(trace_info.c.request_id == trace))
        .mappings()
        .one()
    )
    own = {"request_id", "experiment_id", "timestamp_ms", "status", "db_payload_generation"}
    return {key: value for key, value in row.items() if value is not None and key not in own}


def left(connection, table):
    return {
        (row.request_id, row.key)
        for row in connection.execute(sqlalchemy.select(table.c.request_id, table.c.key))
    }


def test_what_fits(connection):
    usage = {"input_tokens": 1, "output_tokens": "2", "total_tokens": 3.0,
             "cache_read_input_tokens": " 4 ", "cache_creation_input_tokens": 5,
             "cache_creation_input_tokens_above_1hr": 2**63 - 1}  # fmt: skip
    cost = {"input_cost": 0.25, "output_cost": "0.5", "total_cost": 1}
    add(connection, "a", tags={NAME: "ask", "mine": "1"},
        given={TOKENS: usage, COST: cost, SESSION: "s", "mlflow.trace.user": "u"})  # fmt: skip
    add(connection, "b", tags={NAME: None}, given={SESSION: "", TOKENS: {}})

    for _ in range(2):
        fill_traces(connection)

    assert {
        "trace_name": "ask", "session_id": "s", "input_tokens": 1, "output_tokens": 2,
        "total_tokens": 3, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 5,
        "cache_creation_input_tokens_above_1hr": 2**63 - 1, "input_cost": 0.25,
        "output_cost": 0.5, "total_cost": 1.0,
    } == columns(connection, "a")  # fmt: skip
    assert {"session_id": ""} == columns(connection, "b")
    assert {("a", "mine")} == left(connection, trace_tags)
    assert {("a", "mlflow.trace.user")} == left(connection, trace_request_metadata)


@pytest.mark.parametrize(
    ("key", "value", "moved"),
    [
        (TOKENS, "no JSON", {}),
        (TOKENS, "[1]", {}),
        (TOKENS, {"input_tokens": 1, "mine": 2}, {"input_tokens": 1}),
        (TOKENS, {"input_tokens": 1.5, "output_tokens": 2}, {"output_tokens": 2}),
        (TOKENS, {"input_tokens": True}, {}),
        (TOKENS, {"input_tokens": 2**63}, {}),
        (COST, '{"input_cost": NaN, "total_cost": 1}', {"total_cost": 1.0}),
        (COST, {"input_cost": "1e999"}, {}),
        (COST, {"input_cost": 10**400}, {}),
        (SESSION, "s" * 251, {"session_id": "s" * 250}),
    ],
)
def test_what_does_not_fit_stays(connection, key, value, moved):
    add(connection, "a", given={key: value})

    for _ in range(2):
        fill_traces(connection)

    assert moved == columns(connection, "a")
    assert {("a", key)} == left(connection, trace_request_metadata)


def test_long_names(connection):
    add(connection, "a", tags={NAME: "n" * 4097})
    add(connection, "b", tags={NAME: "n" * 4096})

    fill_traces(connection)

    assert {"trace_name": "n" * 4096} == columns(connection, "a") == columns(connection, "b")
    assert {("a", NAME)} == left(connection, trace_tags)


def test_numbers_of_their_own_table_come_first(connection):
    add(connection, "a", given={TOKENS: {"input_tokens": 1, "output_tokens": 2}},
        metrics={"input_tokens": 9.0, "total_tokens": 1.5, "mine": 3.0})  # fmt: skip

    fill_traces(connection)

    assert {"input_tokens": 9, "output_tokens": 2} == columns(connection, "a")
    assert {("a", "total_tokens"), ("a", "mine")} == left(connection, trace_metrics)


def span(connection, name, attributes=None, **metrics):
    row = {"trace_id": "a", "span_id": name, "experiment_id": 1, "status": "OK",
           "start_time_unix_nano": 1, "content": "{}"}  # fmt: skip
    connection.execute(spans.insert().values(row))
    if attributes is not None:
        connection.exec_driver_sql(
            "UPDATE spans SET dimension_attributes = ? WHERE span_id = ?", (attributes, name)
        )
    for key, value in metrics.items():
        connection.execute(
            span_metrics.insert().values(trace_id="a", span_id=name, key=key, value=value)
        )


def test_spans(connection):
    add(connection, "a")
    span(
        connection,
        "1",
        '{"mlflow.llm.model": "m", "mlflow.llm.provider": "p"}',
        input_cost=0.5,
        mine=1.0,
    )
    span(connection, "2", '{"mlflow.llm.model": null}', total_cost=float("inf"))
    span(connection, "3", "null", output_cost=2.0)
    span(connection, "4")
    span(connection, "5", json.dumps({"mlflow.llm.model": "m" * 501}))

    for _ in range(2):
        fill_traces(connection)

    of = spans.c
    found = connection.execute(
        sqlalchemy.select(
            of.span_id, of.model_name, of.model_provider, of.input_cost, of.output_cost
        )
    ).all()
    assert [
        ("1", "m", "p", 0.5, None), ("2", None, None, None, None), ("3", None, None, None, 2.0),
        ("4", None, None, None, None), ("5", "m" * 500, None, None, None),
    ] == sorted(map(tuple, found))  # fmt: skip
    of = span_metrics.c
    assert [("1", "mine"), ("2", "total_cost")] == sorted(
        map(tuple, connection.execute(sqlalchemy.select(of.span_id, of.key)))
    )


@pytest.mark.parametrize(
    "attributes", ['{"mine": "x"}', "[1]", "no JSON", '{"mlflow.llm.model": 5}', '""']
)
def test_attributes_without_a_column(connection, attributes):
    add(connection, "a")
    span(connection, "1", attributes)

    with pytest.raises(MlflowException, match="span '1' of the trace 'a'"):
        fill_traces(connection)


@pytest.mark.parametrize(
    ("value", "number", "numeric"),
    [
        ("1", 1.0, True), ("-1e-5", -1e-05, True), ("true", 1.0, False), ("false", 0.0, False),
        ('"yes"', 1.0, False), ('" No "', 0.0, False), ("YES", 1.0, False), ('"3"', None, False),
        ("NaN", None, False), ("1e400", None, False), ("9" * 400, None, False),
        ("9" * 5000, None, False), ("null", None, False), ("{}", None, False), ("01", None, False),
    ],
)  # fmt: skip
def test_assessments(connection, value, number, numeric):
    add(connection, "a")
    for name, trace in (("1", "a"), ("2", "not there")):
        row = {"assessment_id": name, "trace_id": trace, "name": "n", "assessment_type": "feedback",
               "value": value, "created_timestamp": 1, "last_updated_timestamp": 2,
               "source_type": "HUMAN", "valid": True}  # fmt: skip
        connection.execute(assessments.insert().values(row))

    for _ in range(2):
        fill_traces(connection)

    of = assessments.c
    found = connection.execute(
        sqlalchemy.select(
            of.experiment_id, of.trace_timestamp_ms, of.aggregate_value, of.is_numeric_value
        ).order_by(of.assessment_id)
    ).all()
    assert [(1, 9, number, numeric), (None, None, number, numeric)] == list(map(tuple, found))


def test_in_batches(connection, monkeypatch):
    monkeypatch.setattr(traces, "_BATCH", 3)
    for number in range(10):
        add(connection, f"t{number}", tags={NAME: f"n{number}"}, metrics={"input_tokens": number})
    add(connection, "a")
    for number in range(10):
        span(
            connection,
            f"s{number}",
            json.dumps({"mlflow.llm.model": f"m{number}"}),
            input_cost=number,
            mine=1,
        )

    fill_traces(connection)

    assert {"trace_name": "n7", "input_tokens": 7} == columns(connection, "t7")
    assert set() == left(connection, trace_metrics) | left(connection, trace_tags)
    of = spans.c
    found = connection.execute(sqlalchemy.select(of.span_id, of.model_name, of.input_cost)).all()
    assert [(f"s{number}", f"m{number}", float(number)) for number in range(10)] == sorted(
        map(tuple, found)
    )
    assert (
        10
        == connection.execute(
            sqlalchemy.select(sqlalchemy.func.count()).select_from(span_metrics)
        ).scalar()
    )
