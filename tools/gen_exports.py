"""Write `src/mlflow/_exports.py` from the stub `src/mlflow/__init__.pyi`, the one list of names.

Usage: python tools/gen_exports.py [--check]
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "src" / "mlflow"
HEAD = '''"""Where each public name of `mlflow` lives; generated from `__init__.pyi`, do not edit."""

from __future__ import annotations

EXPORTS: dict[str, str] = {
'''


def exports(stub: str) -> dict[str, str]:
    """Return module by name, for every `from module import name as name` of the stub."""
    found: dict[str, str] = {}
    for node in ast.parse(stub).body:
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        for alias in node.names:
            if alias.asname is None or node.module == "mlflow":
                continue
            same = alias.asname == alias.name
            found[alias.asname] = node.module if same else f"{node.module}:{alias.name}"
    return found


def render(found: dict[str, str]) -> str:
    """Return the text of `_exports.py`."""
    lines = [f'    "{name}": "{found[name]}",\n' for name in sorted(found)]
    return HEAD + "".join(lines) + "}\n"


def main() -> int:
    """Write the file, or with `--check` say whether it is up to date."""
    text = render(exports((ROOT / "__init__.pyi").read_text(encoding="utf-8")))
    target = ROOT / "_exports.py"
    if "--check" in sys.argv:
        if target.read_text(encoding="utf-8") == text:
            return 0
        print(f"{target.name} is out of date: run python tools/gen_exports.py", file=sys.stderr)
        return 1
    target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
