"""The document's cells as a notebook, and what a killed kernel leaves behind."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

_spec = importlib.util.spec_from_file_location("seed_blocks_of_notebook", HERE / "blocks.py")
seed = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = seed
_spec.loader.exec_module(seed)
BLOCKS = seed.read()

# A kernel's own arguments stand in `sys.argv`, where the wine script looks for alpha. This is a
# property of notebooks, not of what is tested; the cell itself stays as it is.
FIRST_CELL = "import sys\nsys.argv = sys.argv[:1]"
CELLS = [7, 18, 19, 20, 21]


@pytest.fixture
def surroundings(monkeypatch):
    """Kernels start as the document's programs do: the wine data is read from disk."""
    monkeypatch.setenv("PYTHONPATH", str(HERE / "site"))
    monkeypatch.setenv("WINE_CSV", str(ROOT / "examples" / "winequality-red.csv"))
    monkeypatch.setenv("IPYTHONDIR", os.path.join(os.environ["HOME"], "ipython"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")


def _client(cells: list[str], folder: Path) -> nbclient.NotebookClient:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return nbclient.NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )


def _output(cell: dict) -> str:
    return "".join(out.get("text", "") for out in cell["outputs"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_notebook_runs_and_a_restarted_kernel_reads_it(tmp_path, surroundings):
    """All cells run; a second kernel in the same folder loads the forest by its path."""
    first = _client([FIRST_CELL, *(BLOCKS[number].text for number in CELLS)], tmp_path)
    first.execute()
    (forest,) = (tmp_path / "mlruns" / "0").glob("*/artifacts/random_forest_n_100/MLmodel")
    load = BLOCKS[22].text.replace(seed.ID_OF_FOREST, forest.parents[2].name)
    second = _client([load, _STATUSES], tmp_path)
    second.execute()

    assert "Elasticnet model (alpha=0.500000" in _output(first.nb.cells[1])
    assert "[6." in _output(second.nb.cells[0])
    assert "['FINISHED']" == _output(second.nb.cells[1]).strip()


_STATUSES = """
import mlflow
print(sorted({run.info.status for run in mlflow.MlflowClient().search_runs(["0"])}))
"""


_LEAVE_OPEN = """
import mlflow
run = mlflow.start_run(run_name="left open")
mlflow.log_metric("loss", 0.5)
print(run.info.run_id)
"""
# A cell that goes on for ever, as training does when a user has seen enough.
_TRAIN = """
import time
print("training")
while True:
    time.sleep(0.01)
"""
_LOOK = """
import mlflow
run = mlflow.get_run("{run_id}")
open_runs = mlflow.search_runs(filter_string="attributes.status = 'RUNNING'")
print(run.info.status, run.data.metrics, len(open_runs))
"""


class _Kernel:
    """A kernel as a notebook server drives it."""

    def __init__(self, folder: Path) -> None:
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(kernel_name="python3", cwd=str(folder))

    def run(self, code: str) -> str:
        printed = []
        reply = self.client.execute_interactive(
            code,
            timeout=120,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        assert "ok" == reply["content"]["status"], reply["content"]
        return "".join(printed).strip()

    def start(self, code: str, sign: str) -> None:
        """Run a cell until it prints something, and leave it running."""
        self.client.execute(code)
        while True:
            message = self.client.get_iopub_msg(timeout=120)
            if message["content"].get("text", "").strip() == sign:
                return

    def restart(self, *, kill: bool) -> None:
        """What the button "restart" does; it kills only a kernel that does not listen."""
        self.manager.restart_kernel(now=kill)
        self.client.wait_for_ready(timeout=120)

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.mark.skipif(os.name == "nt", reason="kernels are killed by signals")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("busy", "kill", "ends"),
    [
        # A kernel that takes long to end, as on a busy machine, is killed after a while.
        (False, False, {"FINISHED", "KILLED"}),
        (True, False, {"FINISHED", "KILLED"}),
        (False, True, {"KILLED"}),
    ],
    ids=["restarted", "restarted while training", "killed"],
)
def test_no_run_is_taken_for_running_for_ever(busy, kill, ends, tmp_path, surroundings):
    """A restarted kernel, and any other, sees the run of the kernel before as ended."""
    kernel, other = _Kernel(tmp_path), None
    try:
        run_id = kernel.run(_LEAVE_OPEN)
        other = _Kernel(tmp_path)
        look = _LOOK.format(run_id=run_id)
        before = other.run(look)
        if busy:
            kernel.start(_TRAIN, "training")
        kernel.restart(kill=kill)
        seen = [kernel.run(look), other.run(look)]
    finally:
        for one in filter(None, (kernel, other)):
            one.stop()

    assert "RUNNING {'loss': 0.5} 1" == before
    assert seen[0] == seen[1]
    assert seen[0] in {f"{end} {{'loss': 0.5}} 0" for end in ends}
