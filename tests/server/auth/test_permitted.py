"""Who may call what: every operation, every level, every store; and what searches return."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mlflow.api.op import CREATE, EDIT, MANAGE, READ, STORE
from mlflow.api.table import OPERATIONS
from mlflow.entities import (
    ExperimentTag,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelParameter,
    LoggedModelTag,
    Metric,
    Param,
    RunTag,
)
from mlflow.entities.registry import ModelVersionTag, RegisteredModelTag
from mlflow.exceptions import MlflowException
from mlflow.server.auth.caller import ASKING, Asking, Caller
from mlflow.server.auth.permissions import PERMISSION_PRIORITY
from mlflow.server.auth.permitted import OPEN, RULES
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.base import AbstractStore
from mlflow.store.local import LocalStore
from tests.conftest import FULL

GONE, DENIED, NOBODY = "RESOURCE_DOES_NOT_EXIST", "PERMISSION_DENIED", "UNAUTHENTICATED"
LEVELS = ("DENY", "READ", "USE", "EDIT", "MANAGE")
NEEDED = {READ: "READ", EDIT: "EDIT", MANAGE: "MANAGE", CREATE: "EDIT"}
ELSEWHERE = pytest.mark.skipif(not FULL, reason="on servers of databases with MILLSTREAM_FULL=1")
STORES = [
    "file",
    "sqlite",
    pytest.param("postgresql", marks=ELSEWHERE),
    pytest.param("mysql", marks=ELSEWHERE),
]


class Place:
    """A store with one of everything, and calls in somebody's name."""

    def __init__(self, users, store):
        self.users = users
        self.raw = store
        self.store, _ = users.protect(store, store)
        self.count = 0
        self.fill()

    def fill(self):
        """Make one of everything, new."""
        self.count += 1
        number = self.count
        self.name = f"e{number}"
        self.experiment = self.raw.create_experiment(self.name)
        self.raw.set_experiment_tag(self.experiment, ExperimentTag("k", "v"))
        self.run = self.raw.create_run(self.experiment, None, None, [RunTag("k", "v")], None)
        self.run = self.run.info.run_id
        self.logged = self.raw.create_logged_model(self.experiment, "l").model_id
        self.raw.set_logged_model_tags(self.logged, [LoggedModelTag("k", "v")])
        self.model = f"m{number}"
        self.raw.create_registered_model(self.model, [RegisteredModelTag("k", "v")])
        tags = [ModelVersionTag("k", "v")]
        self.raw.create_model_version(self.model, "runs:/x/y", None, tags)
        self.raw.set_registered_model_alias(self.model, "a", "1")

    def caller(self, level, scope="manage", default="NO_PERMISSIONS"):
        grants = {
            ("experiment", self.experiment): [level],
            ("registered_model", self.model): [level],
        }
        return Caller(99, "ann", False, grants, default, scope)

    def call(self, caller, name, arguments):
        """Return what a call gives, or the code it is refused with."""
        self.users.accounts.caller = lambda user_id, scope: (caller, "")
        before = ASKING.set(None if caller is None else Asking(caller, "10.0.0.1"))
        try:
            return getattr(self.store, name)(**arguments)
        except MlflowException as error:
            return error.error_code
        finally:
            ASKING.reset(before)

    def arguments(self):
        """Return arguments of every operation that succeed."""
        run, model, logged = self.run, self.model, self.logged
        key, version = {"key": "k"}, {"name": model, "version": "1"}
        return {
            "create_experiment": {"name": f"new{self.count}"},
            "get_experiment": {"experiment_id": self.experiment},
            "get_experiment_by_name": {"experiment_name": self.name},
            "search_experiments": {},
            "rename_experiment": {"experiment_id": self.experiment, "new_name": f"r{self.count}"},
            "delete_experiment": {"experiment_id": self.experiment},
            "restore_experiment": {"experiment_id": self.experiment},
            "set_experiment_tag": {"experiment_id": self.experiment, "tag": ExperimentTag("t", "1")},
            "delete_experiment_tag": {"experiment_id": self.experiment, **key},
            "create_run": {
                "experiment_id": self.experiment, "user_id": None, "start_time": None,
                "tags": [], "run_name": None,
            },
            "get_run": {"run_id": run},
            "update_run_info": {
                "run_id": run, "run_status": "FINISHED", "end_time": 1, "run_name": None,
            },
            "delete_run": {"run_id": run},
            "restore_run": {"run_id": run},
            "log_metric": {"run_id": run, "metric": Metric("m", 1, 1, 0, model_id=logged)},
            "log_param": {"run_id": run, "param": Param("p", "1")},
            "set_tag": {"run_id": run, "tag": RunTag("t", "1")},
            "delete_tag": {"run_id": run, **key},
            "log_batch": {"run_id": run, "metrics": [], "params": [], "tags": []},
            "get_metric_history": {"run_id": run, "metric_key": "m"},
            "search_runs": {
                "experiment_ids": [self.experiment], "filter_string": "", "run_view_type": 1,
            },
            "log_inputs": {"run_id": run, "models": [LoggedModelInput(logged)]},
            "log_outputs": {"run_id": run, "models": [LoggedModelOutput(logged, 0)]},
            "record_logged_model": {
                "run_id": run,  "mlflow_model": SimpleNamespace(get_tags_dict=dict),
            },
            "create_logged_model": {
                "experiment_id": self.experiment, "name": "n", "source_run_id": run,
            },
            "get_logged_model": {"model_id": logged},
            "finalize_logged_model": {"model_id": logged, "status": "READY"},
            "delete_logged_model": {"model_id": logged},
            "set_logged_model_tags": {"model_id": logged, "tags": []},
            "delete_logged_model_tag": {"model_id": logged, **key},
            "log_logged_model_params": {
                "model_id": logged, "params": [LoggedModelParameter("p", "1")],
            },
            "search_logged_models": {"experiment_ids": [self.experiment]},
            "create_registered_model": {"name": f"new{self.count}"},
            "get_registered_model": {"name": model},
            "update_registered_model": {"name": model, "description": "d"},
            "rename_registered_model": {"name": model, "new_name": f"renamed{self.count}"},
            "delete_registered_model": {"name": model},
            "search_registered_models": {},
            "get_latest_versions": {"name": model},
            "set_registered_model_tag": {"name": model, "tag": RegisteredModelTag("t", "1")},
            "delete_registered_model_tag": {"name": model, **key},
            "set_registered_model_alias": {"name": model, "alias": "b", "version": "1"},
            "delete_registered_model_alias": {"name": model, "alias": "a"},
            "get_model_version_by_alias": {"name": model, "alias": "a"},
            "create_model_version": {"name": model, "source": "runs:/x/y", "run_id": run},
            "get_model_version": version,
            "get_model_version_download_uri": version,
            "update_model_version": {**version, "description": "d"},
            "transition_model_version_stage": {
                **version, "stage": "Staging", "archive_existing_versions": False,
            },
            "delete_model_version": version,
            "search_model_versions": {},
            "set_model_version_tag": {**version, "tag": ModelVersionTag("t", "1")},
            "delete_model_version_tag": {**version, **key},
        }  # fmt: skip


@pytest.fixture(params=STORES)
def place(request, users, tmp_path):
    if request.param == "file":
        store = LocalStore(FileBackend(str(tmp_path / "mlruns")))
    elif request.param == "sqlite":
        store = LocalStore(SqlBackend(f"sqlite:///{tmp_path}/store.db"))
    else:
        store = LocalStore(SqlBackend(request.getfixturevalue("servers")[request.param].empty()))
    yield Place(users, store)
    store.close()


@pytest.fixture
def one(users, tmp_path):
    store = LocalStore(SqlBackend(f"sqlite:///{tmp_path}/store.db"))
    yield Place(users, store)
    store.close()


def test_every_operation_at_every_level(place):
    """The level decides, nothing else; what may not be read is answered like what is not there."""
    for op in OPERATIONS:
        is_new = False
        for level in LEVELS:
            if not is_new:
                place.fill()
                is_new = True
                if op.name.startswith("restore"):
                    noun = op.name.partition("_")[2]
                    key = {"run": place.run, "experiment": place.experiment}[noun]
                    getattr(place.raw, f"delete_{noun}")(key)
            found = place.call(place.caller(level), op.name, place.arguments()[op.name])
            permission = op.permission
            has = PERMISSION_PRIORITY[level]
            # What was refused changed nothing; what was done could not be done again.
            is_new = not op.writes or found in (GONE, DENIED)
            said = (op.name, level, found)
            if permission.kind == STORE or permission.argument == "experiment_ids":
                assert found not in (GONE, DENIED), said
                if permission.action == READ:
                    assert bool(found) is (has >= PERMISSION_PRIORITY["READ"]), said
            elif has >= PERMISSION_PRIORITY[NEEDED[permission.action]]:
                assert not isinstance(found, str) or found not in (GONE, DENIED), said
            elif has >= PERMISSION_PRIORITY["READ"]:
                assert DENIED == found, said
            elif permission.argument == "experiment_name":
                assert found is None, said
            else:
                assert GONE == found, said


def test_what_may_not_be_read_does_not_exist(place):
    """The very same answer, but for the name: nobody can tell one from the other."""
    caller = place.caller("DENY")
    absent = {
        "run_id": "0" * 32, "experiment_id": "987654", "model_id": "m-" + "0" * 32, "name": "absent",
    }  # fmt: skip
    place.users.accounts.caller = lambda user_id, scope: (caller, "")
    for op in OPERATIONS:
        argument = op.permission.argument
        if argument not in absent:
            continue
        texts = []
        arguments = place.arguments()[op.name]
        for key in (arguments[argument], absent[argument]):
            before = ASKING.set(Asking(caller, ""))
            with pytest.raises(MlflowException) as refused:
                getattr(place.store, op.name)(**{**arguments, argument: key})
            ASKING.reset(before)
            texts.append((refused.value.error_code, refused.value.message.replace(key, "X")))
        assert texts[0] == texts[1], op.name


def test_a_token_for_less_allows_less(one):
    """Whatever its owner may, administrators included."""
    owner = Caller(1, "root", True, {}, "READ", "read")
    for op in OPERATIONS:
        found = one.call(owner, op.name, one.arguments()[op.name])
        assert (found == DENIED) is op.writes, (op.name, found)


def test_nobody_may_anything(one):
    """A call without a caller is refused, whichever way it came."""
    for name in RULES:
        arguments = one.arguments().get(name, {})
        assert NOBODY == one.call(None, name, arguments), name


def test_what_has_no_rule_cannot_be_called(one):
    """Each public method of a store is an operation, or has a rule, or is refused."""
    refused = set()
    for name in dir(AbstractStore):
        if name.startswith("_") or name in OPEN:
            continue
        if name not in RULES:
            refused.add(name)
            with pytest.raises(AttributeError):
                getattr(one.store, name)
    # What comes to the contract later is refused until somebody says who may.
    assert {"copy_model_version", "impatient", "log_metric_value"} <= refused
    assert {op.name for op in OPERATIONS} <= set(RULES)


def test_maintenance_is_for_administrators(one):
    caller = one.caller("MANAGE")
    for name in RULES:
        if name.startswith(("purge_", "list_deleted_")):
            assert DENIED == one.call(caller, name, {}), name


def test_what_a_call_names_beside_is_asked_too(one):
    """A run or a logged model of others, in a call on something of one's own."""
    theirs_run, theirs_model = one.run, one.logged
    one.fill()
    caller = one.caller("MANAGE")
    mine = one.arguments()
    metric = Metric("m", 1, 1, 0, model_id=theirs_model)
    for name, arguments in (
        ("create_model_version", {"name": one.model, "source": "runs:/x/y", "run_id": theirs_run}),
        (
            "create_model_version",
            {"name": one.model, "source": "runs:/x/y", "model_id": theirs_model},
        ),
        ("create_logged_model", {**mine["create_logged_model"], "source_run_id": theirs_run}),
        ("log_metric", {"run_id": one.run, "metric": metric}),
        ("log_batch", {**mine["log_batch"], "metrics": [metric]}),
        ("log_inputs", {"run_id": one.run, "models": [LoggedModelInput(theirs_model)]}),
        ("log_outputs", {"run_id": one.run, "models": [LoggedModelOutput(theirs_model, 0)]}),
    ):
        assert GONE == one.call(caller, name, arguments), name


@pytest.mark.parametrize("spelling", ["0{}", "+{}", " {}", "{} ", "{}.0", "{}_", "1_{}"])
def test_another_spelling_is_no_way_around(one, spelling):
    """Somebody who sees everything but one experiment does not see it by another name."""
    caller = one.caller("DENY", default="MANAGE")
    spelled = spelling.format(one.experiment)
    assert GONE == one.call(caller, "get_experiment", {"experiment_id": one.experiment})
    for name in ("get_experiment", "delete_experiment"):
        assert isinstance(one.call(caller, name, {"experiment_id": spelled}), str)
    found = one.call(caller, "search_runs", {**one.arguments()["search_runs"],
                                             "experiment_ids": [spelled]})  # fmt: skip
    assert isinstance(found, str) or not found
    assert "active" == one.raw.get_experiment(one.experiment).lifecycle_stage


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, None])
def test_pages_are_full_of_what_may_be_seen(place, size):
    """Hidden ones cost no place on a page, the last page says that it is, and no token names one."""
    grants = {}
    for number in range(25):
        made = place.raw.create_experiment(f"x{number:02}")
        place.raw.create_registered_model(f"x{number:02}")
        if number % 6 == 3:
            grants["experiment", made] = grants["registered_model", f"x{number:02}"] = ["READ"]
    caller = Caller(99, "ann", False, grants, "NO_PERMISSIONS")
    for name in ("search_experiments", "search_registered_models"):
        seen, token, pages = [], None, 0
        while True:
            asked = {"filter_string": "name LIKE 'x%'", "order_by": ["name"], "page_token": token}
            if size is not None:
                asked["max_results"] = size
            page = place.call(caller, name, asked)
            seen += [one.name for one in page]
            pages += 1
            token = page.token
            if not token:
                break
            assert size == len(page)
        assert ["x03", "x09", "x15", "x21"] == seen
        assert -(-4 // (size or 100)) == pages


def test_what_cannot_be_asked_is_refused_as_ever(one):
    caller = one.caller("READ")
    for wanted in (0, -1, 10**9):
        asked = {"max_results": wanted}
        assert "INVALID_PARAMETER_VALUE" == one.call(caller, "search_experiments", asked)


def test_who_makes_something_manages_it(users, one):
    """And nobody inherits what was granted on an older thing of the same name."""
    users.accounts.create("ann", "a long enough one")
    users.roles.grant("ann", "registered_model", "again", "MANAGE")
    bob = users.accounts.create("bob", "a long enough one")
    before = ASKING.set(Asking(users.accounts.caller(bob.id)[0], ""))
    try:
        one.store.create_registered_model("again")
        experiment = one.store.create_experiment("bobs")
        granted = {
            (given.resource_type, given.resource_pattern, given.permission)
            for role in users.roles.of_user(bob.id)
            for given in role.permissions
        }
        assert {
            ("registered_model", "again", "MANAGE"),
            ("experiment", experiment, "MANAGE"),
        } == granted
        with pytest.raises(MlflowException):
            users.roles.granted("ann", "registered_model", "again")
    finally:
        ASKING.reset(before)
