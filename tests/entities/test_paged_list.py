"""One page of a search."""

from __future__ import annotations

import copy
import pickle

from mlflow.entities.paged_list import PagedList


def test_a_page_is_a_list_with_a_token() -> None:
    """Code that knows lists works with pages."""
    page = PagedList([1, 2], "next")

    assert page == [1, 2]
    assert isinstance(page, list)
    assert page.token == "next"


def test_a_last_page_has_no_token() -> None:
    """The token may be left out."""
    assert PagedList([1]).token is None
    assert PagedList(items=[], token=None).token is None


def test_a_page_becomes_a_plain_list_of_its_own() -> None:
    """Changing the plain list leaves the page as it was."""
    page = PagedList([1], "next")
    plain = page.to_list()
    plain.append(2)

    assert type(plain) is list
    assert page == [1]


def test_the_token_survives_copies() -> None:
    """Pages can be sent to other processes."""
    page = PagedList([1, 2], "next")

    for copied in (copy.copy(page), copy.deepcopy(page), pickle.loads(pickle.dumps(page))):
        assert copied == page
        assert copied.token == "next"


def test_the_class_can_be_named_with_its_entities() -> None:
    """Annotations such as `PagedList[Run]` are evaluated in some programs."""
    assert PagedList[int]([1], None) == [1]
