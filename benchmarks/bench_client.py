"""What logging and searching cost on plain files."""

from __future__ import annotations

import tempfile

from measure import report
from workload import durable, measured


def main() -> None:
    """Measure in folders of their own."""
    with tempfile.TemporaryDirectory() as folder:
        report([*measured(f"file://{folder}/mlruns"), *durable(f"file://{folder}/durable")])


main()
