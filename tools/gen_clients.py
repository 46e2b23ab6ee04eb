"""Write docs/reference/clients.md from the recorded results of `scripts/clients`.

Usage: tools/gen_clients.py [--check]
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "clients.md"
CLIENTS = ROOT / "tests" / "clients"
HEAD = """# Libraries that log with MLflow

`scripts/clients` (or `scripts/test --clients`) runs a program of each on stock MLflow 3.17.2 and here, each in an
environment of its own with the same versions of everything else, and compares what they leave in the store: params,
points, tags, files, models. This page is written from `tests/clients/results.json`; the programs are beside it.

| library | program | on MLflow 3.17.2 | here | tried |
|---|---|---|---|---|
"""


def page() -> str:
    """Return the page; a client without a result is said not to have been run."""
    clients = tomllib.loads((CLIENTS / "clients.toml").read_text())
    results = json.loads((CLIENTS / "results.json").read_text())
    rows = []
    for name, client in clients.items():
        result = results.get(name)
        if result is None:
            rows.append(f"| {name} | {client['does']} | not run | not run | |")
            continue
        versions = ", ".join(f"{one} {version}" for one, version in result["versions"].items())
        here = f"works, {result['result']}"
        tried = f"{result['date']}, Python {result['python']}"
        rows.append(
            f"| {versions} | {client['does']} | {client.get('stock', 'works')} | {here} | {tried} |"
        )
    notes = [f"- {client['note']}" for client in clients.values() if "note" in client]
    return HEAD + "\n".join(rows) + "\n\n" + "\n".join(notes) + "\n"


def main() -> int:
    """Write the page, or tell whether it is up to date."""
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text)
        return 0
    if PAGE.read_text() == text:
        return 0
    print(
        "docs/reference/clients.md is out of date: run python tools/gen_clients.py", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
