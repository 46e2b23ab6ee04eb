"""What is imported when, counted in fresh interpreters, and who may import whom."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mlflow.models.flavors import FLAVORS

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "mlflow"

# Layers whose modules stand on the standard library alone when they are loaded.
STANDARD_ONLY = (
    "_exports", "_installation", "api", "entities", "environment_variables", "exceptions",
    "search", "store/base", "store/locate", "store/local", "store/backends/base",
    "store/backends/memory", "store/backends/file", "tags", "tracking", "types",
)  # fmt: skip
# Commands load what they run when they run it; they are the top layer, and the linter sees it.
TOP = "cli/"


def _python(program: str, folder: Path) -> list[str]:
    """Modules loaded by `program` beyond those of a bare interpreter."""
    script = (
        "import sys, json\nbefore = set(sys.modules)\n"
        + program
        + "\nprint('\\n' + json.dumps(sorted(set(sys.modules) - before)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, check=False, cwd=folder, env=dict(os.environ),
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def _is_standard(name: str) -> bool:
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or top.startswith("_sysconfigdata")


def test_import_mlflow_loads_next_to_nothing(tmp_path):
    """`import mlflow` adds at most five modules."""
    loaded = _python("import mlflow", tmp_path)

    assert "mlflow" in loaded
    assert 5 >= len(loaded), loaded


def test_logging_to_files_imports_the_standard_library_only(tmp_path):
    """A run, a parameter and a metric on files need nothing that has to be installed."""
    loaded = _python(
        "import mlflow\n"
        "with mlflow.start_run():\n"
        "    mlflow.log_param('a', 1)\n"
        "    mlflow.log_metric('m', 1.0)\n",
        tmp_path,
    )
    foreign = [
        name for name in loaded if not _is_standard(name) and name.partition(".")[0] != "mlflow"
    ]
    dear = {
        "asyncio", "concurrent.futures", "dataclasses", "email", "http.client",
        "importlib.metadata", "inspect", "logging", "socket", "ssl", "subprocess", "tempfile",
        "unittest", "urllib.request",
    }  # fmt: skip

    assert (tmp_path / "mlruns").is_dir()
    assert [] == foreign
    assert set() == dear & set(loaded)


def test_the_command_starts_without_the_models(tmp_path):
    """`mlflow --help` loads the command line library and no data library."""
    loaded = _python(
        "import mlflow.cli\n"
        "try:\n    mlflow.cli.main(['--help'])\n"
        "except SystemExit as end:\n    assert not end.code\n",
        tmp_path,
    )

    assert set() == {"numpy", "pandas", "sklearn", "starlette", "uvicorn", "yaml"} & set(loaded)


# Store → modules, beyond those of a bare interpreter, that a server has loaded when it can answer.
SERVER = {"./mlruns": 365, "sqlite:///mlflow.db": 505}


@pytest.mark.parametrize("uri", SERVER)
def test_a_server_loads_what_it_needs_to_answer(uri, tmp_path):
    """No data library, no other store, and of SQLAlchemy the dialect of its own database alone."""
    loaded = _python(
        "import mlflow.cli.server\n"
        "from mlflow.server import process\n"
        "from mlflow.server.options import ServerOptions\n"
        f"app = process.build(ServerOptions({uri!r}))\n"
        "process.uvicorn.Config(app, http=process.HTTP, ws='none').load()\n",
        tmp_path,
    )
    heavy = {
        "alembic", "numpy", "pandas", "requests", "rich", "starlette", "urllib3", "yaml",
        "sqlalchemy.dialects.mysql", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm",
    }  # fmt: skip

    assert set() == heavy & set(loaded)
    assert SERVER[uri] >= len(loaded), len(loaded)
    if not uri.startswith("sqlite"):
        assert "sqlalchemy" not in loaded


@pytest.mark.parametrize(
    "name",
    [
        "models",
        "data",
        "artifacts",
        *(i.module.partition(".")[2] for i in FLAVORS.values() if i.ready),
    ],
)
def test_submodules_import_without_their_library(name, tmp_path):
    """`import mlflow.sklearn` works where scikit-learn is not installed."""
    absent = {"skops", "scipy", "matplotlib", "PIL", *(i.library for i in FLAVORS.values())}
    _python(
        "import importlib.abc\n"
        "class Absent(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {absent!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        f"import mlflow.{name}",
        tmp_path,
    )


def _modules() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if "__pycache__" not in path.parts)


def _imports(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""] if not node.level else ["mlflow"]
    return []


def _at_load(tree: ast.Module) -> list[ast.stmt]:
    """Statements that run when the module is loaded, typing-only ones left out."""
    found, waiting = [], list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        found.append(node)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += [
                child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)
            ]
            for handler in getattr(node, "handlers", []):
                waiting += handler.body
    return found


def test_low_layers_stand_on_the_standard_library():
    """Nothing below the models needs an installed library to be loaded."""
    bad = []
    for path in _modules():
        name = path.relative_to(SOURCE).as_posix()
        if not name.startswith(STANDARD_ONLY) or name.startswith("store/artifact"):
            continue
        for node in _at_load(ast.parse(path.read_text(encoding="utf-8"))):
            bad += [
                f"{name}:{node.lineno} {imported}"
                for imported in _imports(node)
                if imported.partition(".")[0] != "mlflow" and not _is_standard(imported)
            ]

    assert [] == bad


def test_no_first_party_import_inside_a_function():
    """A lazy first-party import hides an edge; tables of strings are the way."""
    bad = []
    for path in _modules():
        name = path.relative_to(SOURCE).as_posix()
        if name.startswith(TOP):
            continue
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            bad += [
                f"{name}:{node.lineno}"
                for node in ast.walk(function)
                if isinstance(node, (ast.Import, ast.ImportFrom))
                and any(imported.partition(".")[0] == "mlflow" for imported in _imports(node))
            ]

    assert [] == sorted(set(bad))


def test_nobody_inside_uses_an_old_path():
    """Imports name the file that holds the code, not a path kept for users of MLflow."""
    bad = []
    for path in _modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = _imports(node) if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            bad += [
                f"{path.relative_to(SOURCE).as_posix()}:{node.lineno} {name}"
                for name in named
                if name.startswith("mlflow.") and not _on_disk(name)
            ]

    assert [] == bad


def _on_disk(module: str) -> bool:
    path = SOURCE.parent / module.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def test_each_dependency_is_used():
    """What a base installation brings is imported by something."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[^A-Za-z0-9]", line)[0] for line in project["dependencies"]}
    # uvicorn finds two of these by itself, and urllib3 is for the client of servers, which comes.
    silent = {"httptools", "uvloop", "urllib3"}
    modules = {name.replace("pyyaml", "yaml") for name in names} - silent
    used = {
        module.partition(".")[0]
        for path in _modules()
        for module in re.findall(r"^\s*(?:from|import) ([a-z0-9_.]+)", path.read_text(), re.M)
    }

    assert modules - used == set()


def test_every_module_can_be_imported(tmp_path):
    """No module needs another to have been loaded before it."""
    if not importlib.util.find_spec("sklearn"):
        pytest.skip("the sklearn extra is not installed")
    names = sorted(
        "mlflow." + path.relative_to(SOURCE).with_suffix("").as_posix().replace("/", ".")
        for path in _modules()
        if path.name not in {"__init__.py", "__main__.py"} and path.parent != SOURCE / "testing"
    )
    script = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    for loaded in [n for n in sys.modules if n.partition('.')[0] == 'mlflow']:\n"
        "        del sys.modules[loaded]\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *names],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr[-2000:]
