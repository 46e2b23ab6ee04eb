from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from mlflow.store.backends.file import metadata

HEX = st.text("0123456789abcdef", min_size=1, max_size=32)
WORDS = st.lists(st.text("abc'd:\"{,#é", max_size=14), max_size=30).map(" ".join)
ODD = st.sampled_from(
    "yes no No on Off true NULL ~ null y 0 00 0b1 0b12 0x1f 012 089 1_0 1e5 1.5 -1 +1 .5 .inf "
    "2020-01-01 12:30 = << --- ... - ? : a: #a é 日本 \ufeff \x85 \u2028 a\tb a\nb".split(" ")
) | st.sampled_from(["", " a", "a ", "a: b", "a #b", "- a", "? a", "--- a", "a  b", "\n"])
TEXTS = st.text(max_size=60) | HEX | WORDS | ODD
SCALARS = TEXTS | st.none() | st.integers(-(2**63), 2**63) | st.just([]) | st.just({})
KEYS = st.sampled_from(["name", "run_id", "tags", "x.y", "status"]) | st.text(max_size=12) | ODD
RECORDS = st.dictionaries(KEYS, SCALARS | st.dictionaries(KEYS, TEXTS, max_size=3), max_size=6)


def dumped(record):
    return yaml.safe_dump(record, default_flow_style=False, allow_unicode=True)


@given(record=RECORDS)
@example(record={"a": "0b" + "1" * 30})
@example(record={"source": '{"tags": {"mlflow.user": "root", "mlflow.source.name": "x"}}' * 3})
def test_emitted_text_is_that_of_the_library(record):
    text = metadata.emit(record).decode()

    assert yaml.safe_load(text) == record
    if yaml.safe_load(dumped(record)) == record:
        assert text == dumped(record)


@pytest.mark.parametrize("odd", ["\x85", "\u2028", "\u2029", "\ufeff", "\x7f", "\x1b", "\xa0"])
@pytest.mark.parametrize("text", ["{}", "a{}b", "{}\n", " {}", "{} "])
def test_odd_characters_come_back(odd, text):
    record = {"description": text.format(odd), "tags": {text.format(odd): "b"}}

    assert yaml.safe_load(metadata.emit(record)) == record
    assert metadata.parse(metadata.emit(record)) == record


@given(record=RECORDS)
def test_the_small_reader_agrees_with_the_library_on_what_it_reads(record):
    text = dumped(record)
    simple = metadata.read_simple(text)

    assert simple is None or simple == yaml.safe_load(text)


@given(
    lines=st.lists(
        st.sampled_from(
            ["a: b", "a:", "  b: c", "  b:", "c: 'd", "  e'", "c: 'd'", "x: 012", "x: 1:2", "- a",
             "a: [1]", "a: {}", "a: []", "b: null", "b: ~", "b: yes", "b: 1.5", "b: -3", "b: &a c",
             "b: *a", "", " a: b", "a: b # c", "a : b", "'a': b", "? a", "b: |", "    deep: er",
             "a: b\r", "a: 'it''s'", "a: ''", "a: '''", "no: 1", "1: 2", "b: 0b11", "b: 0b12", "b: >"]
        ),
        max_size=5,
    )
)  # fmt: skip
def test_the_small_reader_reads_nothing_differently(lines):
    text = "".join(line + "\n" for line in lines)
    simple = metadata.read_simple(text)
    if simple:
        assert simple == yaml.safe_load(text)


@given(
    record=st.dictionaries(
        st.sampled_from(["name", "run_id", "status", "tags"]),
        st.sampled_from(
            ["plain", "two words", "it's: quoted", "0", "a" * 32, None, 5, [], "é" * 50]
        )
        | st.dictionaries(
            st.sampled_from(["mlflow.data.context", "k"]), st.just("train"), max_size=2
        ),
        min_size=1,
    )
)
def test_the_small_reader_reads_what_we_usually_write(record):
    text = metadata.emit(record).decode()

    assert metadata.read_simple(text) == record


def test_usual_records_need_no_library(monkeypatch):
    def refuse(_):
        raise AssertionError

    monkeypatch.setattr(metadata, "_emit_by_library", refuse)
    monkeypatch.setattr(metadata, "_parse_by_library", refuse)
    record = {
        "artifact_uri": "file:///a%20b/mlruns/0/" + "0b1" + "e" * 29 + "/artifacts",
        "end_time": None, "entry_point_name": "", "experiment_id": "0", "run_id": "1" * 31 + "e",
        "run_name": "José's run: no. 7", "start_time": 1700000000000, "status": 1, "tags": [],
        "user_id": "o'neill",
    }  # fmt: skip

    assert metadata.parse(metadata.emit(record)) == record


@pytest.mark.parametrize("data", [b"", b"[]\n", b"a\n", b"1: 2\n", b"a: &x 1\nb: *x\n", b"\xff"])
def test_what_is_no_record_is_malformed(data):
    with pytest.raises(metadata.Malformed):
        metadata.parse(data)


def test_long_content_is_refused_before_it_is_read():
    with pytest.raises(metadata.Malformed, match="longer than 10 bytes"):
        metadata.parse(b"a: " + b"b" * 20 + b"\n", 10)
