"""Names on a terminal are shown, never obeyed."""

from __future__ import annotations

import io
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from mlflow.cli.terminal import escaped, shown, table


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@given(st.text())
def test_nothing_is_obeyed(text):
    """No control, direction, format or line character is left."""
    for char in escaped(text):
        assert unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.bidirectional(char) not in {
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        }  # fmt: skip


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S"))))
def test_plain_text_stays(text):
    """Letters of any script, digits and signs are shown as they are."""
    assert text == escaped(text)


def test_only_a_terminal_escapes():
    """Programs that read the output get it exactly."""
    name = "a\x1b[2Jb"

    assert name == shown(name, io.StringIO())
    assert r"a\x1b[2Jb" == shown(name, Terminal())


def test_tables():
    """Columns are as wide as their widest cell; on a terminal a cell stays on its line."""
    found = table([("1", "x\ny"), (None, "long name")], ("Id", "Name"), Terminal())

    assert ["Id  Name     ", "--  ---------", r"1   x\ny     ", "    long name"] == found.split(
        "\n"
    )


def test_an_empty_table():
    """No rows leave the header."""
    assert "Id\n--" == table([], ("Id",), io.StringIO())
