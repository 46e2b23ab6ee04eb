"""How long `import mlflow` takes, and the first metric of a fresh process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from measure import report, row

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
    import time

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


def main(times: int = 7) -> None:
    """Measure in fresh processes; the first run of each only fills the bytecode cache."""
    with tempfile.TemporaryDirectory() as folder:
        _run(_IMPORT, folder)
        imports, modules = [], 0.0
        for _ in range(times):
            took, count = _run(_IMPORT, folder)[1].split()
            imports.append(float(took))
            modules = float(count)
        _run(_FIRST, folder)
        bare = sorted(_run("pass", folder)[0] for _ in range(times))[times // 2]
        first = sorted(_run(_FIRST, folder)[0] - bare for _ in range(times))
    report(
        [
            row("import mlflow", "ms", sorted(imports), scale=1000),
            row("modules of import mlflow", "modules", [modules]),
            row("import, start_run, one metric, over the bare interpreter", "ms", first,
                scale=1000),
        ]
    )  # fmt: skip


main()
