"""What a scikit-learn estimator is: its params and its class, as a run says them."""

from __future__ import annotations

from typing import Any

from mlflow.models.autologged import as_text


def describe_params(estimator: Any) -> dict[str, str]:
    """Return an estimator's params as text; a search's own params without its estimator's.

    Args:
        estimator: the estimator.
    """
    return as_text(estimator.get_params(deep=not is_search(estimator)))


def describe_tags(estimator: Any) -> dict[str, str]:
    """Return the tags that name an estimator's class."""
    kind = type(estimator)
    return {
        "estimator_name": kind.__name__,
        "estimator_class": f"{kind.__module__}.{kind.__name__}",
    }


def is_search(estimator: Any) -> bool:
    """Tell whether an estimator searches for params."""
    from sklearn.model_selection._search import BaseSearchCV

    return isinstance(estimator, BaseSearchCV)
