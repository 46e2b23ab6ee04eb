"""The file store does what the memory store, the specification, does: any calls, in any order."""

from __future__ import annotations

import math
import os
import shutil
import tempfile

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from mlflow.entities import (
    Dataset,
    DatasetInput,
    ExperimentTag,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelParameter,
    LoggedModelTag,
    Metric,
    Param,
    RunTag,
    ViewType,
)
from mlflow.entities.registry import ModelVersionTag, RegisteredModelTag
from mlflow.exceptions import MlflowException
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore

NAMES = st.sampled_from(["a", "b", "a b", "ü", "x.y"])
KEYS = st.sampled_from(["k", "k2", "n/k", "n/k3", "a.b c-d_e", "ü", "../x", ""])
TEXTS = st.sampled_from(["", "x", "two\nlines", "a\r\nb", " ü\u2028 ", "y" * 300]) | st.text(
    st.characters(codec="utf-8"), max_size=8
)
BLANKS = st.sampled_from(["w", "a b", "\u2420 \u241b", "\ta\n\x85\xa0\u2028"])
FLOATS = st.floats()
STEPS = st.integers(-3, 5) | st.sampled_from([2**63 - 1, -(2**63)])
TIMES = st.integers(0, 5) | st.just(1_700_000_000_000)
POINTS = st.tuples(FLOATS, TIMES, STEPS)
VERSIONS = st.sampled_from(["1", "2", "3", "9", "x"])
STAGES = st.sampled_from(["None", "staging", "Production", "Archived", "zz"])


class Stores(RuleBasedStateMachine):
    """Every call goes to both stores; what they answer, with ids renamed, is the same."""

    experiments = Bundle("experiments")
    runs = Bundle("runs")
    logged = Bundle("logged")

    @initialize(target=experiments)
    def open(self):
        self.folder = tempfile.mkdtemp()
        self.root = self.folder + "/mlruns"
        self.files = LocalStore(FileBackend(self.root))
        self.memory = LocalStore(MemoryBackend("file://" + self.root))
        self.count = 0
        # The id of a thing in either store, and how both are called here.
        self.called = {"0": "experiment 0"}
        return ("0", "0")

    def teardown(self):
        if hasattr(self, "files"):
            self.files.close()
            shutil.rmtree(self.folder)

    # --- how both are asked -------------------------------------------------------------------

    def named(self, pair, kind):
        self.count += 1
        for one in pair:
            self.called[one] = f"{kind} {self.count}"
        return pair

    def plain(self, value):
        """What both should agree on: no ids, no times."""
        if isinstance(value, float):
            return "nan" if math.isnan(value) else (value, math.copysign(1, value))
        if isinstance(value, str):
            for one, name in self.called.items():
                if len(one) > 1:
                    value = value.replace(one, name)
            return value
        if isinstance(value, (list, tuple)):
            return [self.plain(one) for one in value]
        if isinstance(value, dict):
            return sorted((self.plain(key), self.plain(one)) for key, one in value.items())
        if hasattr(value, "_fields"):
            skipped = {
                "artifact_uri", "creation_time", "last_update_time", "creation_timestamp", "artifact_location",
                "last_updated_timestamp", "run_id", "experiment_id", "model_id", "source_run_id",
            }  # fmt: skip
            fields = {key: self.plain(one) for key, one in value if key not in skipped}
            for key in ("dataset_inputs", "model_inputs", "model_outputs", "aliases", "metrics"):
                if isinstance(fields.get(key), list):
                    fields[key] = sorted(fields[key], key=repr)
            if hasattr(value, "_metric_objs"):
                fields["points"] = sorted(self.plain(value._metric_objs), key=repr)
            return (type(value).__name__, fields)
        return value

    def outcome(self, store, call):
        try:
            return ("returned", call(store))
        except MlflowException as error:
            return ("refused", (error.error_code, error.message))

    def both(self, call, pairs=()):
        """Make a call on both stores; ids in `pairs` are chosen for each."""
        answers = [
            self.outcome(store, lambda one, side=side: call(one, *[pair[side] for pair in pairs]))
            for side, store in enumerate((self.files, self.memory))
        ]
        assert self.plain(answers[1]) == self.plain(answers[0])
        return answers[0][0] == "returned", (answers[0][1], answers[1][1])

    # --- experiments and runs ---------------------------------------------------------------------

    @rule(target=experiments, name=NAMES)
    def create_experiment(self, name):
        pair = [self.outcome(one, lambda s: s.create_experiment(name)) for one in self.stores]
        assert pair[0][0] == pair[1][0]
        if pair[0][0] == "refused":
            return ("0", "0")
        return self.named((pair[0][1], pair[1][1] + "!"), "experiment") and (
            pair[0][1], pair[1][1],
        )  # fmt: skip

    @property
    def stores(self):
        return (self.files, self.memory)

    @rule(one=experiments, name=NAMES)
    def rename_experiment(self, one, name):
        ours = [self.outcome(s, lambda s, i=i: s.rename_experiment(one[i], name))
                for i, s in enumerate(self.stores)]  # fmt: skip
        assert ours[0][0] == ours[1][0]
        if ours[0][0] == "refused":
            assert ours[0][1][0] == ours[1][1][0]

    @rule(one=experiments)
    def delete_experiment(self, one):
        self.codes(lambda s, i: s.delete_experiment(i), one)

    @rule(one=experiments)
    def restore_experiment(self, one):
        self.codes(lambda s, i: s.restore_experiment(i), one)

    @rule(one=experiments, key=KEYS, value=TEXTS)
    def tag_experiment(self, one, key, value):
        self.codes(lambda s, i: s.set_experiment_tag(i, ExperimentTag(key, value)), one)

    @rule(one=experiments, key=KEYS)
    def untag_experiment(self, one, key):
        self.codes(lambda s, i: s.delete_experiment_tag(i, key), one)

    def codes(self, call, pair):
        """As `both`, for experiments, whose ids are short numbers that text may hold by chance."""
        answers = [self.outcome(s, lambda s, i=i: call(s, pair[i]))
                   for i, s in enumerate(self.stores)]  # fmt: skip
        assert answers[0][0] == answers[1][0]
        if answers[0][0] == "refused":
            assert answers[0][1][0] == answers[1][1][0]
        return answers

    @rule(target=runs, one=experiments, name=NAMES, start=TIMES, key=KEYS, value=TEXTS)
    def create_run(self, one, name, start, key, value):
        tags = [RunTag(key, value)] if key not in ("", "../x") else []
        answers = self.codes(lambda s, i: s.create_run(i, "u", start, tags, name), one)
        if answers[0][0] == "refused":
            return ("0" * 32, "0" * 32)
        return self.named(tuple(answer[1].info.run_id for answer in answers), "run")

    @rule(run=runs)
    def delete_run(self, run):
        self.both(lambda s, i: s.delete_run(i), [run])

    @rule(run=runs)
    def restore_run(self, run):
        self.both(lambda s, i: s.restore_run(i), [run])

    @rule(run=runs, status=st.sampled_from([None, 1, 3, 4, 5, 9]), end=st.none() | TIMES,
          name=st.none() | NAMES)  # fmt: skip
    def update_run(self, run, status, end, name):
        self.both(lambda s, i: s.update_run_info(i, status, end, name), [run])

    @rule(run=runs, key=KEYS, point=POINTS)
    def log_metric(self, run, key, point):
        self.both(lambda s, i: s.log_metric(i, Metric(key, *point)), [run])

    @rule(run=runs, key=KEYS, point=POINTS)
    def log_metric_value(self, run, key, point):
        self.both(lambda s, i: s.log_metric_value(i, key, *point), [run])

    @rule(run=runs, model=logged, key=KEYS, point=POINTS, data=st.none() | BLANKS)
    def log_metric_of_model(self, run, model, key, point, data):
        digest = data and data[::-1]
        self.both(lambda s, i, m: s.log_metric(i, Metric(key, *point, m, data, digest)),
                  [run, model])  # fmt: skip

    @rule(run=runs, key=KEYS, value=TEXTS)
    def log_param(self, run, key, value):
        self.both(lambda s, i: s.log_param(i, Param(key, value)), [run])

    @rule(run=runs, key=KEYS | st.just("mlflow.runName"), value=TEXTS)
    def set_tag(self, run, key, value):
        self.both(lambda s, i: s.set_tag(i, RunTag(key, value)), [run])

    @rule(run=runs, key=KEYS)
    def delete_tag(self, run, key):
        self.both(lambda s, i: s.delete_tag(i, key), [run])

    @rule(
        run=runs,
        points=st.lists(
            st.tuples(KEYS.filter(lambda k: k not in ("", "../x")), POINTS), max_size=6
        ),
        params=st.lists(st.tuples(KEYS, TEXTS), max_size=3),
        tags=st.lists(st.tuples(KEYS, TEXTS), max_size=3),
    )
    def log_batch(self, run, points, params, tags):
        metrics = [Metric(key, *point) for key, point in points]
        self.both(
            lambda s, i: s.log_batch(
                i, metrics, [Param(*one) for one in params], [RunTag(*one) for one in tags]
            ),
            [run],
        )

    @rule(run=runs, name=NAMES, digest=st.sampled_from(["1", "2"]), tag=TEXTS)
    def log_input(self, run, name, digest, tag):
        used = DatasetInput(Dataset(name, digest, "t", "{}", None, tag), [InputTag("c", tag)])
        self.both(lambda s, i: s.log_inputs(i, [used]), [run])

    @rule(run=runs, model=logged, step=st.integers(0, 3))
    def link_models(self, run, model, step):
        self.both(lambda s, i, m: s.log_inputs(i, None, [LoggedModelInput(m)]), [run, model])
        self.both(lambda s, i, m: s.log_outputs(i, [LoggedModelOutput(m, step)]), [run, model])

    @rule(run=runs, key=KEYS, size=st.none() | st.integers(1, 3))
    def read_history(self, run, key, size):
        def read(store, run_id):
            page = store.get_metric_history(run_id, key, size)
            rows = list(page)
            while page.token:
                page = store.get_metric_history(run_id, key, size, page.token)
                rows += page
            return rows

        self.both(read, [run])

    # --- models -----------------------------------------------------------------------------------

    @rule(target=logged, one=experiments, run=runs, name=NAMES, key=KEYS, value=TEXTS)
    def create_logged_model(self, one, run, name, key, value):
        tags, params = [LoggedModelTag(key, value)], [LoggedModelParameter(key, value)]
        answers = []
        for side, store in enumerate(self.stores):
            arguments = (one[side], name, run[side], tags, params, "kind")
            answers.append(self.outcome(store, lambda s, a=arguments: s.create_logged_model(*a)))
        assert answers[0][0] == answers[1][0]
        if answers[0][0] == "refused":
            assert answers[0][1][0] == answers[1][1][0]
            return ("m-" + "0" * 32,) * 2
        pair = tuple(answer[1].model_id for answer in answers)
        self.named(pair, "model")
        return pair

    @rule(model=logged, key=KEYS, value=TEXTS)
    def tag_logged_model(self, model, key, value):
        self.both(lambda s, m: s.set_logged_model_tags(m, [LoggedModelTag(key, value)]), [model])

    @rule(model=logged, key=KEYS)
    def untag_logged_model(self, model, key):
        self.both(lambda s, m: s.delete_logged_model_tag(m, key), [model])

    @rule(model=logged, status=st.sampled_from(["READY", "FAILED", "PENDING"]))
    def finalize(self, model, status):
        self.both(lambda s, m: s.finalize_logged_model(m, status).status, [model])

    @rule(model=logged)
    def delete_logged_model(self, model):
        self.both(lambda s, m: s.delete_logged_model(m), [model])

    @rule(model=logged)
    def read_logged_model(self, model):
        self.both(lambda s, m: s.get_logged_model(m, allow_deleted=True), [model])

    @rule(name=NAMES, key=KEYS, value=TEXTS)
    def create_registered_model(self, name, key, value):
        tags = [RegisteredModelTag(key, value)]
        self.both(lambda s: s.create_registered_model(name, tags, value))

    @rule(name=NAMES)
    def delete_registered_model(self, name):
        self.both(lambda s: s.delete_registered_model(name))

    @rule(name=NAMES, new=NAMES)
    def rename_registered_model(self, name, new):
        self.both(lambda s: s.rename_registered_model(name, new))

    @rule(name=NAMES, source=TEXTS.filter(lambda t: not t.startswith("models:")), key=KEYS)
    def create_version(self, name, source, key):
        tags = [ModelVersionTag(key, source)]
        self.both(lambda s: s.create_model_version(name, source, None, tags, None, source))

    @rule(name=NAMES, version=VERSIONS, stage=STAGES, archive=st.booleans())
    def move_version(self, name, version, stage, archive):
        self.both(lambda s: s.transition_model_version_stage(name, version, stage, archive))

    @rule(name=NAMES, version=VERSIONS)
    def delete_version(self, name, version):
        self.both(lambda s: s.delete_model_version(name, version))

    @rule(name=NAMES, version=VERSIONS, alias=st.sampled_from(["x", "y", "latest"]))
    def set_alias(self, name, version, alias):
        self.both(lambda s: s.set_registered_model_alias(name, alias, version))
        self.both(lambda s: s.get_model_version_by_alias(name, alias))

    @rule(name=NAMES, alias=st.sampled_from(["x", "y", "latest"]))
    def delete_alias(self, name, alias):
        self.both(lambda s: s.delete_registered_model_alias(name, alias))

    @rule(name=NAMES, version=VERSIONS, key=KEYS, value=TEXTS, remove=st.booleans())
    def tag_registry(self, name, version, key, value, remove):
        if remove:
            self.both(lambda s: s.delete_registered_model_tag(name, key))
            self.both(lambda s: s.delete_model_version_tag(name, version, key))
            return
        self.both(lambda s: s.set_registered_model_tag(name, RegisteredModelTag(key, value)))
        self.both(lambda s: s.set_model_version_tag(name, version, ModelVersionTag(key, value)))

    # --- what is always so ------------------------------------------------------------------------

    @rule()
    def start_over(self):
        """Another process opens the folder."""
        self.files.close()
        self.files = LocalStore(FileBackend(self.root))

    @rule(run=runs)
    def read_run(self, run):
        self.both(lambda s, i: s.get_run(i), [run])

    @rule(
        text=st.sampled_from(
            ["", "metrics.k > 0", "params.k = 'x'", "tags.k != 'x'", "attributes.run_name = 'a'",
             "attributes.status = 'RUNNING'", "metrics.`n/k` <= 1 OR params.k2 LIKE 'y%'",
             "datasets.name = 'a'", "NOT metrics.k > 0"]
        ),
        order=st.sampled_from([[], ["metrics.k DESC"], ["params.k ASC"], ["attributes.run_name"]]),
        view=st.sampled_from([1, 2, 3]),
        all_experiments=st.booleans(),
    )  # fmt: skip
    def search_runs(self, text, order, view, all_experiments):
        # Run ids break ties, and they differ: rows are compared as a set, and without ids.
        ids = [[one.experiment_id for one in s.search_experiments(ViewType.ALL)]
               for s in self.stores]  # fmt: skip
        if not all_experiments:
            ids = [["0"], ["0"]]
        answers = [
            s.search_runs(ids[side], text, view, order_by=order)
            for side, s in enumerate(self.stores)
        ]
        plain = [sorted(map(repr, self.plain(list(answer)))) for answer in answers]
        assert plain[1] == plain[0]

    @invariant()
    def same_experiments(self):
        if not hasattr(self, "files"):
            return
        plain = [
            sorted(repr((one.name, one.lifecycle_stage, sorted(one.tags.items())))
                   for one in s.search_experiments(ViewType.ALL))
            for s in self.stores
        ]  # fmt: skip
        assert plain[1] == plain[0]

    @invariant()
    def same_registry(self):
        if hasattr(self, "files"):
            self.both(lambda s: list(s.search_registered_models()))
            self.both(lambda s: list(s.search_model_versions()))


TestStores = Stores.TestCase
TestStores.settings = settings(
    max_examples=200 if os.environ.get("MILLSTREAM_FULL") in ("1", "all") else 12,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
