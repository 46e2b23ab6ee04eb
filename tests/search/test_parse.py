"""The grammar: what is accepted, what it means, and how refusals point at the character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.exceptions import MlflowException
from mlflow.search import lex
from mlflow.search.nodes import AGGREGATES, And, Compare, Not, Or, OrderTerm, comparisons
from mlflow.search.parse import (
    MAX_DEPTH,
    MAX_LIST,
    MAX_ORDER_TERMS,
    MAX_TERMS,
    parse_filter,
    parse_order_by,
)


def metric(key, op, value, aggregate=None):
    return Compare("metric", key, op, value, aggregate=aggregate)


def attribute(key, op, value):
    return Compare("attribute", key, op, value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.a > 1", metric("a", ">", 1.0)),
        ("metric.a.b >= -1e-3", metric("a.b", ">=", -0.001)),
        ("metrics.`val loss` != .5", metric("val loss", "!=", 0.5)),
        ('metrics."val loss" <= 5.', metric("val loss", "<=", 5.0)),
        ("metrics.val/loss < 1", metric("val/loss", "<", 1.0)),
        ("params.a = 'x'", Compare("param", "a", "=", "x")),
        ('parameters.a like "%x"', Compare("param", "a", "LIKE", "%x")),
        ("params.and = 'it''s'", Compare("param", "and", "=", "it''s")),
        ("params.from = 'x'", Compare("param", "from", "=", "x")),
        ("tag.mlflow.user ILIKE 'x'", Compare("tag", "mlflow.user", "ILIKE", "x")),
        ("tags.a is null", Compare("tag", "a", "IS NULL", None)),
        ("params.a IS  NOT\nNULL", Compare("param", "a", "IS NOT NULL", None)),
        ("params.a not like 'x'", Compare("param", "a", "NOT LIKE", "x")),
        ("tags.a in ('x',\"y\",)", Compare("tag", "a", "IN", ("x", "y"))),
        ("metrics.a not in (1, 2)", metric("a", "NOT IN", (1.0, 2.0))),
        ("metrics.a between 1 and 2", metric("a", "BETWEEN", (1.0, 2.0))),
        ("end_time NOT BETWEEN 1 AND 2", attribute("end_time", "NOT BETWEEN", (1, 2))),
        ("status = 'FINISHED'", attribute("status", "=", "FINISHED")),
        ("attributes.`run name` = 'x'", attribute("run_name", "=", "x")),
        ('attr."Run name" = \'x\'', attribute("run_name", "=", "x")),
        ("run.Created > 5", attribute("start_time", ">", 5)),
        ("start_time >= 1000.5", attribute("start_time", ">=", 1000.5)),
        ("end_time is null", attribute("end_time", "IS NULL", None)),
        ("dataset.digest in ('d')", Compare("dataset", "digest", "IN", ("d",))),
        ("metrics.loss.min > 1", metric("loss.min", ">", 1.0)),
        ("metrics.min > 1", metric("min", ">", 1.0)),
        ("metrics.`loss`.min > 1", metric("loss", ">", 1.0, "min")),
        ('metrics."val loss".MEAN > 1', metric("val loss", ">", 1.0, "mean")),
        ("max( metrics.loss.min ) > 1", metric("loss.min", ">", 1.0, "max")),
    ],
)  # fmt: skip
def test_conditions(text, expected):
    """Every form of one condition."""
    assert expected == parse_filter("runs", text)


A, B, C = (metric(key, ">", 1.0) for key in "abc")
T = {"A": "metrics.a > 1", "B": "metrics.b > 1", "C": "metrics.c > 1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{A} and {B} AND {C}", And((A, B, C))),
        ("{A} or {B} and {C}", Or((A, And((B, C))))),
        ("({A} or {B}) and {C}", And((Or((A, B)), C))),
        ("not {A} and {B}", And((Not(A), B))),
        ("not ({A} and {B})", Not(And((A, B)))),
        ("NOT NOT {A}", Not(Not(A))),
        ("((({A})))", A),
        # As MLflow reads it:
        ("{A} and", A),
        ("and {A} {B}", And((A, B))),
    ],
)
def test_joined_conditions(text, expected):
    """NOT binds before AND, AND before OR; stray ANDs outside parentheses are let pass."""
    assert expected == parse_filter("runs", text.format(**T))


@pytest.mark.parametrize("text", [None, "", "   ", "\n"])
def test_nothing_is_everything(text):
    """A filter that says nothing lets everything through."""
    assert parse_filter("runs", text) is None


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("metrics.a > 1 ^ 2", "Invalid clause(s) in filter string: expected AND", "^"),
        ("metrics.a > 1; DROP TABLE runs", "Invalid clause(s) in filter string", ";"),
        ("metrics.a > 1 -- x", "Invalid clause(s) in filter string", "-"),
        ("metrics.a /* x */ > 1", "Invalid clause(s) in filter string", "/"),
        ("params.x = ''' OR 1=1 --", "Invalid clause(s) in filter string", "'"),
        ("params.`a = 'x'", "Invalid clause(s) in filter string", "`"),
        ("(metrics.a > 1", "expected AND, OR or ')', found the end", None),
        ("metrics.a > 1)", "expected AND, OR or the end, found ')'", ")"),
        ("metrics.a > 1 or", "Expected 'Identifier' found 'the end'", None),
        ("(metrics.a > 1 and)", "Expected 'Identifier' found ')'", ")"),
        ("1 < metrics.a", "Expected 'Identifier' found '1'", "1"),
        ("metrics.a bogus 1", "expected a comparator behind 'metrics.a'", "b"),
        ("metrics.a", "expected a comparator behind 'metrics.a'", None),
        ("metrics.a == 1", "Invalid comparator '==' not one of '{'=', '!='", "="),
        ("metrics.a <> 1", "Invalid comparator '<>' not one of", "<"),
        ("metrics.a like '1'", "Invalid comparator 'LIKE' not one of", "l"),
        ("params.a > '1'", "Invalid comparator '>' not one of", ">"),
        ("params.a between '1' and '2'", "Invalid comparator 'BETWEEN' not one of", "b"),
        ("metrics.a > '1'", "Expected numeric value type for metric. Found '1'", "'"),
        ("metrics.a > inf", "Expected numeric value type for metric. Found inf", "i"),
        ("start_time > '5'", "Expected numeric value type for numeric attribute: start_time", "'"),
        ("params.a = 1", "Expected a quoted string value for parameter (e.g. 'my-value')", "1"),
        ("params.a = x", "not quoted or unidentified quote types", "x"),
        ("run_id in ()", "expected a non-empty list of string values", "("),
        ("run_id in 'a'", "expected a list such as", "'"),
        ("run_id in ('a' 'b')", "expected ',' or ')'", "'"),
        ("tags.a is nil", "expected NULL or NOT NULL", "n"),
        ("foo = 'x'", "Invalid attribute key 'foo' specified. Valid keys are '", "f"),
        ("foo.bar = 'x'", "Invalid entity type 'foo'. Valid values are ['metric', 'parameter'", "f"),
        ("METRICS.a > 1", "Invalid entity type 'METRICS'", "M"),
        ("datasets.foo = 'x'", "Invalid dataset key 'foo' specified", "d"),
        ("metrics. > 1", "expected a key right behind 'metrics.'", ">"),
        ("metrics.`` > 1", "the key is empty", "`"),
        ("metrics.`a`.median > 1", "Invalid aggregate 'median' not one of", "m"),
        ("median(metrics.a) > 1", "Invalid aggregate 'median' not one of", "m"),
        ("min(params.a) > 1", "only metrics of runs have a history", "m"),
        ("min(start_time) > 1", "expected a metric such as metrics.loss", "s"),
        ("min(metrics.a > 1", "expected ')'", ">"),
    ],
)  # fmt: skip
def test_refusals_point_at_the_character(text, message, at):
    """The message keeps the words clients look for, and the caret is under the culprit."""
    with pytest.raises(MlflowException) as error:
        parse_filter("runs", text)

    assert "INVALID_PARAMETER_VALUE" == error.value.error_code
    assert message in error.value.message
    line, caret = error.value.message.splitlines()[-2:]
    assert f"  {text}" == line
    assert at == (line[caret.index("^")] if caret.index("^") < len(line) else None)


@pytest.mark.parametrize(
    ("noun", "text", "expected"),
    [
        ("experiments", "attribute.name ilike 'x'", attribute("name", "ILIKE", "x")),
        ("experiments", "experiment_id in ('1')", attribute("experiment_id", "IN", ("1",))),
        ("experiments", "last_update_time <= 1", attribute("last_update_time", "<=", 1)),
        ("logged_models", "creation_time > 5", attribute("creation_timestamp", ">", 5)),
        ("logged_models", "attributes.status in ('READY')", attribute("status", "IN", ("READY",))),
    ],
)
def test_each_noun_has_its_keys(noun, text, expected):
    """The vocabulary of a noun decides."""
    assert expected == parse_filter(noun, text)


@pytest.mark.parametrize(
    ("noun", "text"),
    [
        ("experiments", "metrics.a > 1"),
        ("experiments", "lifecycle_stage = 'x'"),
        ("registered_models", "run_id = 'x'"),
        ("registered_models", "aliases.a = '1'"),
        ("model_versions", "current_stage = 'x'"),
        ("model_versions", "version_number = 'x'"),
        ("logged_models", "artifact_location = 'x'"),
        ("logged_models", "min(metrics.a) > 1"),
        ("runs", "experiment_id = '0'"),
    ],
)
def test_keys_of_other_nouns_are_refused(noun, text):
    """What a noun does not have is an error, not an empty answer."""
    with pytest.raises(MlflowException, match=r"Invalid|Expected"):
        parse_filter(noun, text)


def test_version_numbers_may_be_quoted():
    """They are text on the wire and numbers to people."""
    quoted, plain = (
        comparisons(parse_filter("model_versions", f"version_number = {text}"))[0]
        for text in ("'3'", "3")
    )

    assert quoted == plain == attribute("version_number", "=", 3)


PROMPT = Compare("tag", "mlflow.prompt.is_prompt", "=", "true")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, Not(PROMPT)),
        ("name = 'a'", And((attribute("name", "=", "a"), Not(PROMPT)))),
        ("tags.`mlflow.prompt.is_prompt` = 'true'", PROMPT),
        ("tags.`mlflow.prompt.is_prompt` = 'false'", Not(PROMPT)),
        ("tag.mlflow.prompt.is_prompt != 'true'", Not(PROMPT)),
        (
            "name = 'a' or not tags.`mlflow.prompt.is_prompt` = 'true'",
            Or((attribute("name", "=", "a"), Not(PROMPT))),
        ),
    ],
)
def test_prompts_hide_unless_asked_for(text, expected):
    """A search of registered models shows prompts only when the filter speaks of their tag."""
    assert expected == parse_filter("registered_models", text)


def test_datasets_limit_the_metrics_of_logged_models():
    """Metric conditions carry the datasets, and without one any metric of them is asked for."""
    scope = (("d", None), ("e", "1"))
    datasets = [{"dataset_name": "d"}, {"dataset_name": "e", "dataset_digest": "1"}]
    any_metric = Compare("metric", "", "IS NOT NULL", None, scope=scope)
    condition = Compare("metric", "a", ">", 1.0, scope=scope)

    assert any_metric == parse_filter("logged_models", None, datasets)
    assert And((condition, any_metric)) == parse_filter("logged_models", "metrics.a > 1", datasets)
    for wrong in ([{}], ["d"], [{"dataset_name": 1}]):
        with pytest.raises(MlflowException, match="dataset_name"):
            parse_filter("logged_models", None, wrong)


# ── orders ──

START, RUN_ID = OrderTerm("attribute", "start_time", False), OrderTerm("attribute", "run_id")


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        (None, (START, RUN_ID)),
        ([], (START, RUN_ID)),
        (["metrics.a"], (OrderTerm("metric", "a"), START, RUN_ID)),
        ("metrics.a desc", (OrderTerm("metric", "a", False), START, RUN_ID)),
        (["params.`a b` DESC "], (OrderTerm("param", "a b", False), START, RUN_ID)),
        (["metrics.z/y ASC"], (OrderTerm("metric", "z/y"), START, RUN_ID)),
        (["attributes.Created"], (OrderTerm("attribute", "start_time"), RUN_ID)),
        (["run_id desc"], (OrderTerm("attribute", "run_id", False), START)),
        (["min(metrics.a)"], (OrderTerm("metric", "a", aggregate="min"), START, RUN_ID)),
    ],
)
def test_orders_are_completed(order_by, expected):
    """The noun's own order breaks ties, so that the order is total."""
    assert expected == parse_order_by("runs", order_by)


@pytest.mark.parametrize(
    ("order_by", "message"),
    [
        ([""], "Invalid order_by clause ''. Could not be parsed."),
        ([None], "Invalid order_by clause 'None'"),
        ([5], "Invalid order_by clause '5'"),
        (["metrics.a FOO"], "Invalid ordering key in order_by clause 'metrics.a FOO'"),
        (["metrics.a, metrics.b"], "Could not be parsed"),
        (["metrics.x; select pg_sleep(9)"], "Could not be parsed"),
        (["metrics.a ASC DESC"], "Invalid ordering key"),
        (["foo"], "Invalid attribute key 'foo' specified"),
        (["foo.bar"], "Invalid entity type 'foo'"),
        (["datasets.name"], "Invalid order_by entity type 'dataset'"),
        (["metrics.a", "metrics.`a` desc"], "`order_by` contains duplicate fields"),
        (["created", "start_time"], "`order_by` contains duplicate fields"),
        (["metrics.a"] * 10_000, f"at most {MAX_ORDER_TERMS}"),
        ([{"field_name": "start_time"}], "Could not be parsed"),
    ],
)
def test_orders_that_are_refused(order_by, message):
    """Each refusal is a 400 that says what is wrong."""
    with pytest.raises(MlflowException) as error:
        parse_order_by("runs", order_by)

    assert "INVALID_PARAMETER_VALUE" == error.value.error_code
    assert message in error.value.message


def test_logged_models_are_ordered_by_dicts():
    """MLflow's clients send dicts for this noun; clauses as text work as for the others."""
    tail = (OrderTerm("attribute", "creation_timestamp", False), OrderTerm("attribute", "model_id"))
    scope = (("d", "1"),)

    assert (OrderTerm("metric", "a b.c", False, scope=scope), *tail) == parse_order_by(
        "logged_models",
        [
            {
                "field_name": "metrics.a b.c",
                "ascending": False,
                "dataset_name": "d",
                "dataset_digest": "1",
            }
        ],
    )
    assert (OrderTerm("attribute", "name"), *tail) == parse_order_by(
        "logged_models", [{"field_name": "name"}]
    )
    assert (OrderTerm("attribute", "name", False), *tail) == parse_order_by(
        "logged_models", ["name DESC"]
    )


@pytest.mark.parametrize(
    ("clause", "message"),
    [
        ({}, "`field_name` in the `order_by` clause must be specified"),
        ({"field_name": "bogus"}, "Invalid order by field name: bogus"),
        ({"field_name": "params.p"}, "Invalid order by field name: params.p"),
        ({"field_name": "metrics."}, "Invalid order by field name: metrics."),
        ({"field_name": "name", "ascending": "x"}, "must be a boolean"),
        ({"field_name": "metrics.a", "dataset_digest": "1"}, "`dataset_digest` can only"),
    ],
)
def test_dicts_that_are_refused(clause, message):
    """Each refusal is a 400 that says what is wrong."""
    with pytest.raises(MlflowException) as error:
        parse_order_by("logged_models", [clause])

    assert message in error.value.message


# ── properties ──

KEYS = st.text("ab. -/:é_", min_size=1, max_size=6)
TEXTS = st.text('ab%_ "\n.(),', max_size=6)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXT_OPS = st.sampled_from(["=", "!=", "LIKE", "ILIKE", "NOT LIKE", "NOT ILIKE"])
NUMBER_OPS = st.sampled_from(["=", "!=", ">", ">=", "<", "<="])
NULLS = st.sampled_from(["IS NULL", "IS NOT NULL"])


def _text_conditions(kind, keys):
    return st.one_of(
        st.builds(Compare, st.just(kind), keys, TEXT_OPS, TEXTS),
        st.builds(
            Compare,
            st.just(kind),
            keys,
            st.sampled_from(["IN", "NOT IN"]),
            st.lists(TEXTS, min_size=1, max_size=3).map(tuple),
        ),
        st.builds(Compare, st.just(kind), keys, NULLS, st.none()),
    )


METRICS = st.one_of(
    st.builds(
        Compare,
        st.just("metric"),
        KEYS,
        NUMBER_OPS,
        FLOATS,
        aggregate=st.none() | st.sampled_from(AGGREGATES),
    ),
    st.builds(
        Compare,
        st.just("metric"),
        KEYS,
        st.sampled_from(["BETWEEN", "NOT BETWEEN"]),
        st.tuples(FLOATS, FLOATS),
    ),
    st.builds(
        Compare,
        st.just("attribute"),
        st.sampled_from(["start_time", "end_time"]),
        NUMBER_OPS,
        st.integers(-(2**70), 2**70),
    ),
)
CONDITIONS = st.one_of(
    METRICS,
    _text_conditions("param", KEYS),
    _text_conditions("tag", KEYS),
    _text_conditions("attribute", st.sampled_from(["run_id", "status", "run_name"])),
    _text_conditions("dataset", st.sampled_from(["name", "digest", "context"])),
)


def _joined(inner):
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(several.map(And), several.map(Or), inner.map(Not))


FILTERS = st.recursive(CONDITIONS, _joined, max_leaves=12)


def _literal(value):
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))})"
    return f"'{value}'" if isinstance(value, str) else repr(value)


def printed(node):
    """The text of a filter; the inverse of `parse_filter`."""
    if isinstance(node, Not):
        return f"NOT ({printed(node.term)})"
    if not isinstance(node, Compare):
        word = " AND " if isinstance(node, And) else " OR "
        return word.join(f"({printed(term)})" for term in node.terms)
    key = f"{node.kind}.`{node.key}`" + (f".{node.aggregate}" if node.aggregate else "")
    if node.value is None:
        return f"{key} {node.op}"
    if node.op.endswith("BETWEEN"):
        return f"{key} {node.op} {node.value[0]!r} AND {node.value[1]!r}"
    return f"{key} {node.op} {_literal(node.value)}"


@given(FILTERS)
def test_a_printed_filter_is_parsed_to_itself(node):
    """Parsing is the inverse of printing, for every filter."""
    assert node == parse_filter("runs", printed(node))


@given(st.text("metricsparm. a`'\"()<>=1andorNOT,", max_size=50))
def test_any_text_is_parsed_or_refused(text):
    """Nothing but an `MlflowException` comes out."""
    for noun in ("runs", "registered_models", "logged_models"):
        try:
            parse_filter(noun, text)
            parse_order_by(noun, [text])
        except MlflowException as error:
            assert "INVALID_PARAMETER_VALUE" == error.error_code


# ── hostile size ──


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "(" * 100_000 + "metrics.a > 1" + ")" * 100_000,
        "NOT " * 50_000 + "metrics.a > 1",
        " OR ".join(["metrics.a > 1"] * 15_000),
        " ".join(["metrics.a > 1"] * 15_000),
        "run_id IN (" + "'a'," * (MAX_LIST + 1) + ")",
        "metrics.a > " + "9" * 5000,
        "`" * 99_999,
        "'" * 99_999,
    ],
)
def test_huge_filters_are_refused(text):
    """Length, depth, conditions, lists and digits are bounded, each with its message."""
    with pytest.raises(MlflowException, match="Invalid"):
        parse_filter("runs", text)


def test_the_limits_themselves_are_allowed():
    """A filter at each limit parses."""
    deep = "(" * MAX_DEPTH + "metrics.a > 1" + ")" * MAX_DEPTH
    wide = " OR ".join(["metrics.a > 1"] * MAX_TERMS)
    long = "run_id IN (" + ",".join(["'a'"] * MAX_LIST) + ")"

    assert metric("a", ">", 1.0) == parse_filter("runs", deep)
    assert MAX_TERMS == len(comparisons(parse_filter("runs", wide)))
    assert MAX_LIST == len(comparisons(parse_filter("runs", long))[0].value)


def test_tokens_are_cut_once(monkeypatch):
    """The work of cutting grows with the text: each character is passed once."""
    seen = []
    original = lex._next

    def counted(source, at, before, *args, **kwargs):
        seen.append(at)
        return original(source, at, before, *args, **kwargs)

    monkeypatch.setattr(lex, "_next", counted)
    text = " OR ".join(["metrics.a > 1"] * MAX_TERMS)
    parse_filter("runs", text)

    assert sorted(set(seen)) == seen
    assert MAX_TERMS * 5 >= len(seen)
