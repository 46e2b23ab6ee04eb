"""Runs that were read before, given again for as long as their files look the same."""

from __future__ import annotations

from mlflow.entities.run import Run, RunData, RunInfo, RunInputs, RunOutputs
from mlflow.store.backends.file.index_stamps import Look, are_unchanged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlflow.store.backends.file.index import ReadRun

# A run with a dozen keys takes about 5 kB.
_MOST = 5000


class RecentRuns:
    """A `ReadRun` that remembers what another one read.

    Every call looks at each file and folder of the run (not at the files of params, which are
    written once), so what it returns is what reading would return. That costs a third of reading.

    Args:
        read_run: reads one run.
    """

    def __init__(self, read_run: ReadRun) -> None:
        self._read_run = read_run
        self._kept: dict[str, tuple[tuple[tuple[str, int], ...], Run]] = {}
        # What was read once; remembering costs as much as reading, so it waits for the second.
        self._met: set[str] = set()

    def __call__(self, folder: str, run_id: str) -> Run | None:
        """Return the run of a folder in the folder of an experiment; None when it is not one.

        Args:
            folder: the folder of the experiment.
            run_id: the name of the run's folder.

        Returns:
            The run, for the caller to keep and change.
        """
        place = f"{folder}/{run_id}"
        kept = self._kept.get(place)
        if kept is not None and are_unchanged(kept[0]):
            return _copy(kept[1])
        if place not in self._met:
            if len(self._met) >= _MOST:
                self._met.clear()
            self._met.add(place)
            return self._read_run(folder, run_id)
        look = Look(place)
        stamps = look.everything()
        run = self._read_run(folder, run_id)
        if run is None:
            self._kept.pop(place, None)
        elif not look.is_racy(run.data.metrics, run.data.params, run.data.tags):
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[place] = (stamps, _copy(run))
        return run


def _copy(run: Run) -> Run:
    """Return a run of which nothing that callers may change is shared."""
    data = RunData()
    data._metric_objs = list(run.data._metric_objs)
    data._metrics = dict(run.data._metrics)
    data._params = dict(run.data._params)
    data._tags = dict(run.data._tags)
    info = RunInfo.__new__(RunInfo)
    info.__dict__.update(run.info.__dict__)
    inputs, outputs = run.inputs, run.outputs
    if inputs is not None:
        inputs = RunInputs(list(inputs.dataset_inputs), list(inputs.model_inputs))
    if outputs is not None:
        outputs = RunOutputs(list(outputs.model_outputs))
    return Run(info, data, inputs, outputs)
