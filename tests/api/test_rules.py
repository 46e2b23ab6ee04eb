"""Names, lengths and numbers: what passes, in which form, and what is said about the rest."""

from __future__ import annotations

import math
import os
import posixpath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.api import rules
from mlflow.exceptions import MlflowException

KEYS = st.text(st.sampled_from("ab./_- :é$\n\\"), max_size=8) | st.text(max_size=8)


def refusal(check, *arguments, **options):
    with pytest.raises(MlflowException) as caught:
        check(*arguments, **options)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    return caught.value.message


@given(KEYS)
def test_a_key_that_passes_is_one_relative_path(key):
    """Joined below a folder it stays below it, and no other key is the same file."""
    try:
        kept = rules.entity_key("key", key)
    except MlflowException as error:
        assert error.error_code == "INVALID_PARAMETER_VALUE"
        return

    assert kept == key
    joined = posixpath.normpath(posixpath.join("/root/run/params", key))
    assert joined == f"/root/run/params/{key}"
    assert "\n" not in key
    assert "\0" not in key
    assert "\\" not in key


@given(st.text(max_size=12) | st.integers() | st.none())
def test_ids_that_pass_are_one_segment(value):
    """An id is a file name that starts with a letter or digit."""
    for check in (rules.run_id, rules.model_id):
        try:
            kept = check(value)
        except MlflowException:
            continue
        assert kept == value
        assert "/" not in kept
        assert kept[0].isalnum()


def test_experiment_ids():
    assert rules.experiment_id(None) == "0"
    assert rules.experiment_id(12) == "12"
    assert rules.experiment_id("a-b_1") == "a-b_1"
    for bad in ("", "..", "a/b", "-a", "x" * 65, True, 1.5, "é"):
        assert "Invalid experiment ID" in refusal(rules.experiment_id, bad)
    assert rules.experiment_ids("1") == ["1"]
    assert rules.experiment_ids(["1", 1, "2", "1"]) == ["1", "2"]
    assert rules.experiment_ids([]) == rules.experiment_ids(None) == []
    refusal(rules.experiment_ids, 1.5)
    refusal(rules.experiment_ids, ["../x"])


def test_messages_name_the_place_in_a_batch():
    message = refusal(rules.metric_key, "a$", "metrics[3].name")
    assert message.startswith("""Invalid value "a$" for parameter 'metrics[3].name' supplied:""")
    assert refusal(rules.tag_key, None) == "Missing value for required parameter 'key'."


WORDS = {
    "../x": "Invalid value \"../x\" for parameter 'key' supplied: Names may be treated as files in "
    "certain cases, and must not resolve to other names when treated as such. This name would "
    "resolve to '../x'",
    "a?": "Invalid value \"a?\" for parameter 'key' supplied: Names may only contain alphanumerics, "
    "underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).",
    "a" * 251: "'Param key' exceeds the maximum length of 250 characters",
}


@pytest.mark.skipif(os.name == "nt", reason="colons are refused there, and not named")
@pytest.mark.parametrize("key", WORDS)
def test_words_of_refused_keys_are_those_of_mlflow(key):
    """Programs look for them."""
    with pytest.raises(MlflowException) as caught:
        rules.param_key(key)

    assert caught.value.message == WORDS[key]


@pytest.mark.parametrize(
    "value",
    [1, 1.5, np.float32(0.5), np.float64(2), np.int64(3), np.array(4.0), math.inf, 0, -3],
)
def test_metric_values_that_pass(value):
    kept = rules.metric_value(value, 1)
    assert type(kept) is float
    assert kept == float(value)


@pytest.mark.parametrize("value", ["1", b"1", True, np.bool_(True), 1j, [1], 10**400, object()])
def test_metric_values_that_do_not(value):
    assert "64-bit floating point" in refusal(rules.metric_value, value, 1)


@pytest.mark.parametrize("value", [0, 7, np.int64(7), 7.0, 2**63 - 1])
def test_times_and_steps_that_pass(value):
    assert rules.metric_timestamp(value, "m", 1.0) == int(value)
    assert type(rules.metric_step(value, "m", 1.0)) is int


@pytest.mark.parametrize("value", [None, "7", 7.5, True, math.nan, math.inf, 2**63])
def test_times_and_steps_that_do_not(value):
    assert "Timestamp must be" in refusal(rules.metric_timestamp, value, "m", 1.0)
    assert "Step must be" in refusal(rules.metric_step, value, "m", 1.0)


def test_negative_times_are_refused_and_steps_are_not():
    refusal(rules.metric_timestamp, -1, "m", 1.0)
    assert rules.metric_step(-(2**63), "m", 1.0) == -(2**63)
    refusal(rules.metric_step, -(2**63) - 1, "m", 1.0)


def test_long_values_are_cut_with_a_warning(caplog, monkeypatch):
    assert rules.param_value("x" * 6001) == "x" * 6000
    assert "(6001 characters) is truncated to 6000 characters" in caplog.text
    caplog.clear()
    assert rules.param_value("x" * 6000) == "x" * 6000
    assert rules.tag_value("x" * 8000) == "x" * 8000
    assert caplog.text == ""
    monkeypatch.setenv("MLFLOW_TRUNCATE_LONG_VALUES", "false")
    assert "exceeds the maximum length of 6000" in refusal(rules.param_value, "x" * 6001)
    assert "exceeds the maximum length of 8000" in refusal(rules.tag_value, "x" * 8001)


def test_text():
    assert [rules.text(one) for one in (None, "", 1, 1.5, True)] == ["", "", "1", "1.5", "True"]
    assert "Unicode" in refusal(rules.param_value, "\udc80")


def test_batch_sizes():
    rules.batch_size(1000, 0, 0)
    rules.batch_size(800, 100, 100)
    assert "at most 1000 metrics. Got 1001" in refusal(rules.batch_size, 1001, 0, 0)
    assert "at most 100 params. Got 101" in refusal(rules.batch_size, 0, 101, 0)
    assert "at most 100 tags. Got 101" in refusal(rules.batch_size, 0, 0, 101)
    assert "metrics, params, and tags" in refusal(rules.batch_size, 900, 100, 1)


def test_distinct_params():
    rules.distinct_params(["a", "b"])
    assert "['a', 'b']" in refusal(rules.distinct_params, ["b", "a", "a", "b", "c"])


def test_artifact_locations(monkeypatch):
    assert rules.artifact_location(None) is rules.artifact_location("") is None
    assert rules.artifact_location("s3://b/x?y=1") == "s3://b/x?y=1"
    assert "runs:/" in refusal(rules.artifact_location, "runs:/x")
    assert "2048" in refusal(rules.artifact_location, "s3://" + "x" * 2048)
    monkeypatch.setenv("MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH", "5")
    assert "5" in refusal(rules.artifact_location, "s3://b")


def test_logged_model_names():
    for good in ("model", "elasticnet_alpha_0.2_l1_0.3", "a b", "models/best", "größe"):
        assert rules.logged_model_name(good) == good
    for bad in ("", "..", "a/../b", "/a", "a/", "a//b", "a:b", "a%2e", None, 5, "a\\b"):
        assert "Invalid model name" in refusal(rules.logged_model_name, bad)


def test_registered_model_names():
    for good in ("a", "a.b", "größe", "a b"):
        assert rules.registered_model_name(good) == good
    assert refusal(rules.registered_model_name, "a/b") == (
        "Invalid model name 'a/b'. Names cannot contain '/' or ':'."
    )
    for bad in (None, "", " ", "..", ".", "a%b", "a\0", 5, "x" * 257):
        refusal(rules.registered_model_name, bad)


def test_aliases():
    for good in ("best", "v", "v1a", "1", "A-b_c", "é"):
        assert rules.new_alias_name(good) == good
    for reserved in ("latest", "LaTest", "v1", "V09"):
        assert "reserved" in refusal(rules.new_alias_name, reserved)
        assert rules.alias_name(reserved) == reserved
    for bad in ("", None, "a b", "a/b", "..", "x" * 256, 5):
        refusal(rules.alias_name, bad)


def test_stages_and_versions():
    assert [rules.stage_name(one) for one in ("none", "STAGING", "Production")] == [
        "None", "Staging", "Production",
    ]  # fmt: skip
    for bad in ("", None, "Deleted_Internal", 3):
        assert "None, Staging, Production, Archived" in refusal(rules.stage_name, bad)
    rules.archivable_stage("Staging")
    refusal(rules.archivable_stage, "Archived")
    assert [rules.version_number(one) for one in ("1", 1, " 01 ", "-1")] == ["1", "1", "1", "-1"]
    for bad in ("x", "1.5", None, "", [1]):
        assert "must be an integer" in refusal(rules.version_number, bad)


def test_page_sizes():
    assert rules.max_results(5, 10) == 5
    assert rules.max_results(None, 10, 7) == 7
    for bad in (0, -1, "5", 1.5, 11):
        assert "max_results" in refusal(rules.max_results, bad, 10)
    refusal(rules.max_results, None)


def test_views():
    assert [rules.view_type(one) for one in (1, 2, 3)] == [1, 2, 3]
    for bad in (0, 4, "1", None):
        assert "Invalid view type" in refusal(rules.view_type, bad)


def test_dataset_fields():
    rules.dataset_field("schema", None, 5, required=False)
    rules.dataset_field("name", "", 5, required=True)
    assert "name" in refusal(rules.dataset_field, "name", None, 5, required=True)
    assert "maximum length of 5" in refusal(rules.dataset_field, "name", "x" * 6, 5, required=True)
