"""The contract of a source, by a kind of our own."""

from __future__ import annotations

from typing import Any

import pytest

from mlflow.data.dataset_source import DatasetSource, recorded
from mlflow.exceptions import MlflowException


class Table(DatasetSource):
    """Rows of a database."""

    def __init__(self, table: str) -> None:
        self.table = table

    def to_dict(self) -> dict[str, Any]:
        return {"table": self.table}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Table:
        return cls(recorded(cls, source_dict, "table"))


def test_a_source_is_written_and_read_as_json() -> None:
    """A kind gives and takes a dict; the text is the base's."""
    text = Table("wine").to_json()

    assert text == '{"table": "wine"}'
    assert Table.from_json(text).table == "wine"


def test_a_record_without_its_key_is_refused() -> None:
    """The message names the kind and the key."""
    with pytest.raises(
        MlflowException, match='^Failed to parse Table. Missing expected key: "table"$'
    ) as caught:
        Table.from_dict({"uri": "x"})
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("wrong", [5, ["x"], {"a": 1}, True])
def test_a_record_whose_value_is_no_text_is_refused(wrong: object) -> None:
    """It would fail later, far from the record."""
    with pytest.raises(MlflowException, match='"table" must be text'):
        Table.from_dict({"table": wrong})


def test_a_kind_fills_in_all_of_the_contract() -> None:
    """What it does not fill in says so when it is asked."""
    empty = DatasetSource()

    for ask in (
        empty.load,
        empty.to_dict,
        empty.to_json,
        empty._get_source_type,
        lambda: empty._can_resolve("x"),
        lambda: empty._resolve("x"),
        lambda: DatasetSource.from_dict({}),
    ):
        with pytest.raises(NotImplementedError):
            ask()
