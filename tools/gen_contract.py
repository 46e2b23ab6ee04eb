"""Write `docs/reference/contract.md` from the tests that compare Millstream with a stock MLflow.

What differs is listed in those tests, and a full run fails where the lists are not true.

Usage: python tools/gen_contract.py [--check]
"""

from __future__ import annotations

import importlib
import inspect
import json
import runpy
import sys
from pathlib import Path
from typing import Any

from mlflow.testing.store_contract import StoreContract

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "contract.md"
HEAD = """# What was compared, and what differed

Made from the tests by `tools/gen_contract.py`. Each full run (`./.ci/run`) compares again with stock MLflow 3.17.2, and
fails when something differs that is not listed here, or is listed and does not differ.
"""
CHAPTERS = {
    "experiments": "Experiments",
    "runs": "Runs",
    "metrics": "Metrics",
    "batches": "Batches",
    "logged_models": "Logged models",
    "registry": "The registry",
    "__init__": "All",
}


def _read(test: str) -> Any:
    return importlib.import_module(f"tests.interop.{test}")


def promises() -> list[str]:
    """Return the table of what each store promises, and whether a stock server does."""
    module = _read("test_contract_on_stock")
    different = module.DIFFERENT
    not_asked = {name for name, test in vars(module.TestStock).items() if test is None}
    rows: dict[str, list[str]] = {chapter: [] for chapter in CHAPTERS}
    for name, test in inspect.getmembers(StoreContract, inspect.isfunction):
        if name.startswith("test_"):
            chapter = Path(inspect.getfile(test)).stem
            words = name.removeprefix("test_").replace("_", " ")
            said = (inspect.getdoc(test) or "").partition("\n")[0]
            stock = f"no: {different[name]}" if name in different else "yes"
            stock = "not over HTTP" if name in not_asked else stock
            rows[chapter].append(f"| {words}: {said} | {stock} |")
    count = sum(map(len, rows.values()))
    text = (
        f"The contract in `src/mlflow/testing/store_contract/` has {count} promises. Memory, folders (of one "
        "machine, and shared), SQLite, PostgreSQL, MySQL and MariaDB keep all of them, by themselves and (but for removing for good) behind "
        "a server. A stock server on SQLite, asked by our client, keeps "
        f"{count - len(different) - len(not_asked)} of them as they are written."
    )
    lines = ["## What stores promise", "", text, ""]
    for chapter, title in CHAPTERS.items():
        lines += [f"### {title}", "", "| promise | stock |", "|---|---|", *rows[chapter], ""]
    return lines


def listed(title: str, intro: str, test: str) -> list[str]:
    """Return the table of requests or calls that are answered in another way on purpose."""
    lines = [f"## {title}", "", intro, "", "| about | request | here |", "|---|---|---|"]
    reason = ""
    for (part, label), why in _read(test).DIFFERENT.items():
        reason = reason if why == "the same" else why
        lines.append(f"| {part.replace('_', ' ')} | {label} | {reason} |")
    return [*lines, ""]


def values() -> list[str]:
    """Return the list of values that are enforced in another way on purpose."""
    folder = ROOT / "tests" / "types"
    recorded = json.loads((folder / "recorded.json").read_text(encoding="utf-8"))["results"]
    different = runpy.run_path(str(folder / "differences.py"))["DIFFERENCES"]
    count = sum(map(len, different.values()))
    text = (
        f"What MLflow makes of {len(recorded)} pairs of a value and a type was recorded; {count} are treated in another "
        "way on purpose:"
    )
    lines = ["## Values held against a schema", "", text, "", "| pairs | why |", "|---:|---|"]
    return [*lines, *(f"| {len(labels)} | {why} |" for why, labels in different.items()), ""]


def render() -> str:
    """Return the page."""
    lines = [
        HEAD,
        *promises(),
        *listed(
            "Requests to a server",
            "The same requests to both servers; those that are answered in another way:",
            "test_server_against_stock",
        ),
        *listed(
            "Calls on folders",
            "The same calls on both file stores; those that are answered in another way:",
            "test_store_against_stock",
        ),
        *values(),
    ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the page, or with `--check` say whether it is up to date."""
    sys.path.insert(0, str(ROOT))
    text = render()
    if "--check" in sys.argv:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE.name} is out of date: run python tools/gen_contract.py", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
