"""A tracking server that may be away: what is logged meanwhile is kept here, and follows.

While the server answers, this is the store behind it. When it does not, runs go on in a journal on
this machine (a store of files), and a thread looks for the server. What it brings is compared with
what is there, so a call whose answer was lost is not made twice.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from importlib import import_module

from mlflow.api.table import OPERATIONS
from mlflow.exceptions import TEMPORARILY_UNAVAILABLE, ErrorCode, MlflowException, without_password
from mlflow.store.base import AbstractStore
from mlflow.store.journal import Journal, adopt, tell
from mlflow.store.local.names import new_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.logged_models import LoggedModel, LoggedModelParameter, LoggedModelTag
    from mlflow.entities.paged_list import PagedList
    from mlflow.entities.run import Run, RunInfo, RunTag
    from mlflow.store.migrate import Report

_logger = logging.getLogger(__name__)

_AWAY = ErrorCode.Name(TEMPORARILY_UNAVAILABLE)
# Seconds between looks for the server: the first, the longest; and how long the end of a process
# waits for it.
_FIRST, _LONGEST, _AT_EXIT = 0.5, 30.0, 30.0
# Sent again once, as a connection may have grown old; an outage is noticed at once.
_RETRIES = 1

#: Operations on a run that go on in the journal.
OF_RUNS = (
    "get_run", "update_run_info", "log_metric", "log_param", "set_tag", "log_batch", "log_inputs",
    "log_outputs", "record_logged_model", "get_metric_history",
)  # fmt: skip
#: Operations on a logged model that was begun in the journal.
OF_MODELS = (
    "get_logged_model", "finalize_logged_model", "set_logged_model_tags", "log_logged_model_params",
)  # fmt: skip


class FailoverStore(AbstractStore):
    """A tracking server with a journal beside it.

    Args:
        uri: the address of the server.
    """

    brings_journals = True

    def __init__(self, uri: str) -> None:
        rest = import_module("mlflow.store.rest").RestStore
        self._uri = uri
        self._remote: AbstractStore = rest(uri, retries=_RETRIES)
        self.artifact_server = uri
        # What is needed to go on without the server: runs and experiments that were seen, and the
        # names of experiments by their ids, those of journals too.
        self._infos: dict[str, RunInfo] = {}
        self._experiments: dict[str, Experiment] = {}
        self._names: dict[str, str] = {"0": "Default"}
        self._begin()
        atexit.register(self._finish)
        threading.Thread(
            target=adopt, args=(uri, self._bring), name="mlflow-journals", daemon=True
        ).start()

    def __repr__(self) -> str:
        return f"FailoverStore({without_password(self._uri)!r})"

    def _begin(self) -> None:
        """Start as a process of its own: what a parent has away is the parent's to bring."""
        self._pid = os.getpid()
        self._gate = threading.RLock()
        # What is brought is compared with what is there: by one thread at a time.
        self._bringing = threading.Lock()
        self._journal: Journal | None = None
        # Those that were brought, and whether all of it was. At the end of the process they are
        # looked through again: a file may have been on its way into one.
        self._brought: list[tuple[Journal, bool]] = []
        self._is_away = False

    # --- away and back -----------------------------------------------------------------------

    def _call(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Ask the server; when it is away, raise and know that it is."""
        try:
            return getattr(self._remote, name)(*arguments, **named)
        except MlflowException as error:
            if error.error_code == _AWAY:
                self._leave(error)
            raise

    def _leave(self, reason: MlflowException) -> None:
        with self._gate:
            if self._is_away:
                return
            if self._journal is None:
                self._journal = Journal.new(self._uri)
            self._is_away = True
        _logger.warning(
            "%s Logging goes on in %s and is brought to the server when it is back.",
            reason.message, self._journal.runs,
        )  # fmt: skip
        threading.Thread(target=self._look, name="mlflow-journal", daemon=True).start()

    def goes_on(self, error: MlflowException) -> bool:
        """See `AbstractStore`; an upload may be the first to notice that the server is away."""
        if error.error_code != _AWAY:
            return False
        self._leave(error)
        return True

    def _look(self) -> None:
        """Bring the journal to the server as soon as it is back."""
        seconds = _FIRST
        while self._is_away:
            time.sleep(seconds)
            seconds = min(seconds * 2, _LONGEST)
            if self._try():
                return

    def _try(self) -> bool:
        """Bring the journal to the server; tell whether the server is asked again from now on."""
        journal = self._journal
        if journal is None:
            return True
        try:
            self._bring(journal)  # nobody waits for the long part
            with self._gate:
                if self._journal is not journal:
                    return True  # the process ends, and brings it itself
                report = self._bring(journal)
                self._journal, self._is_away = None, False
        except MlflowException as error:
            if error.error_code == _AWAY:
                return False
            with self._gate:
                self._is_away = False
            _logger.error(  # noqa: TRY400 - where it was raised tells users nothing
                "%s cannot be brought to the server: %s", journal.runs, error.message
            )
            return True
        self._brought.append((journal, not report.failed))
        _logger.warning("The server is back, and has what was logged meanwhile.")
        tell(report, journal)
        return True

    def _bring(self, journal: Journal, *, only_files: bool = False) -> Report:
        """Bring what is in a journal and not at the server.

        Raises:
            MlflowException: TEMPORARILY_UNAVAILABLE: the server is away; INVALID_PARAMETER_VALUE:
                it is one that this cannot be brought to.
        """
        with self._bringing:
            bring = import_module("mlflow.store.sync").bring
            report: Report = bring(journal, self._remote, self._uri, only_files=only_files)
        return report

    def _finish(self) -> None:
        """Bring what is left at the end of the process, or say where it is."""
        if self._pid != os.getpid():
            return
        until = time.monotonic() + _AT_EXIT
        waiting = list(self._brought)
        if self._journal is not None:
            waiting.append((self._journal, False))
        with self._gate:
            self._journal, self._is_away, self._brought = None, False, []
        for journal, only_files in waiting:
            done = self._brought_until(until, journal, only_files=only_files)
            journal.close(remove=done)
            if not done:
                _logger.error(
                    "What was logged while the server was away is in %s. Bring it there with: "
                    "mlflow sync %s %s", journal.runs, journal.runs, without_password(self._uri),
                )  # fmt: skip

    def _brought_until(self, until: float, journal: Journal, *, only_files: bool) -> bool:
        """Try to bring a journal until a time; tell whether all of it is at the server."""
        seconds = _FIRST
        while True:
            try:
                return not self._bring(journal, only_files=only_files).failed
            except MlflowException as error:
                left = until - time.monotonic()
                if error.error_code != _AWAY or left <= 0:
                    return False
                time.sleep(min(seconds, left))
                seconds *= 2

    def close(self) -> None:
        """Bring what is left, and give back the connections."""
        self._finish()
        atexit.unregister(self._finish)
        self._remote.close()

    # --- what goes on in the journal ---------------------------------------------------------

    def _or_journal(self, online: Callable[[], Any], there: Callable[[AbstractStore], Any]) -> Any:
        """Ask the server, or the journal while the server is away."""
        if self._pid != os.getpid():
            self._begin()
        if not self._is_away:
            try:
                return online()
            except MlflowException as error:
                if error.error_code != _AWAY:
                    raise
        with self._gate:
            if self._is_away and self._journal is not None:
                return there(self._journal.store)
        return online()  # it came back while this waited

    def _of_run(self, name: str, run_id: str, *arguments: Any, **named: Any) -> Any:
        def there(store: AbstractStore) -> Any:
            self._continue(store, run_id)
            if not _has(store.get_run, run_id):
                raise _is_there(f"run {run_id}")
            return getattr(store, name)(run_id, *arguments, **named)

        found = self._or_journal(lambda: self._call(name, run_id, *arguments, **named), there)
        if name == "get_run":
            self._infos.setdefault(run_id, found.info)
        elif name == "update_run_info" and run_id in self._infos:
            self._infos[run_id] = found
        return found

    def _continue(self, store: AbstractStore, run_id: str) -> None:
        """Have a run in the journal that was begun at the server, when this process has seen it."""
        info = self._infos.get(run_id)
        if info is None or _has(store.get_run, run_id):
            return
        experiment = self._here(store, info.experiment_id)
        store.create_run(experiment, info.user_id, info.start_time, [], info.run_name, run_id)

    def _of_model(self, name: str, model_id: str, *arguments: Any, **named: Any) -> Any:
        def there(store: AbstractStore) -> Any:
            if not _has(store.get_logged_model, model_id):
                raise _is_there(f"logged model {model_id}")
            return getattr(store, name)(model_id, *arguments, **named)

        return self._or_journal(lambda: self._call(name, model_id, *arguments, **named), there)

    # --- experiments, by their names ---------------------------------------------------------

    def _here(self, store: AbstractStore, experiment_id: str) -> str:
        """Return the id that an experiment of the server, or of a journal, has in this journal.

        Raises:
            MlflowException: TEMPORARILY_UNAVAILABLE: its name is not known in this process.
        """
        name = self._names.get(experiment_id)
        if name is None:
            raise MlflowException(
                f"The server is away, and what experiment {experiment_id} is called is not known "
                "here. Name it, with mlflow.set_experiment(name).",
                TEMPORARILY_UNAVAILABLE,
            )
        found = store.get_experiment_by_name(name)
        return found.experiment_id if found is not None else store.create_experiment(name)

    def _there(self, experiment_id: str) -> str:
        """Return the id that an experiment has at the server; it may have one of a journal."""
        if experiment_id == "0" or experiment_id in self._experiments:
            return experiment_id
        name = self._names.get(experiment_id)
        found = None if name is None else self._call("get_experiment_by_name", name)
        return experiment_id if found is None else str(found.experiment_id)

    def _seen(self, experiment: Experiment) -> Experiment:
        """Note an experiment of the server."""
        self._names[experiment.experiment_id] = experiment.name
        self._experiments[experiment.experiment_id] = experiment
        return experiment

    def get_experiment(self, experiment_id: str) -> Experiment:
        """See `AbstractStore`; while the server is away, as it was seen last."""
        found: Experiment = self._or_journal(
            lambda: self._seen(self._call("get_experiment", self._there(experiment_id))),
            lambda store: (
                self._experiments.get(experiment_id) or store.get_experiment(experiment_id)
            ),
        )
        return found

    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        """See `AbstractStore`; while the server is away, as it was seen last."""

        def online() -> Experiment | None:
            found: Experiment | None = self._call("get_experiment_by_name", experiment_name)
            return found if found is None else self._seen(found)

        def there(store: AbstractStore) -> Experiment | None:
            known = (one for one in self._experiments.values() if one.name == experiment_name)
            return next(known, None) or store.get_experiment_by_name(experiment_name)

        found: Experiment | None = self._or_journal(online, there)
        if found is not None:
            self._names[found.experiment_id] = found.name
        return found

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: list[Any] | None = None
    ) -> str:
        """See `AbstractStore`; one of a journal keeps its files there, until they are brought."""
        made: str = self._or_journal(
            lambda: self._call("create_experiment", name, artifact_location, tags),
            lambda store: store.create_experiment(name, None, tags),
        )
        self._names[made] = name
        return made

    def search_runs(
        self,
        experiment_ids: list[str],
        filter_string: str | None,
        run_view_type: int,
        max_results: int = 1000,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """See `AbstractStore`; the server is asked."""
        ids = [self._there(one) for one in experiment_ids]
        found: PagedList[Run] = self._call(
            "search_runs", ids, filter_string, run_view_type, max_results, order_by, page_token
        )
        return found

    # --- what is begun -----------------------------------------------------------------------

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: list[RunTag] | None,
        run_name: str | None,
        run_id: str | None = None,
    ) -> Run:
        """See `AbstractStore`. The id is made here: a lost answer makes no second run."""
        rest = (user_id, start_time, tags, run_name, run_id or new_id())

        def online() -> Run:
            at_server = self._there(experiment_id)
            if at_server not in self._experiments:
                # Its name is what an outage would need.
                self._seen(self._call("get_experiment", at_server))
            made: Run = self._call("create_run", at_server, *rest)
            return made

        found: Run = self._or_journal(
            online, lambda store: store.create_run(self._here(store, experiment_id), *rest)
        )
        self._infos[found.info.run_id] = found.info
        return found

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: list[LoggedModelTag] | None = None,
        params: list[LoggedModelParameter] | None = None,
        model_type: str | None = None,
        model_id: str | None = None,
    ) -> LoggedModel:
        """See `AbstractStore`. The id is made here: a lost answer makes no second model."""
        rest = (name, source_run_id, tags, params, model_type, model_id or f"m-{new_id()}")

        def there(store: AbstractStore) -> LoggedModel:
            if source_run_id:
                self._continue(store, source_run_id)
            return store.create_logged_model(self._here(store, experiment_id), *rest)

        found: LoggedModel = self._or_journal(
            lambda: self._call("create_logged_model", self._there(experiment_id), *rest), there
        )
        return found

    def takes_ids(self) -> bool:
        """See `AbstractStore`."""
        return bool(self._call("takes_ids"))


def _is_there(what: str) -> MlflowException:
    return MlflowException(f"The server is away, and {what} is there.", TEMPORARILY_UNAVAILABLE)


def _has(get: Callable[[str], Any], key: str) -> bool:
    try:
        get(key)
    except MlflowException:
        return False
    return True


def _method(name: str, way: str) -> Callable[..., Any]:
    def method(self: FailoverStore, *arguments: Any, **named: Any) -> Any:
        return getattr(self, way)(name, *arguments, **named)

    declared = getattr(AbstractStore, name)
    method.__name__, method.__doc__ = name, declared.__doc__
    return method


for _name in dict.fromkeys(op.name for op in OPERATIONS):
    if _name not in FailoverStore.__dict__:
        _way = "_of_run" if _name in OF_RUNS else "_of_model" if _name in OF_MODELS else "_call"
        setattr(FailoverStore, _name, _method(_name, _way))
