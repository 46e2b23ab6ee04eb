"""Things that no source file may contain."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "mlflow"
FILES = sorted(path for path in SOURCE.rglob("*.py") if "__pycache__" not in path.parts)
WRITTEN = [
    path
    for folder in ("src", "tests", "examples", "docs", "scripts", "tools", "benchmarks", "changes")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".pyi", ".md", ".toml", ".sh", ""}
    and path.is_file()
    and "__pycache__" not in path.parts
    and path != Path(__file__)
] + [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml")]

# Names that run code, load code or guess file names, and the modules whose business that is.
BANNED = {
    "pickle": {"models/deserialize.py"},
    "cloudpickle": {"models/deserialize.py"},
    "joblib": {"models/deserialize.py"},
    "dill": set(),
    "marshal": set(),
    "shelve": set(),
    # With the fast safe loader where libyaml is there, chosen by variable.
    "yaml.load": {"models/folder.py", "store/backends/file/metadata.py"},
    "yaml.full_load": set(),
    "yaml.unsafe_load": set(),
    "os.system": set(),
    "os.popen": set(),
    "tempfile.mktemp": set(),
    "eval": set(),
    "exec": {"models/code_model.py"},  # models that are given as code
    "shell=True": set(),
}
SAFE_LOADERS = {"SafeLoader", "CSafeLoader"}
# Only where nothing of ours goes into the text: environments, hosts and people.
WORKPLACE = re.compile(
    r"/work/(main|shared)|/root/envs|/tmp/team|\bcopilot\b|\bchatgpt\b|language model wrote|\bai assistant\b",
    re.IGNORECASE,
)


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def banned_in(text: str) -> set[str]:
    """The banned names that `text` imports or calls."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names} & BANNED.keys()
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "").split(".")[0]} & BANNED.keys()
            found |= {f"{node.module}.{alias.name}" for alias in node.names} & BANNED.keys()
        elif isinstance(node, ast.Call):
            name = _dotted(node.func)
            if name == "importlib.import_module" or name == "import_module":
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant):
                    found |= {str(first.value)} & BANNED.keys()
            if name in BANNED and not _uses_safe_loader(node):
                found.add(name)
            if any(k.arg == "shell" and not _is_false(k.value) for k in node.keywords):
                found.add("shell=True")
    return found


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _uses_safe_loader(node: ast.Call) -> bool:
    given = list(node.args[1:]) + [k.value for k in node.keywords if k.arg == "Loader"]
    return any(
        _dotted(value).split(".")[-1].upper().lstrip("_").endswith("SAFELOADER")
        or _dotted(value) in SAFE_LOADERS
        for value in given
    )


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_nothing_banned(path):
    """Unsafe loading, shells and guessed file names have one home each, or none."""
    found = banned_in(path.read_text(encoding="utf-8"))

    assert set() == {name for name in found if _name(path) not in BANNED[name]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import pickle", {"pickle"}),
        ("from joblib import load", {"joblib"}),
        ("import yaml\nyaml.load(x)", {"yaml.load"}),
        ("import yaml\nyaml.load(x, Loader=yaml.CSafeLoader)", set()),
        ("from os import system", {"os.system"}),
        ("import subprocess\nsubprocess.run(x, shell=True)", {"shell=True"}),
        ("import importlib\nimportlib.import_module('pickle')", {"pickle"}),
        ("eval('1')", {"eval"}),
        ("model.eval()", set()),
    ],
)
def test_the_gate_sees(text, expected):
    """The gate finds what it is there to find."""
    assert expected == banned_in(text)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_module_docstring(path):
    """Every module says in one sentence what it owns."""
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))

    assert doc, f"{_name(path)} has no docstring"
    assert doc.split("\n\n")[0].rstrip().endswith((".", ":", "?")), f"{_name(path)}: no sentence"


def test_todo_carries_an_issue():
    """A TODO names the issue that will do it."""
    bad = []
    for path in FILES:
        with io.BytesIO(path.read_bytes()) as source:
            bad += [
                f"{_name(path)}:{token.start[0]}"
                for token in tokenize.tokenize(source.readline)
                if token.type == tokenize.COMMENT
                and re.search(r"\b(TODO|FIXME|XXX)\b", token.string)
                and not re.search(r"#\d+", token.string[1:])
            ]

    assert [] == bad


def test_lines_fit():
    """The formatter keeps code at 100; what it cannot break stays below 120."""
    long = [
        f"{_name(path)}:{number}"
        for path in FILES
        if _name(path) != "_exports.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]

    assert [] == long


def test_the_project_speaks_of_itself():
    """No path or tool of the place where it happened to be written."""
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in WRITTEN
        if path.exists()
        for match in WORKPLACE.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]

    assert [] == found


def test_no_drawer_modules():
    """`utils` and the like name nothing; public paths of that name only re-export."""
    drawers = {"utils", "helpers", "common", "misc", "util", "helper"}
    bad = []
    for path in FILES:
        parts = {part.removesuffix(".py") for part in Path(_name(path)).parts}
        if not parts & drawers:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.ClassDef) for node in tree.body):
            bad.append(f"{_name(path)} defines a class")
        if any(
            isinstance(node, ast.FunctionDef) and node.name not in {"__getattr__", "__dir__"}
            for node in tree.body
        ):
            bad.append(f"{_name(path)} defines a function")

    assert [] == bad
