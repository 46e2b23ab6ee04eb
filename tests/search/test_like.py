"""LIKE equals its definition, in steps that grow with the text only."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.search.like import like


def _definition(pattern):
    parts = (".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL)


@given(st.text("ab%_.", max_size=8), st.text("ab._%\n", max_size=10))
def test_like_is_its_definition(pattern, text):
    """`%` is anything, `_` one character, nothing else is special, and all of the text counts."""
    assert bool(_definition(pattern).fullmatch(text)) == like(pattern)(text)


@given(st.text("aBé%_", max_size=6), st.text("AbÉé", max_size=8))
def test_ilike_compares_lower_case(pattern, text):
    """ILIKE is LIKE on lower-cased text."""
    assert like(pattern.lower())(text.lower()) == like(pattern, ignore_case=True)(text)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("abc", "abc", "abcd"),
        ("a%", "abc", "ba"),
        ("%c", "abc", "cb"),
        ("a%c", "abc", "a"),
        ("a%a", "aa", "a"),
        ("%b%", "abc", "ac"),
        ("a_c", "abc", "ac"),
        ("%", "", None),
        ("", "", "a"),
        ("a%_%b", "axb", "ab"),
    ],
)
def test_shapes(pattern, yes, no):
    """Each shape with a short cut of its own answers right."""
    assert like(pattern)(yes)
    assert no is None or not like(pattern)(no)


class _Counted(str):
    """Text that counts how often it is looked at."""

    __slots__ = ("looks",)

    def __getitem__(self, index):
        self.looks += 1
        return super().__getitem__(index)

    def find(self, *args):
        self.looks += 1
        return super().find(*args)


@pytest.mark.parametrize(
    "pattern",
    ["%a" * 5000 + "%b", "%" + "_a" * 4000 + "%b%", "%_%" * 3000 + "b", "%a_" * 3000 + "b%"],
)
def test_bombs_take_one_pass(pattern):
    """Patterns that make backtracking matchers explode look at each character once or so."""
    text = _Counted("a" * 20_000)
    text.looks = 0

    assert not like(pattern)(text)
    assert len(text) + pattern.count("%") + 10 >= text.looks
