"""Fingerprints of data: the values were observed on MLflow 3.17.2."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from mlflow.data.digest import array_digest, frame_digest

FRAMES = {
    "4cfd5140": pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]}),
    "89b3fcb2": pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]}, index=[7, 8, 9]),
    "465b3fb4": pd.DataFrame({"a": [3, 4], "b": [1, 2]}),
    "d97b19a5": pd.DataFrame({"b": [1, 2], "a": [3, 4]}),
    "59b0a8d7": pd.DataFrame({"a": [1, 2], "s": ["x", "y"]}),
    "6aca973b": pd.DataFrame({"b": ["x", "y"], "a": ["p", "q"]}),
    "8a6c48ab": pd.DataFrame({"b": ["x", "y"], "a": [3, 4]}),
    "fde74775": pd.DataFrame({"c": pd.Categorical(["a", "b", "a"])}),
    "ef8febe1": pd.DataFrame({"a": [1.0, float("nan")]}),
    "ccc45373": pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
    "2a756741": pd.DataFrame({"a": [1j, 2j]}),
    "e8ec9ff0": pd.DataFrame({"t": pd.to_timedelta([1, 2], unit="s")}),
    "81535413": pd.DataFrame({"c": [True, False], "x": [1, 2]}),
    "c9931463": pd.DataFrame([[1, 2], [3, 4]]),
    "a21f3177": pd.DataFrame({1: [1, 2], 0: [3, 4]}),
    "0120e728": pd.DataFrame({"x": [1, 2], 0: [3, 4]}),
    "db0cd6b6": pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]),
    "c7ac781b": pd.DataFrame([[1, "x"], [3, "y"]], columns=["a", "a"]),
    "858eb664": pd.DataFrame(
        [[1, 2], [3, 4]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "w")])
    ),
    "8cd96937": pd.DataFrame({"a": [1, 2]}, index=pd.to_datetime(["2020-01-01", "2020-01-02"])),
    "beecb811": pd.DataFrame({"a": np.arange(10_001)}),
    "13830344": pd.DataFrame({"a": np.arange(30_000)}),
    "c90e33b7": pd.DataFrame({"a": []}),
    "7dea362b": pd.DataFrame(),
    "6d41dc58": pd.DataFrame(index=[1, 2, 3]),
}

# What MLflow does not see: of these only names and number of rows count.
UNSEEN = {
    "lists": [[1, 2], [3]],
    "dicts": [{"k": 1}, {"k": 2}],
    "bytes": [b"x", b"y"],
    "mixed": ["x", 1],
    "nothing": [None, None],
}

ARRAYS = {
    "d81bba40": np.arange(6.0).reshape(2, 3),
    "bade85fd": np.arange(6).reshape(2, 3),
    "8fe6f054": np.arange(6).reshape(2, 3).T,
    "067254a8": np.arange(6, dtype="float32"),
    "33d215d7": np.arange(4, dtype="float16"),
    "af37a0ca": np.arange(4, dtype="int8"),
    "9aa28daa": np.array([2**64 - 1], dtype="uint64"),
    "75e0426e": np.arange(4, dtype=">i4"),
    "c3712814": np.array([True, False]),
    "88d43939": np.array(["a", "b"]),
    "f6177de2": np.array([b"x"]),
    "c5ea6808": np.array(["2020-01-01"], dtype="datetime64[ns]"),
    "ae4ee70e": np.array([1j]),
    "7d037cea": np.array(["a", 1, None], dtype=object),
    "877ae7b3": np.array([{"a": 1}], dtype=object),
    "9c9701e7": np.array([1.0, np.nan]),
    "b0f2df41": np.ma.array([1, 2], mask=[0, 1]),
    "0e6a2777": np.arange(20)[::2],
    "f4bec3df": np.arange(30_000.0),
    "fbabc241": np.arange(30_000.0).reshape(15_000, 2),
    "7dea362b": np.array([]),
    "503e83c0": np.zeros((0, 3)),
    "ba511fca": np.array(1.0),
}


@pytest.mark.parametrize("digest", FRAMES)
def test_a_frame_has_the_digest_that_mlflow_gives_it(digest: str) -> None:
    """Stores know a dataset by name and digest: programs on both sides must agree."""
    assert frame_digest(FRAMES[digest]) == digest


@pytest.mark.parametrize("kind", UNSEEN)
def test_columns_of_other_things_count_by_name_and_length_only(kind: str) -> None:
    """So it is in MLflow; a digest is a name for data, no proof."""
    assert frame_digest(pd.DataFrame({"a": UNSEEN[kind]})) == "defee322"


def test_a_column_of_text_is_text_to_its_end() -> None:
    """One cell that is none, even below the rows that are looked at, and the column is not seen."""
    assert frame_digest(pd.DataFrame({"c": [*"a" * 10_000, 1]})) == "c7a6c671"
    assert frame_digest(pd.DataFrame({"c": [*"b" * 10_000, 1]})) == "c7a6c671"


def test_rows_below_the_first_ten_thousand_count_by_number_only() -> None:
    """Large data is fingerprinted in little time."""
    long = pd.DataFrame({"a": np.arange(10_001)})
    changed = long.copy()
    changed.loc[10_000, "a"] = -1

    assert frame_digest(changed) == frame_digest(long)
    changed.loc[9_999, "a"] = -1
    assert frame_digest(changed) != frame_digest(long)
    assert frame_digest(long.iloc[:-1]) != frame_digest(long)


def test_data_that_mlflow_cannot_digest_has_a_digest() -> None:
    """Lists under a name that is there twice, and sparse columns, stop MLflow."""
    twice = pd.DataFrame([[1, [2]], [3, [4]]], columns=["b", "b"])
    sparse = pd.DataFrame({"c": pd.arrays.SparseArray([0.0, 1.0])})

    for frame in (twice, sparse):
        assert re.fullmatch("[0-9a-f]{8}", frame_digest(frame))
        assert frame_digest(frame) == frame_digest(frame.copy())


def test_a_frame_is_left_as_it_was() -> None:
    """Digests are taken of the user's own data."""
    frame = FRAMES["59b0a8d7"].copy()
    frame_digest(frame)

    pd.testing.assert_frame_equal(frame, FRAMES["59b0a8d7"])


@pytest.mark.parametrize("digest", ARRAYS)
def test_an_array_has_the_digest_that_mlflow_gives_it(digest: str) -> None:
    """Shape, type and values count."""
    assert array_digest(ARRAYS[digest]) == digest


def test_dicts_of_arrays_count_in_the_order_of_their_names() -> None:
    """The names themselves do not count."""
    one, two = np.arange(3.0), np.arange(4)

    assert array_digest({"x": one, "y": two}) == "f7f12454"
    assert array_digest({"y": two, "x": one}) == "f7f12454"
    assert array_digest({"p": one, "q": two}) == "f7f12454"
    assert array_digest({"x": two, "y": one}) != "f7f12454"


def test_targets_count_and_absent_targets_do_not() -> None:
    """The digest of features and targets is one."""
    features, targets = ARRAYS["d81bba40"], ARRAYS["067254a8"]
    named = {"x": np.arange(3.0), "y": np.arange(4)}

    assert array_digest(features, None) == "d81bba40"
    assert array_digest(features, targets) == "4f368ed1"
    assert array_digest(named, ARRAYS["bade85fd"]) == "a24be5d3"
    assert array_digest(named, named) == "50c27685"


def test_a_digest_is_the_same_in_another_process() -> None:
    """Nothing of it hangs on addresses or on the seed of hashes."""
    code = (
        "import pandas as pd; from mlflow.data.digest import frame_digest;"
        "print(frame_digest(pd.DataFrame({'a': [1, 2], 's': ['x', 'y']})))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert found.stdout.strip() == "59b0a8d7"
