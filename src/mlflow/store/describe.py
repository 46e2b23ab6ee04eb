"""What a store holds, thing by thing, in a form that two stores can be compared by."""

from __future__ import annotations

import hashlib
import struct
from itertools import groupby

from mlflow.store.backends.base import LOGGED_MODEL
from mlflow.store.backends.copying import DEPLOYMENT_JOBS, POINT_DATASETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.logged_models import LoggedModel
    from mlflow.entities.run import Metric, Run
    from mlflow.store.backends.base import Backend

# Fields by name; equal descriptions mean equal things.
Description = dict[str, str]

PAGE = 10_000


def experiment(found: Experiment) -> Description:
    """Describe an experiment."""
    fields = ("name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time")
    return {name: repr(getattr(found, name)) for name in fields} | _pairs("tag", found.tags)


def run(backend: Backend, found: Run, left_out: frozenset[str]) -> Description:
    """Describe a run with its histories.

    Args:
        backend: what holds it.
        found: what it gave.
        left_out: what is not compared; see `Copying.leaves_out`.
    """
    info = found.info
    described = run_outline(found)
    described["deletion_time"] = repr(backend.copying().run_deletion_time(info.run_id))
    for key in found.data.metrics:
        pages = history(backend, info.run_id, key)
        points = (_packed(one, left_out) for page in pages for one in page)
        described[f"metric {key}"] = _digest(points)
    return described


def run_outline(found: Run) -> Description:
    """Describe what is known of a run without reading its histories."""
    info = found.info
    fields = (
        "experiment_id", "status", "start_time", "end_time", "lifecycle_stage", "artifact_uri",
    )  # fmt: skip
    described = {name: repr(getattr(info, name)) for name in fields}
    # MLflow 1 wrote empty text where nothing was said; a folder does not tell the two apart.
    described |= {name: repr(getattr(info, name) or None) for name in ("run_name", "user_id")}
    described |= _pairs("param", found.data.params) | _pairs("tag", found.data.tags)
    for one in found.data._metric_objs:
        described[f"latest {one.key}"] = f"{_number(one.value)} {one.timestamp} {one.step}"
    for used in found.inputs.dataset_inputs if found.inputs else ():
        data = used.dataset
        key = f"dataset {data.name} {data.digest}"
        what = [repr(one) for one in (data.source_type, data.source, data.schema, data.profile)]
        described[key] = _short(" ".join([*what, *sorted(f"{t.key}={t.value}" for t in used.tags)]))
    for model in found.inputs.model_inputs if found.inputs else ():
        described[f"input {model.model_id}"] = ""
    for output in found.outputs.model_outputs if found.outputs else ():
        described[f"output {output.model_id}"] = repr(output.step)
    return described


def logged_model(backend: Backend, found: LoggedModel, left_out: frozenset[str]) -> Description:
    """Describe a logged model with its histories; see `run`."""
    fields = (
        "experiment_id", "name", "artifact_location", "creation_timestamp",
        "last_updated_timestamp", "model_type", "source_run_id", "status", "status_message",
    )  # fmt: skip
    described = {name: str(getattr(found, name)) for name in fields}
    described |= _pairs("param", found.params) | _pairs("tag", found.tags)
    points = sorted(backend.copying().logged_model_points(found.model_id), key=_key_of)
    for key, some in groupby(points, _key_of):
        described[f"metric {key}"] = _digest(_packed(one, left_out) for one in some)
    return described


def registered_model(backend: Backend, name: str, left_out: frozenset[str]) -> Description:
    """Describe a registered model without its versions; see `run`."""
    found = backend.get_registered_model(name)
    fields = ("creation_timestamp", "last_updated_timestamp", "description")
    described = {field: repr(getattr(found, field)) for field in fields}
    if DEPLOYMENT_JOBS not in left_out:
        described["deployment_job_id"] = repr(found.deployment_job_id)
    described |= _pairs("tag", found.tags) | _pairs("alias", found.aliases)
    described["last version number"] = str(backend.copying().last_version_number(name))
    return described


def model_version(backend: Backend, name: str, number: str) -> Description:
    """Describe a version of a registered model."""
    found = backend.get_model_version(name, number)
    fields = (
        "creation_timestamp", "last_updated_timestamp", "description", "user_id", "current_stage",
        "source", "run_id", "status", "status_message", "run_link", "model_id",
    )  # fmt: skip
    described = {field: repr(getattr(found, field)) for field in fields}
    described["location"] = repr(backend.model_version_location(name, number))
    return described | _pairs("tag", found.tags)


def differences(here: Description, there: Description) -> Iterator[str]:
    """Yield `field: here / there` for each field that is not the same."""
    for name in sorted(here.keys() | there.keys()):
        one, other = here.get(name, "missing"), there.get(name, "missing")
        if one != other:
            yield f"{name}: {_shortened(one)} / {_shortened(other)}"


def history(backend: Backend, run_id: str, key: str) -> Iterator[Sequence[Metric]]:
    """Yield the points of a series of a run, in pages."""
    token = None
    while True:
        page = backend.metric_history(run_id, key, PAGE, token)
        yield page
        token = page.token
        if not token:
            return


def deleted_models(backend: Backend) -> frozenset[str]:
    """Return the ids of the deleted logged models."""
    return frozenset(backend.list_deleted(LOGGED_MODEL, 2**63 - 1))


def point_of(metric: Metric) -> tuple[int, int, str]:
    """Return what makes a point the same as another one of its series."""
    return (metric.timestamp, metric.step, _number(metric.value))


def _pairs(noun: str, values: Mapping[str, object]) -> Description:
    return {f"{noun} {key}": _short(str(value)) for key, value in values.items()}


def _short(text: str) -> str:
    """Return a text, or its beginning and digest when it is long."""
    if len(text) <= 200:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{text[:40]}… ({len(text)} characters, {digest})"


def _shortened(text: str) -> str:
    return text if len(text) <= 300 else text[:300] + "…"


def _key_of(metric: Metric) -> str:
    return metric.key


def _number(value: float) -> str:
    """Return a float exactly; all NaNs are one."""
    return repr(float(value))


def _packed(one: Metric, left_out: frozenset[str]) -> bytes:
    packed = struct.pack("<qq", one.timestamp, one.step) + _number(one.value).encode()
    of = [one.run_id if one.model_id is not None else None]
    if one.model_id is not None or POINT_DATASETS not in left_out:
        of += [one.dataset_name, one.dataset_digest]
    return packed + repr(of).encode("utf-8", "surrogatepass")


def _digest(points: Iterable[bytes]) -> str:
    """Return count and digest of a set of points, whatever their order.

    Equal points count once: some formats keep repeated lines, others cannot.
    """
    distinct = sorted(set(points))
    digest = hashlib.sha256()
    for one in distinct:
        digest.update(len(one).to_bytes(4, "little") + one)
    return f"{len(distinct)} points ({digest.hexdigest()[:16]})"
