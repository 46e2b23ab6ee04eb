"""Values are read from JSON exactly, and written as MLflow writes them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.api.wire import (
    BOOL,
    DOUBLE,
    FREE_TEXT,
    INT32,
    INT64,
    TEXT,
    Choice,
    Field,
    Many,
    Message,
    Pair,
    Pairs,
    UnreadableError,
    camel_case,
    read_field,
)
from mlflow.entities.run import RunTag

COLOURS = Choice("Colour", {"RED": 1, "BLUE": 2}, {"RED": "red", "BLUE": "blue"})
TAGS = Pairs(Pair("RunTag", RunTag))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [(TEXT, "x", "x"), (TEXT, "", ""),
     (INT64, 3, 3), (INT64, "3", 3), (INT64, "-3", -3), (INT64, 3.0, 3), (INT64, 2**63 - 1, 2**63 - 1),
     (INT64, str(-(2**63)), -(2**63)),
     (DOUBLE, 1, 1.0), (DOUBLE, 1.5, 1.5), (DOUBLE, "1.5", 1.5), (DOUBLE, "1e3", 1000.0),
     (DOUBLE, "Infinity", math.inf), (DOUBLE, "-Infinity", -math.inf),
     (BOOL, True, True), (BOOL, "true", True), (BOOL, "False", False),
     (COLOURS, "RED", "red"), (COLOURS, 2, "blue"), (COLOURS, "2", "blue"),
     (Many(INT64), ["1", 2], [1, 2]), (Many(INT64), [], []),
     (TAGS, [{"key": "a", "value": "b"}, {"key": "c"}], [RunTag("a", "b"), RunTag("c", "")])],
)  # fmt: skip
def test_what_is_read(kind, value, expected):
    """The forms that clients send."""
    found = kind.read(value)

    assert expected == found
    assert type(expected) is type(found)


@pytest.mark.parametrize(
    ("kind", "value"),
    [(TEXT, 3), (TEXT, None), (TEXT, ["x"]), (TEXT, True),
     (INT64, 1.5), (INT64, "1.0"), (INT64, "x"), (INT64, ""), (INT64, "-"), (INT64, True),
     (INT64, 2**63), (INT64, "9" * 5000), (INT64, "٣"), (INT64, math.nan), (INT64, [1]),
     (INT32, 2**31), (INT32, -(2**31) - 1),
     (DOUBLE, True), (DOUBLE, "x"), (DOUBLE, ""), (DOUBLE, "1_0"), (DOUBLE, "٣"), (DOUBLE, 10**400),
     (DOUBLE, [1]), (DOUBLE, "1" * 401), (BOOL, 1), (BOOL, "yes"), (COLOURS, "GREEN"), (COLOURS, 3),
     (COLOURS, "red"), (COLOURS, True), (COLOURS, ["RED"]), (COLOURS, "²"),
     (Many(TEXT), "x"), (Many(TEXT), {}), (TAGS, {}), (TAGS, ["x"]), (TAGS, [3]), (TAGS, [[]])],
)  # fmt: skip
def test_what_is_refused(kind, value):
    """Nothing is bent into shape."""
    with pytest.raises(UnreadableError):
        kind.read(value)


def test_nan_is_read():
    """NaN comes as text, in any of the spellings of Python."""
    assert math.isnan(DOUBLE.read("NaN"))
    assert math.isnan(DOUBLE.read("nan"))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [(TEXT, "x", "x"), (FREE_TEXT, 3, "3"), (INT64, 3, 3), (INT64, 3.0, 3), (INT64, np.int64(3), 3),
     (DOUBLE, 1, 1.0), (DOUBLE, np.float32(0.5), 0.5), (DOUBLE, math.nan, "NaN"),
     (DOUBLE, math.inf, "Infinity"), (DOUBLE, -math.inf, "-Infinity"), (BOOL, 1, True),
     (COLOURS, "blue", "BLUE"), (Many(INT64), (1, 2), [1, 2]),
     (TAGS, {"a": "b"}, [{"key": "a", "value": "b"}]),
     (TAGS, [RunTag("a", None), RunTag("b", 3)], [{"key": "a"}, {"key": "b", "value": "3"}])],
)  # fmt: skip
def test_what_is_written(kind, value, expected):
    """What programs hold is written as MLflow's JSON."""
    found = kind.write(value)

    assert expected == found
    assert type(expected) is type(found)


@pytest.mark.parametrize(
    ("kind", "value"),
    [(TEXT, 3), (TEXT, None), (INT64, "3"), (INT64, True), (INT64, 1.5), (INT64, 2**63), (INT64, None), (DOUBLE, "1.5"),
     (DOUBLE, True), (DOUBLE, np.bool_(True)), (DOUBLE, None), (DOUBLE, 10**400),
     (COLOURS, "green"), (Many(DOUBLE), [1.0, "x"])],
)  # fmt: skip
def test_what_is_not_written(kind, value):
    """What a store would refuse does not pass because the wire could carry it."""
    with pytest.raises(UnreadableError):
        kind.write(value)


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_come_back(number):
    """As numbers and as text."""
    assert number == INT64.read(INT64.write(number))
    assert number == INT64.read(str(number))


@given(st.floats(allow_nan=False))
def test_floats_come_back(number):
    """To the bit, infinities too."""
    assert number == DOUBLE.read(DOUBLE.write(number))
    assert number == DOUBLE.read(repr(number))


# --- messages ------------------------------------------------------------------------------------


class Box:
    def __init__(self, name, item_count=None, tags=()):
        self.name = name
        self.item_count = item_count
        self.tags = {tag.key: tag.value for tag in tags}


BOX = Message(
    "Box",
    Box,
    (
        Field("name", TEXT, required=True),
        Field("item_count", INT64),
        Field("tags", TAGS),
    ),
)


@pytest.mark.parametrize("count", ["item_count", "itemCount"])
def test_both_spellings(count):
    """Fields are read in snake case and in camel case; what is not known is not looked at."""
    box = BOX.read({"name": "n", count: "3", "tags": [{"key": "a", "value": "b"}], "other": []})

    assert ("n", 3, {"a": "b"}) == (box.name, box.item_count, box.tags)


def test_both_at_once():
    """A field that is given in both spellings could be read as either."""
    with pytest.raises(UnreadableError) as caught:
        BOX.read({"name": "n", "item_count": 1, "itemCount": 2})

    message = "Request specifies both 'item_count' and 'itemCount'; provide only one of them."
    assert message == caught.value.told().message


@pytest.mark.parametrize("value", [{}, {"name": None}, {"name": ""}])
def test_missing(value):
    """A required field is there and not empty."""
    with pytest.raises(UnreadableError) as caught:
        BOX.read(value)

    error = caught.value.told()
    assert "INVALID_PARAMETER_VALUE" == error.error_code
    assert error.message.startswith("Missing value for required parameter 'name'.")


def test_the_path_of_what_is_wrong():
    """Through lists and messages, as MLflow writes it."""
    boxes = Field("boxes", Many(BOX))
    with pytest.raises(UnreadableError) as caught:
        read_field(
            boxes, {"boxes": [{"name": "a"}, {"name": "b", "tags": [{"key": "k", "value": 3}]}]}
        )

    message = caught.value.told().message
    assert message.startswith(
        "Invalid value 3 for parameter 'boxes[1].tags[0].value' supplied:  Hint: Value was of "
        "type 'int'."
    )


def test_a_long_value_is_not_repeated():
    """An error does not echo a megabyte."""
    error = UnreadableError("x" * 1_000_000).below("a")

    assert 500 > len(error.told().message)


def test_written_messages():
    """What has no value is left out; lists that are empty too."""
    assert {"name": "n"} == BOX.write(Box("n"))
    assert {"name": "", "item_count": 0} == BOX.write(Box("", 0))


def test_aliases_and_defaults():
    """A field may have an older name, and a value for when it is absent."""
    field = Field("run_id", TEXT, aliases=("run_uuid",), default="d")

    assert "a" == read_field(field, {"run_uuid": "a"})
    assert "a" == read_field(field, {"runUuid": "a"})
    assert "b" == read_field(field, {"run_uuid": "a", "run_id": "b"})
    assert "d" == read_field(field, {})


@pytest.mark.parametrize(
    ("name", "expected"), [("run_id", "runId"), ("name", "name"), ("a_b_c", "aBC")]
)
def test_camel_case(name, expected):
    """As protocol buffers spell it."""
    assert expected == camel_case(name)
