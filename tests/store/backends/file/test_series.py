from __future__ import annotations

import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.store.backends.file import series
from mlflow.store.backends.file.series import Latest

INTS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=True, allow_infinity=True)
POINTS = st.lists(st.tuples(FLOATS, INTS, st.integers(-5, 5)), max_size=30)
WORDS = st.sampled_from(
    [b"1", b"-2", b"0.5", b"nan", b"x", b"", b"1_0", b"\x0b", b"9" * 30, b"\xff", b"d", b"\r"]
)
LINES = st.lists(st.lists(WORDS, max_size=7).map(b" ".join), max_size=8)


def bits(point):
    return (point[0], repr(point[1]), *point[2:])


@given(points=POINTS)
def test_points_come_back_exactly(points):
    data = "".join(series.line(*point) for point in points).encode()
    read, bad = series.read_points(data)

    assert bad == 0
    assert [(repr(value), stamp, step) for stamp, value, step, _ in read] == [
        (repr(value), stamp, step) for value, stamp, step in points
    ]


@given(lines=LINES | POINTS.map(lambda points: [series.line(*p).encode()[:-1] for p in points]))
def test_reading_all_at_once_equals_reading_line_by_line(lines):
    data = b"".join(line + b"\n" for line in lines)
    fast, plain = series.read_points(data), series._slowly(data, of_model=False)

    assert [bits(point) for point in fast[0]] == [bits(point) for point in plain[0]]
    assert fast[1] == plain[1]


@given(points=POINTS)
def test_the_latest_at_once_equals_the_maximum(tmp_path_factory, points):
    path = str(tmp_path_factory.mktemp("m") / "loss")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(series.line(*point) for point in points)
    found, bad = Latest().points(path)
    ranks = [series.rank(stamp, value, step) for value, stamp, step in points]

    assert bad == 0
    assert [series.rank(*point[:3]) for point in found] == ([max(ranks)] if ranks else [])


@given(blocks=st.lists(POINTS, max_size=4))
def test_reading_the_appended_part_equals_reading_all(tmp_path_factory, blocks):
    path = str(tmp_path_factory.mktemp("m") / "loss")
    open(path, "w").close()
    kept = Latest()
    for points in blocks:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(series.line(*point) for point in points)
        again = [series.rank(*point[:3]) for point in kept.points(path)[0]]
        assert again == [series.rank(*point[:3]) for point in Latest().points(path)[0]]


def test_only_the_appended_part_is_read_again(tmp_path, monkeypatch):
    path = str(tmp_path / "loss")
    with open(path, "w") as file:
        file.writelines(f"{i} {i}.5 {i}\n" for i in range(50_000))
    kept = Latest()
    kept.points(path)
    read = []
    real = os.read
    monkeypatch.setattr(os, "read", lambda *args: read.append(real(*args)) or read[-1])
    with open(path, "a") as file:
        file.write("1 2.5 60000\n")

    assert kept.points(path)[0] == [(1, 2.5, 60000, ())]
    assert sum(map(len, read)) < 1000


def test_a_file_that_was_replaced_is_read_anew(tmp_path):
    path = tmp_path / "loss"
    kept = Latest()
    path.write_text("1 1.0 9\n" * 20)
    assert kept.points(str(path))[0][0][2] == 9
    path.write_text("1 2.0 3\n" * 30)
    assert kept.points(str(path))[0] == [(1, 2.0, 3, ())]
    path.write_text("")
    assert kept.points(str(path))[0] == []


def test_a_file_that_was_changed_within_is_read_anew(tmp_path):
    """Its size and its end are as they were; its time is not."""
    path = tmp_path / "loss"
    path.write_text("1 1.0 9\n" + "1 1.0 3\n" * 20)
    os.utime(path, (1, 1))
    kept = Latest()
    assert kept.points(str(path))[0] == [(1, 1.0, 9, ())]
    with open(path, "r+") as file:
        file.write("1 1.0 8\n")
    assert kept.points(str(path))[0] == [(1, 1.0, 8, ())]


def test_pages_start_where_the_last_one_ended_while_lines_are_appended(tmp_path):
    path = str(tmp_path / "loss")
    offset, seen = 0, []
    for at in range(0, 40, 4):
        with open(path, "a") as file:
            file.writelines(f"{at + i} nan {at + i}\n" for i in range(4))
        points, following, _ = series.history(path, "loss", "r", 3, offset)
        seen += [point.step for point in points]
        offset = following
    points, following, _ = series.history(path, "loss", "r", None, offset)
    seen += [point.step for point in points]

    assert seen == list(range(40))
    assert following is None
    assert math.isnan(points[0].value)


def test_bad_lines_do_not_shorten_a_page(tmp_path):
    path = tmp_path / "loss"
    path.write_text("bad\n" * 5000 + "1 2 3\n" + "bad\n" * 10 + "1 2 4\n")
    points, following, bad = series.history(str(path), "k", "r", 2, 0)

    assert [point.step for point in points] == [3, 4]
    assert bad == 5010
    assert following is None


@pytest.mark.parametrize(("name", "digest"), [(None, None), ("", "d"), ("a", None)])
def test_half_a_dataset_is_none(name, digest):
    assert series.extra_of(name, digest) == ()


@pytest.mark.parametrize(
    "name", ["data", "a b", " a\t\n\r\x85\u2028\xa0\u3000", "\u2420 \u241b0020", "\u241b", " "]
)
def test_names_of_datasets_come_back_and_are_single_words_to_mlflow(name):
    words = series.extra_of(name, "d e")
    text = series.line(1.5, 2, 3, words)
    ((point,), bad) = series.read_points(text.encode())
    metric = series.metric_of("k", point, "r", None)

    assert (metric.dataset_name, metric.dataset_digest) == (name, "d e")
    assert bad == 0
    assert text.split(" ") == ["2", "1.5", "3", words[0], "d\u2420e\n"]
    assert text.splitlines(keepends=True) == [text]


@pytest.mark.parametrize("word", ["\u241b", "\u241bzzzz", "\u241b0041", "\u241b00", "\u241b+020"])
def test_words_that_others_wrote_are_taken_as_they_are(word):
    metric = series.metric_of("k", (2, 1.5, 3, (word, "d")), "r", None)

    assert metric.dataset_name == word
