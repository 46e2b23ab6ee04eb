"""What can be searched: for each noun its keys, their types, their spellings and its order."""

from __future__ import annotations

from mlflow.search.nodes import (
    EQUAL,
    LIKE_OPS,
    LIST_OPS,
    NULL_OPS,
    ORDER_OPS,
    RANGE_OPS,
    UNEQUAL,
    OrderTerm,
)

TEXT, NUMBER = "text", "number"

# The operators of a type. The tuples are in the order in which messages list them.
OPERATORS: dict[str, tuple[str, ...]] = {
    TEXT: (EQUAL, UNEQUAL, *LIKE_OPS, *LIST_OPS, *NULL_OPS),
    NUMBER: (EQUAL, UNEQUAL, *ORDER_OPS, *LIST_OPS, *RANGE_OPS, *NULL_OPS),
}

_ATTRIBUTE = {"attribute": "attribute", "attributes": "attribute"}
_TAG = {"tag": "tag", "tags": "tag"}
_PARAM = {"param": "param", "params": "param", "parameter": "param", "parameters": "param"}
_METRIC = {"metric": "metric", "metrics": "metric"}

_DATASET_KEYS = ("name", "digest", "context")


class Noun:
    """The vocabulary of one kind of thing.

    Args:
        name: how stores call it.
        prefixes: what may stand before the first dot, and the kind it means.
        filterable: attribute spellings that a filter may use: canonical name and type.
        sortable: the same for an order.
        tiebreak: the terms that make every order total; the last is unique.
        default: what comes before them when no order is asked for.
        aliases: further spellings of attributes, and the canonical name of each.
    """

    def __init__(
        self,
        name: str,
        *,
        prefixes: dict[str, str],
        filterable: dict[str, str],
        sortable: dict[str, str],
        tiebreak: tuple[OrderTerm, ...],
        default: tuple[OrderTerm, ...] = (),
        aliases: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.prefixes = prefixes
        self.filterable = filterable
        self.sortable = sortable
        self.tiebreak = tiebreak
        self.default = default
        self.aliases = aliases or {}
        self.kinds = tuple(dict.fromkeys(prefixes.values()))

    def attribute(self, key: str, *, for_order: bool) -> str | None:
        """Return the canonical name of an attribute; None when the noun does not have it."""
        key = self.aliases.get(key, key)
        return key if key in (self.sortable if for_order else self.filterable) else None

    def type_of(self, kind: str, key: str) -> str:
        """Return TEXT or NUMBER for a canonical key of a kind."""
        if kind == "metric":
            return NUMBER
        if kind == "attribute":
            return self.filterable.get(key) or self.sortable[key]
        return TEXT

    def dataset_key(self, key: str) -> bool:
        """Tell whether datasets have this key."""
        return key in _DATASET_KEYS

    def spellings(self, *, for_order: bool) -> list[str]:
        """Return every spelling of every attribute, for messages."""
        known = self.sortable if for_order else self.filterable
        also = [alias for alias, key in self.aliases.items() if key in known]
        return sorted([*known, *also])


def _attr(key: str, *, ascending: bool = True) -> OrderTerm:
    return OrderTerm("attribute", key, ascending)


_RUN_ATTRIBUTES = {
    "run_id": TEXT,
    "run_name": TEXT,
    "status": TEXT,
    "artifact_uri": TEXT,
    "user_id": TEXT,
    "start_time": NUMBER,
    "end_time": NUMBER,
}
_EXPERIMENT_ATTRIBUTES = {
    "name": TEXT,
    "experiment_id": TEXT,
    "creation_time": NUMBER,
    "last_update_time": NUMBER,
}
_LOGGED_MODEL_ATTRIBUTES = {
    "name": TEXT,
    "model_id": TEXT,
    "model_type": TEXT,
    "status": TEXT,
    "source_run_id": TEXT,
    "creation_timestamp": NUMBER,
    "last_updated_timestamp": NUMBER,
}

_NOUNS = (
    Noun(
        "runs",
        prefixes={
            **_METRIC,
            **_PARAM,
            **_TAG,
            **_ATTRIBUTE,
            "attr": "attribute",
            "run": "attribute",
            "dataset": "dataset",
            "datasets": "dataset",
        },
        filterable=_RUN_ATTRIBUTES,
        sortable=_RUN_ATTRIBUTES,
        aliases={
            "created": "start_time",
            "Created": "start_time",
            "run name": "run_name",
            "Run name": "run_name",
            "Run Name": "run_name",
        },
        tiebreak=(_attr("start_time", ascending=False), _attr("run_id")),
    ),
    Noun(
        "experiments",
        prefixes={**_ATTRIBUTE, **_TAG},
        filterable=_EXPERIMENT_ATTRIBUTES,
        sortable=_EXPERIMENT_ATTRIBUTES,
        tiebreak=(_attr("creation_time", ascending=False), _attr("experiment_id")),
    ),
    Noun(
        "registered_models",
        prefixes={**_ATTRIBUTE, **_TAG},
        filterable={"name": TEXT},
        sortable={
            "name": TEXT,
            "creation_timestamp": NUMBER,
            "last_updated_timestamp": NUMBER,
        },
        aliases={"timestamp": "last_updated_timestamp"},
        tiebreak=(_attr("name"),),
    ),
    Noun(
        "model_versions",
        prefixes={**_ATTRIBUTE, **_TAG},
        filterable={
            "name": TEXT,
            "run_id": TEXT,
            "source_path": TEXT,
            "version_number": NUMBER,
        },
        sortable={
            "name": TEXT,
            "version_number": NUMBER,
            "creation_timestamp": NUMBER,
            "last_updated_timestamp": NUMBER,
        },
        default=(_attr("last_updated_timestamp", ascending=False),),
        tiebreak=(_attr("name"), _attr("version_number", ascending=False)),
    ),
    Noun(
        "logged_models",
        prefixes={**_METRIC, **_PARAM, **_TAG, **_ATTRIBUTE},
        filterable=_LOGGED_MODEL_ATTRIBUTES,
        sortable=_LOGGED_MODEL_ATTRIBUTES,
        aliases={
            "creation_time": "creation_timestamp",
            "last_updated_time": "last_updated_timestamp",
        },
        tiebreak=(_attr("creation_timestamp", ascending=False), _attr("model_id")),
    ),
)

NOUNS: dict[str, Noun] = {noun.name: noun for noun in _NOUNS}

# Registered models and versions that carry this tag are prompts; searches hide them unless asked.
PROMPT_TAG = "mlflow.prompt.is_prompt"
NOUNS_WITH_PROMPTS = ("registered_models", "model_versions")
