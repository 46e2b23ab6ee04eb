"""Fuzzes one target, with inputs that coverage led to; what was found is in the folder of the target.

`python -m tests.fuzz TARGET SECONDS`: in an environment with `atheris`, which instruments what it
imports here. `scripts/fuzz` makes it.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mlflow", "yaml"]):
    from tests.fuzz.targets import examine

HERE = Path(__file__).parent


def main(name: str, seconds: str) -> None:
    """Fuzz for so many seconds."""
    logging.disable()
    found = HERE.parents[1] / ".fuzz" / name
    found.mkdir(parents=True, exist_ok=True)
    seeds = HERE / "corpus" / name
    # Nothing takes longer than a second, or more memory than a gigabyte.
    options = [
        f"-max_total_time={seconds}", "-timeout=1", "-rss_limit_mb=1024", "-max_len=4096",
        f"-artifact_prefix={found}/found-", "-print_final_stats=1",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(found), str(seeds)], lambda data: examine(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
