"""Ids, and names for runs that were given none."""

from __future__ import annotations

import random
import uuid

from mlflow.store.local import names


def test_random_names():
    """Two words and a number, short, and rarely the same."""
    made = [names.random_name() for _ in range(2000)]

    assert all(len(name) <= names.MAX_LENGTH for name in made)
    for name in made:
        adjective, animal, number = name.split("-")
        assert adjective.isalpha()
        assert animal.isalpha()
        assert number.isdigit()
    assert len(set(made)) > 1900


def test_longest_name_fits():
    """No name is cut in the middle of a number."""
    longest = max(map(len, names._ADJECTIVES)) + max(map(len, names._ANIMALS)) + len("--999")
    assert longest <= names.MAX_LENGTH


def test_words_are_distinct():
    for words in (names._ADJECTIVES, names._ANIMALS):
        assert len(words) == len(set(words)) > 100


def test_seeding_programs_get_different_names():
    """A program that seeds its random numbers is not given the same names again."""
    random.seed(0)
    first = [names.random_name() for _ in range(5)]
    random.seed(0)
    assert [names.random_name() for _ in range(5)] != first


def test_ids():
    """Random UUIDs in hexadecimal."""
    made = {names.new_id() for _ in range(1000)}

    assert len(made) == 1000
    assert all(len(one) == 32 and uuid.UUID(one).version == 4 for one in made)
    assert all(uuid.UUID(one).variant == uuid.RFC_4122 for one in made)
