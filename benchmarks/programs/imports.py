"""How long `import mlflow` takes, and the first metric of a fresh process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from measure import found, pick

TIMES = pick(5, 2)
_IMPORT = """
import sys, time
before = set(sys.modules)
start = time.perf_counter()
import mlflow
took = time.perf_counter() - start
print(took, len(set(sys.modules) - before))
"""
_FIRST = """
import mlflow
with mlflow.start_run():
    mlflow.log_metric("loss", 0.5)
"""


def _run(code: str, folder: str) -> tuple[float, str]:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"file://{folder}/mlruns"}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=environment,
    )
    return time.perf_counter() - start, done.stdout


def main() -> None:
    """Measure in fresh processes; the first run of each only fills the bytecode cache."""
    with tempfile.TemporaryDirectory() as folder:
        _run(_IMPORT, folder)
        said = [_run(_IMPORT, folder)[1].split() for _ in range(TIMES)]
        found("import mlflow", "ms", [float(took) * 1000 for took, _ in said])
        found("modules of import mlflow", "modules", [float(count) for _, count in said])
        _run(_FIRST, folder)
        bare = sorted(_run("pass", folder)[0] for _ in range(TIMES))[TIMES // 2]
        first = [(_run(_FIRST, folder)[0] - bare) * 1000 for _ in range(TIMES)]
        found("import, start_run, one metric, over the bare interpreter", "ms", first)


main()
