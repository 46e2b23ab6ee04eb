"""Random things of all five nouns: as entities for the matcher, and as rows for a database."""

from __future__ import annotations

import math
import sys

from hypothesis import strategies as st

from mlflow.entities.experiment import Experiment, ExperimentTag
from mlflow.entities.logged_models import LoggedModel, LoggedModelStatus
from mlflow.entities.registry import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
)
from mlflow.entities.run import (
    Dataset,
    DatasetInput,
    InputTag,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunTag,
)
from mlflow.search.nodes import (
    AGGREGATES,
    LIKE_OPS,
    LIST_OPS,
    NULL_OPS,
    ORDER_OPS,
    RANGE_OPS,
    And,
    Compare,
    Not,
    Or,
    OrderTerm,
)
from mlflow.search.vocabulary import NOUNS, NUMBER
from mlflow.store.backends.sql import tables
from mlflow.tags import MLFLOW_DATASET_CONTEXT

INF, NAN, LARGEST = math.inf, math.nan, sys.float_info.max

# Keys of which a thing has one at most: some collations take them for the same.
ALIKE = [["a", "A", "a "], ["b.c"], ["ü", "Ü", "u"], ["x'y\"`z"]]
KEYS = [key for alike in ALIKE for key in alike]
TEXTS = [
    "", " ", "a", "A", "a ", "ab", "aB", "a_b", "a%b", "a\\b", "a*b", "a?[b]", "ü", "Ü", "u", "ß", "ſ",
    "İ", "i̇", "\u212a", "k", "損失", "🙂", "\ue000", "'", '"', "`", "--", "x" * 240, "x" * 240 + "y",
    "\n", "a\nb",
]  # fmt: skip
NULS = ["\0", "a\0b"]
NUMBERS = [0.0, -0.0, 1.0, 0.5, -3.5, 2.0, 1e308, -1e308, INF, -INF, NAN]
TIMES = [0, 1, 2, 3, 2**53 + 1]


def texts(dialect):
    """Texts that the database can hold."""
    known = TEXTS + ([] if dialect == "postgresql" else NULS)
    return st.sampled_from(known)


def mapping(values):
    """Keys with values, not two keys that are alike."""
    one = st.sampled_from(ALIKE).flatmap(st.sampled_from)
    return st.lists(st.tuples(one, values), max_size=3).map(_without_alike)


def _without_alike(pairs):
    kept = {}
    for key, value in pairs:
        at = next(place for place, alike in enumerate(ALIKE) if key in alike)
        kept.setdefault(at, (key, value))
    return dict(kept.values())


def maybe(values):
    return st.none() | values


def points():
    """A history: (value, timestamp, step), no two the same."""
    point = st.tuples(
        st.sampled_from(NUMBERS), st.sampled_from([1, 2]), st.sampled_from([-1, 0, 1])
    )
    unique = lambda one: (repr(one[0] + 0.0), one[1], one[2])
    return st.lists(point, min_size=1, max_size=3, unique_by=unique)


def latest(history):
    return max(history, key=lambda one: (one[2], one[1], not math.isnan(one[0]), one[0]))


# ── things ──


@st.composite
def runs(draw, dialect):
    """Runs of three experiments, their histories by run and key, and the rows of both."""
    count = draw(st.integers(0, 7))
    text = texts(dialect)
    found = []
    for number in range(count):
        found.append(
            {
                "id": f"{number:032x}",
                "experiment": draw(st.sampled_from([1, 2, 12])),
                "stage": draw(st.sampled_from(["active", "active", "deleted"])),
                "name": draw(maybe(text)),
                "user": draw(maybe(text)),
                "status": draw(st.sampled_from(["RUNNING", "FINISHED"])),
                "uri": draw(maybe(st.sampled_from(["/a", "/A", ""]))),
                "start": draw(maybe(st.sampled_from(TIMES))),
                "end": draw(maybe(st.sampled_from(TIMES))),
                "metrics": draw(mapping(points())),
                "params": draw(mapping(text)),
                "tags": draw(mapping(text)),
                "datasets": draw(
                    st.lists(
                        st.tuples(st.sampled_from(["d", "D", "ü"]), st.sampled_from(["1", "2"]),
                                  maybe(st.sampled_from(["train", "Train", ""]))),
                        max_size=2, unique_by=lambda one: (one[0].lower(), one[1]),
                    )
                ),
            }
        )  # fmt: skip
    return found


def run_entity(one):
    info = RunInfo(
        one["id"], str(one["experiment"]), one["user"], one["status"], one["start"], one["end"],
        one["stage"], one["uri"], one["name"],
    )  # fmt: skip
    return Run(
        info,
        RunData(
            [Metric(key, *latest(history)) for key, history in one["metrics"].items()],
            [Param(*pair) for pair in one["params"].items()],
            [RunTag(*pair) for pair in one["tags"].items()],
        ),
        RunInputs(
            [
                DatasetInput(
                    Dataset(name, digest, "local", "{}"),
                    [] if context is None else [InputTag(MLFLOW_DATASET_CONTEXT, context)],
                )
                for name, digest, context in one["datasets"]
            ]
        ),
    )


def fill_runs(connection, found):
    """Put runs in the database, as MLflow does."""
    insert = lambda table, rows: rows and connection.execute(table.insert(), rows)
    insert(
        tables.experiments,
        [
            {"experiment_id": number, "name": str(number), "lifecycle_stage": "active"}
            for number in sorted({one["experiment"] for one in found})
        ],
    )
    insert(
        tables.runs,
        [
            {
                "run_uuid": one["id"], "name": one["name"], "source_type": "UNKNOWN",
                "user_id": one["user"], "status": one["status"], "start_time": one["start"],
                "end_time": one["end"], "lifecycle_stage": one["stage"],
                "artifact_uri": one["uri"], "experiment_id": one["experiment"],
            }
            for one in found
        ],
    )  # fmt: skip
    of_run = [(one, key, history) for one in found for key, history in one["metrics"].items()]
    insert(
        tables.metrics,
        [
            {"run_uuid": one["id"], **_point(key, *point)}
            for one, key, history in of_run
            for point in history
        ],
    )
    insert(
        tables.latest_metrics,
        [{"run_uuid": one["id"], **_point(key, *latest(history))} for one, key, history in of_run],
    )
    for table, name in ((tables.params, "params"), (tables.tags, "tags")):
        insert(
            table,
            [{"run_uuid": one["id"], "key": key, "value": value}
             for one in found for key, value in one[name].items()],
        )  # fmt: skip
    _fill_datasets(insert, found)


def _point(key, value, timestamp, step):
    return {
        "key": key, "value": kept(value), "timestamp": timestamp,
        "step": step, "is_nan": math.isnan(value),
    }  # fmt: skip


def kept(value):
    """A number as databases keep it."""
    return 0.0 if math.isnan(value) else min(max(value, -LARGEST), LARGEST)


def _fill_datasets(insert, found):
    datasets = {
        (one["experiment"], name, digest) for one in found for name, digest, _ in one["datasets"]
    }
    uuid = lambda *parts: "/".join(map(str, parts))
    insert(
        tables.datasets,
        [
            {
                "dataset_uuid": uuid(*which), "experiment_id": which[0], "name": which[1],
                "digest": which[2], "dataset_source_type": "local", "dataset_source": "{}",
            }
            for which in sorted(datasets)
        ],
    )  # fmt: skip
    used = [
        (one["id"], uuid(one["experiment"], name, digest), context, f"{one['id'][-4:]}{place}")
        for one in found
        for place, (name, digest, context) in enumerate(one["datasets"])
    ]
    insert(
        tables.inputs,
        [
            {
                "input_uuid": number, "source_type": "DATASET", "source_id": dataset,
                "destination_type": "RUN", "destination_id": run_id,
            }
            for run_id, dataset, _, number in used
        ],
    )  # fmt: skip
    insert(
        tables.input_tags,
        [
            {"input_uuid": number, "name": MLFLOW_DATASET_CONTEXT, "value": context}
            for _, _, context, number in used
            if context is not None
        ],
    )


@st.composite
def experiments(draw, dialect):
    """Experiments with tags."""
    text = texts(dialect)
    names = draw(st.lists(text, max_size=6, unique_by=lambda one: one.strip().casefold()))
    numbers = draw(
        st.lists(st.integers(1, 120), min_size=len(names), max_size=len(names), unique=True)
    )
    return [
        {
            "id": number,
            "name": name,
            "stage": draw(st.sampled_from(["active", "deleted"])),
            "created": draw(maybe(st.sampled_from(TIMES))),
            "updated": draw(maybe(st.sampled_from(TIMES))),
            "tags": draw(mapping(text)),
        }
        for number, name in zip(numbers, names, strict=True)
    ]  # fmt: skip


def experiment_entity(one):
    return Experiment(
        str(one["id"]), one["name"], "/a", one["stage"],
        [ExperimentTag(*pair) for pair in one["tags"].items()], one["created"], one["updated"],
    )  # fmt: skip


def fill_experiments(connection, found):
    """Put experiments in the database."""
    for one in found:
        connection.execute(
            tables.experiments.insert().values(
                experiment_id=one["id"], name=one["name"], lifecycle_stage=one["stage"],
                creation_time=one["created"], last_update_time=one["updated"],
            )
        )  # fmt: skip
        for key, value in one["tags"].items():
            row = {"experiment_id": one["id"], "key": key, "value": value}
            connection.execute(tables.experiment_tags.insert().values(row))


@st.composite
def registered_models(draw, dialect):
    """Registered models with tags and versions."""
    text = texts(dialect)
    tags = mapping(text) | st.just({"mlflow.prompt.is_prompt": "true"})
    names = draw(st.lists(text, max_size=5, unique_by=lambda one: one.strip().casefold()))
    version = st.fixed_dictionaries(
        {
            "run": maybe(st.sampled_from(["", "r", "R"])),
            "source": maybe(text),
            "created": st.sampled_from(TIMES),
            "updated": st.sampled_from(TIMES),
            "stage": st.sampled_from(["None", "Production", "Deleted_Internal"]),
            "tags": tags,
        }
    )
    return [
        {
            "name": name,
            "created": draw(maybe(st.sampled_from(TIMES))),
            "updated": draw(maybe(st.sampled_from(TIMES))),
            "tags": draw(tags),
            "versions": draw(st.lists(version, max_size=3)),
        }
        for name in names
    ]


def registered_entity(one):
    return RegisteredModel(
        one["name"], one["created"], one["updated"],
        tags=[RegisteredModelTag(*pair) for pair in one["tags"].items()],
    )  # fmt: skip


def version_entities(one):
    return [
        ModelVersion(
            one["name"], str(number), version["created"], version["updated"],
            source=version["source"], run_id=version["run"],
            tags=[ModelVersionTag(*pair) for pair in version["tags"].items()],
        )
        for number, version in enumerate(one["versions"], 1)
        if version["stage"] != "Deleted_Internal"
    ]  # fmt: skip


def fill_registered_models(connection, found):
    """Put registered models and their versions in the database."""
    insert = lambda table, rows: rows and connection.execute(table.insert(), rows)
    for one in found:
        name = one["name"]
        insert(
            tables.registered_models,
            [{"name": name, "creation_time": one["created"], "last_updated_time": one["updated"]}],
        )
        insert(
            tables.registered_model_tags,
            [{"name": name, "key": key, "value": value} for key, value in one["tags"].items()],
        )
        for number, version in enumerate(one["versions"], 1):
            mine = {"name": name, "version": number}
            insert(
                tables.model_versions,
                [
                    {
                        **mine, "creation_time": version["created"],
                        "last_updated_time": version["updated"], "run_id": version["run"],
                        "source": version["source"], "current_stage": version["stage"],
                    }
                ],
            )  # fmt: skip
            insert(
                tables.model_version_tags,
                [{**mine, "key": key, "value": value} for key, value in version["tags"].items()],
            )


@st.composite
def logged_models(draw, dialect):
    """Logged models of two experiments with metrics on datasets."""
    text = texts(dialect)
    point = st.tuples(
        st.sampled_from(["a", "A", "b.c"]), st.sampled_from([None, ("d", "1"), ("d", "2"), ("D", "1")]),
        st.sampled_from(NUMBERS), st.sampled_from([1, 2]), st.sampled_from([0, 1]),
    )  # fmt: skip
    unique = lambda one: (one[0].lower(), one[3], one[4])
    return [
        {
            "id": f"m-{number:032x}",
            "experiment": draw(st.sampled_from([1, 2])),
            "stage": draw(st.sampled_from(["active", "active", "deleted"])),
            "name": draw(text),
            "type": draw(maybe(text)),
            "run": draw(maybe(st.sampled_from(["r", "R"]))),
            "status": draw(st.sampled_from(list(LoggedModelStatus))),
            "created": draw(st.sampled_from(TIMES)),
            "updated": draw(st.sampled_from(TIMES)),
            "params": draw(mapping(text)),
            "tags": draw(mapping(text)),
            "points": draw(st.lists(point, max_size=4, unique_by=unique)),
        }
        for number in range(draw(st.integers(0, 6)))
    ]


def run_of(one):
    return one["id"].removeprefix("m-")


def logged_entity(one):
    groups = {}
    for key, dataset, *point in one["points"]:
        groups.setdefault((key, dataset), []).append(point)
    return LoggedModel(
        str(one["experiment"]), one["id"], one["name"], "/a", one["created"], one["updated"],
        one["type"], one["run"], one["status"], None, dict(one["tags"]), dict(one["params"]),
        [
            Metric(key, *latest(history), one["id"], *(dataset or (None, None)))
            for (key, dataset), history in groups.items()
        ],
    )  # fmt: skip


def fill_logged_models(connection, found):
    """Put logged models in the database."""
    insert = lambda table, rows: rows and connection.execute(table.insert(), rows)
    insert(
        tables.experiments,
        [
            {"experiment_id": number, "name": str(number), "lifecycle_stage": "active"}
            for number in (1, 2)
        ],
    )
    # Each has the points of one model, as the run that made it has.
    rows = [
        {"run_uuid": run_of(one), "experiment_id": 1, "lifecycle_stage": "active"} for one in found
    ]
    insert(tables.runs, rows)
    insert(
        tables.logged_models,
        [
            {
                "model_id": one["id"], "experiment_id": one["experiment"], "name": one["name"],
                "artifact_location": "/a", "creation_timestamp_ms": one["created"],
                "last_updated_timestamp_ms": one["updated"], "status": one["status"].to_int(),
                "lifecycle_stage": one["stage"], "model_type": one["type"],
                "source_run_id": one["run"],
            }
            for one in found
        ],
    )  # fmt: skip
    insert(
        tables.metrics,
        [
            {"run_uuid": run_of(one), **_point(key, value, timestamp, step)}
            for one in found for key, _, value, timestamp, step in one["points"]
        ],
    )  # fmt: skip
    for one in found:
        mine = {"model_id": one["id"], "experiment_id": one["experiment"]}
        for table, kind in (
            (tables.logged_model_params, "param"),
            (tables.logged_model_tags, "tag"),
        ):
            insert(
                table,
                [
                    {**mine, f"{kind}_key": key, f"{kind}_value": value}
                    for key, value in one[f"{kind}s"].items()
                ],
            )
        insert(
            tables.logged_model_metrics,
            [
                {
                    **mine, "metric_name": key, "metric_timestamp_ms": timestamp,
                    "metric_step": step, "run_id": run_of(one),
                    "metric_value": kept(value),
                    "dataset_name": dataset and dataset[0], "dataset_digest": dataset and dataset[1],
                }
                for key, dataset, value, timestamp, step in one["points"]
            ],
        )  # fmt: skip


# ── searches ──

# What people may ask for, whether or not a database can hold it.
WANTED = st.sampled_from([*TEXTS, *NULS, "\ud800", "a\ud800"])
PATTERNS = st.lists(
    st.sampled_from(["%", "_", "a", "A", "b", "ü", "Ü", "x", "\\", "*", "?", "[", "\0", "\ud800", " ", "k"]),
    max_size=4,
).map("".join) | st.sampled_from(["%" * 100, "x%" * 70, "%x" * 150, "_" * 300, "x" * 5000])  # fmt: skip
REALS = st.sampled_from([one for one in NUMBERS if not math.isnan(one)] + [0.1, LARGEST, -LARGEST])
WHOLES = st.sampled_from(
    [0, 1, 2, -1, 2**53, 2**53 + 1, 2**70, -(2**70), 1.5, 0.0, INF, -INF, 1e300]
)


def keys_of(noun):
    """Pairs of kind and key."""
    vocabulary = NOUNS[noun]
    known = [("attribute", key) for key in vocabulary.filterable]
    kinds = [kind for kind in vocabulary.kinds if kind not in ("attribute", "dataset")]
    known += [(kind, key) for kind in kinds for key in (*KEYS, "nope", "\ud800", "\0")]
    if noun == "runs":
        known += [("dataset", key) for key in ("name", "digest", "context")]
    return st.sampled_from(known)


@st.composite
def comparisons(draw, noun, scope=None):
    """One condition."""
    kind, key = draw(keys_of(noun))
    aggregate = None
    if noun == "runs" and kind == "metric":
        aggregate = draw(st.none() | st.sampled_from(AGGREGATES))
    scope = scope if kind == "metric" else None
    if NOUNS[noun].type_of(kind, key) == NUMBER:
        numbers = REALS if kind == "metric" else WHOLES
        op = draw(st.sampled_from(["=", "!=", *ORDER_OPS, *LIST_OPS, *RANGE_OPS, *NULL_OPS]))
        lists = st.lists(numbers, min_size=1, max_size=3).map(tuple)
        pairs = st.tuples(numbers, numbers)
    else:
        numbers, pairs = WANTED, st.nothing()
        if key == "experiment_id":
            numbers |= st.sampled_from(["0", "1", "12", "012", "-1", "9" * 30, "1%"])
        if key == "status":
            numbers |= st.sampled_from(["READY", "FINISHED", "READ%"])
        op = draw(st.sampled_from(["=", "!=", *LIKE_OPS, *LIST_OPS, *NULL_OPS]))
        lists = st.lists(numbers, min_size=1, max_size=3).map(tuple)
        if op in LIKE_OPS:
            numbers = PATTERNS | numbers
    values = (
        st.none()
        if op in NULL_OPS
        else lists
        if op in LIST_OPS
        else pairs
        if op in RANGE_OPS
        else numbers
    )
    return Compare(kind, key, op, draw(values), aggregate=aggregate, scope=scope)


def filters(noun, scope=None):
    """Filters of a few conditions."""
    leaf = comparisons(noun, scope)
    joined = lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: And(tuple(terms)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda terms: Or(tuple(terms)))
        | inner.map(Not)
    )
    return st.none() | leaf | st.recursive(leaf, joined, max_leaves=5)


@st.composite
def orders(draw, noun):
    """Orders that are total."""
    vocabulary = NOUNS[noun]
    attributes = [("attribute", key) for key in vocabulary.sortable]
    kinds = [kind for kind in vocabulary.kinds if kind not in ("attribute", "dataset")]
    keyed = [(kind, key) for kind in kinds for key in (*KEYS, "nope")]
    terms = []
    for kind, key in draw(
        st.lists(st.sampled_from(attributes) | st.sampled_from(keyed), max_size=2)
    ):
        aggregate = scope = None
        if noun == "runs" and kind == "metric":
            aggregate = draw(st.none() | st.sampled_from(AGGREGATES))
        if noun == "logged_models" and kind == "metric":
            scope = draw(st.none() | st.sampled_from([(("d", None),), (("d", "2"),)]))
        terms.append(OrderTerm(kind, key, draw(st.booleans()), aggregate=aggregate, scope=scope))
    terms = list({term.target: term for term in terms}.values())
    seen = {term.target for term in terms}
    rest = vocabulary.tiebreak if terms else (*vocabulary.default, *vocabulary.tiebreak)
    return (*terms, *(term for term in rest if term.target not in seen))
