"""Files, functions and classes stay small enough to read; the numbers only go down."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "mlflow"

FILE, FUNCTION, CLASS, NESTING = 600, 60, 400, 4

# Path: (lines a file, lines a class), and why.
EXEMPT = {
    "store/base.py": (970, CLASS),  # prose: every operation with its promise, no code
    "store/backends/base.py": (720, 600),  # the same, for what backends keep
    "testing/store_contract/registry.py": (FILE, 450),  # a shipped suite: test after test
    "tracking/fluent.py": (800, CLASS),  # the public functions are many, and a few lines each
}
NESTED = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith, ast.Match)


def _files() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if "__pycache__" not in path.parts)


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def _lines(node: ast.stmt) -> int:
    """Lines of a definition without its docstring, which is never too long."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0] if getattr(node, "body", None) else None
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def _signature_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines before the body: upstream's signatures are long, and not ours to shorten."""
    return node.body[0].lineno - node.lineno


def _depth(node: ast.AST, depth: int = 0) -> int:
    """The deepest nesting of blocks below `node`; `elif` counts as its `if` does."""
    deepest = depth
    for field, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        for child in children:
            if not isinstance(child, ast.AST):
                continue
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            is_elif = (
                field == "orelse"
                and isinstance(node, ast.If)
                and isinstance(child, ast.If)
                and len(children) == 1
            )
            deeper = depth + (isinstance(child, NESTED) and not is_elif)
            deepest = max(deepest, _depth(child, deeper))
    return deepest


def problems_of(name: str, text: str, limits: tuple[int, int] | None = None) -> list[str]:
    """Everything in one file that is larger than it may be."""
    file_limit, class_limit = limits or EXEMPT.get(name, (FILE, CLASS))
    found = []
    count = text.count("\n")
    if count > file_limit:
        found.append(f"{name}: {count} lines, at most {file_limit}")
    for node in ast.walk(ast.parse(text)):
        where = f"{name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = _lines(node) - _signature_lines(node)
            if length > FUNCTION:
                found.append(f"{where}: {node.name} has {length} lines, at most {FUNCTION}")
            depth = _depth(node)
            if depth > NESTING:
                found.append(f"{where}: {node.name} nests {depth} deep, at most {NESTING}")
        if isinstance(node, ast.ClassDef) and _lines(node) > class_limit:
            found.append(f"{where}: {node.name} has {_lines(node)} lines, at most {class_limit}")
    return found


@pytest.mark.parametrize("path", _files(), ids=_name)
def test_sizes(path):
    """No file, function or class is larger than the ratchet allows."""
    assert [] == problems_of(_name(path), path.read_text(encoding="utf-8"))


def test_the_measure_measures():
    """The check finds what it is there to find."""
    deep = (
        "def f():\n" + "".join("    " * n + f"    if {n}:\n" for n in range(5)) + " " * 24 + "x\n"
    )
    chain = "def f():\n    if a:\n        pass\n" + "    elif b:\n        pass\n" * 9

    assert ["x.py:1: f nests 5 deep, at most 4"] == problems_of("x.py", deep)
    assert [] == problems_of("x.py", chain)
    assert 1 == len(problems_of("x.py", "def f():\n" + "    a = 1\n" * 61))
    assert 2 == len(problems_of("x.py", "class A:\n" + "    a = 1\n" * 601))


def test_exemptions_are_used():
    """An exemption that is no longer needed goes."""
    texts = {name: (SOURCE / name).read_text(encoding="utf-8") for name in EXEMPT}

    assert [] == [
        name for name, text in texts.items() if not problems_of(name, text, (FILE, CLASS))
    ]
