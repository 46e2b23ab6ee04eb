"""Tokens, and the caret that points at a character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.exceptions import MlflowException
from mlflow.search import lex


def _cut(text):
    return [(token.kind, token.text) for token in lex.tokens(lex.Source(text, "filter string"))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.a>1", [("prefix", "metrics"), ("word", "a"), ("sign", ">"), ("number", "1")]),
        ("metrics.a.b-c/d:e", [("prefix", "metrics"), ("word", "a.b-c/d:e")]),
        ("metrics.1", [("prefix", "metrics"), ("word", "1")]),
        ("tags.`a b`", [("prefix", "tags"), ("quoted key", "a b")]),
        ('tags."a b"', [("prefix", "tags"), ("text", "a b")]),
        ("`tags`.`a`", [("prefix", "tags"), ("quoted key", "a")]),
        ("metrics.`a`.min", [("prefix", "metrics"), ("prefix", "a"), ("word", "min")]),
        ("'it''s'", [("text", "it''s")]),
        ("''", [("text", "")]),
        ("-1e-3 .5 5. +2", [("number", "-1e-3"), ("number", ".5"), ("number", "5."), ("number", "+2")]),
        ("1_000 0x10", [("word", "1_000"), ("word", "0x10")]),
        ("!= <> ==", [("sign", "!="), ("sign", "<>"), ("sign", "==")]),
        ("('a','b')", [("sign", "("), ("text", "a"), ("sign", ","), ("text", "b"), ("sign", ")")]),
        ("é = 'ü'", [("word", "é"), ("sign", "="), ("text", "ü")]),
        (" \n\t", []),
    ],
)  # fmt: skip
def test_tokens(text, expected):
    """Each kind of token is cut as the grammar needs it."""
    assert [*expected, ("end", "")] == _cut(text)


@given(st.text(alphabet="ab.`'\"<>=!~()1e-+ ,/\n\x00é", max_size=60))
def test_tokens_cover_the_text(text):
    """Whatever the text, tokens and blanks make it up, or a quote is not closed."""
    try:
        found = lex.tokens(lex.Source(text, "filter string"))
    except MlflowException as error:
        assert "is not closed" in error.message
        return
    at = 0
    for token in found:
        assert text[at : token.start].strip() == ""
        assert token.end > token.start or token.kind == lex.END
        at = token.end

    assert at == len(text)


@pytest.mark.parametrize("text", ["'a", 'tags.a = "b', "tags.`a = 1", "''' OR 1=1 --"])
def test_an_open_quote_is_pointed_at(text):
    """The caret is under the quote that nothing closes."""
    with pytest.raises(MlflowException) as error:
        _cut(text)

    line, caret = error.value.message.splitlines()[-2:]
    assert text == line.strip()
    assert line[caret.index("^")] in "'\"`"


def test_only_the_line_is_shown_and_controls_are_not():
    """The caret stands right under its character, also in long lines and after controls."""
    text = "a" * 200 + "\x1b[31m\tX" + "b" * 200
    line, caret = lex.point_at("first\n" + text + "\nlast", 6 + text.index("X")).splitlines()

    assert "X" == line[caret.index("^")]
    assert "\x1b" not in line
    assert line.startswith("  ...")
    assert line.endswith("...")
    assert 90 > len(line)


def test_length_is_bounded():
    """Text that is too long is refused before it is read; text that is none, too."""
    for wrong in ("a" * (lex.MAX_LENGTH + 1), 5, b"a"):
        with pytest.raises(MlflowException, match="Invalid filter string"):
            lex.Source(wrong, "filter string")
    with pytest.raises(MlflowException, match="a number of"):
        _cut("1" * (lex.MAX_NUMBER + 1))
