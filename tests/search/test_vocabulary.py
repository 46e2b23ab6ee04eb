"""The vocabulary of each noun holds together."""

from __future__ import annotations

import pytest

from mlflow.search.vocabulary import NOUNS, NUMBER, OPERATORS, TEXT

IDS = {
    "runs": "run_id",
    "experiments": "experiment_id",
    "registered_models": "name",
    "model_versions": "version_number",
    "logged_models": "model_id",
}


@pytest.mark.parametrize("noun", NOUNS.values(), ids=NOUNS)
def test_every_order_ends_with_what_is_unique(noun):
    """The last term of a noun's own order is its id (for versions: within the name)."""
    assert IDS[noun.name] == noun.tiebreak[-1].key
    assert all(term.key in noun.sortable for term in noun.tiebreak)


@pytest.mark.parametrize("noun", NOUNS.values(), ids=NOUNS)
def test_aliases_lead_to_attributes(noun):
    """Each further spelling is of an attribute that can be filtered or ordered by."""
    for alias, key in noun.aliases.items():
        assert key in noun.sortable | noun.filterable
        assert alias not in noun.sortable
        assert key == noun.attribute(alias, for_order=True)


@pytest.mark.parametrize("noun", NOUNS.values(), ids=NOUNS)
def test_messages_list_every_spelling(noun):
    """What a message offers is accepted."""
    for for_order in (False, True):
        for spelling in noun.spellings(for_order=for_order):
            key = noun.attribute(spelling, for_order=for_order)
            assert key is not None
            assert noun.type_of("attribute", key) in (TEXT, NUMBER)


def test_text_has_no_greater_or_less():
    """MLflow refuses `params.lr > '0.1'`: text that looks like numbers would order wrongly."""
    assert not {">", ">=", "<", "<=", "BETWEEN"} & set(OPERATORS[TEXT])
    assert not {"LIKE", "ILIKE"} & set(OPERATORS[NUMBER])
