"""`python -m benchmarks` runs every measurement; see `compare.py`."""

from __future__ import annotations

from benchmarks.compare import main

main()
