"""What logging and searching cost on plain files."""

from __future__ import annotations

import os
import tempfile

from measure import found, most_memory, on_disk
from workload import durable, measured


def main() -> None:
    """Measure in folders of their own."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        measured(f"file://{folder}/mlruns", size=lambda: on_disk(f"{folder}/mlruns"))
        found("memory of the program, most", "MB", [most_memory()])
        durable(f"file://{folder}/durable")
        os.chdir("/")


main()
