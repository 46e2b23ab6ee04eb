"""Write the reference of the Python API, the command line and the environment variables.

Usage: python tools/gen_reference.py [--check]
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click

import mlflow
from mlflow import _later, environment_variables
from mlflow._exports import EXPORTS
from mlflow.cli import cli
from mlflow.models.flavors import FLAVORS

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Yields")
MADE = "Made from {} by `tools/gen_reference.py`."
# Page → its title, what is said first, and the modules whose names are on it.
MODULES = {
    "artifacts": ("Artifacts", ["mlflow.artifacts"]),
    "data": ("Datasets", ["mlflow.data"]),
    "entities": ("Entities", ["mlflow.entities", "mlflow.entities.model_registry"]),
    "exceptions": ("Exceptions", ["mlflow.exceptions"]),
    "flavors": (
        "Flavors",
        sorted(one.module for one in FLAVORS.values() if one.ready and one.library),
    ),
    "metrics": ("Metrics of evaluations", ["mlflow.metrics"]),
    "models": ("Models", ["mlflow.models"]),
    "pyfunc": ("Models as functions of data", ["mlflow.pyfunc"]),
    "types": ("Types and schemas", ["mlflow.types"]),
}


def described(text: str | None) -> list[str]:
    """Return a Google-style docstring as lines of Markdown, its sections as lists."""
    lines, found, section = inspect.cleandoc(text or "").splitlines(), [], ""
    for line in lines:
        is_head = re.fullmatch(rf"({'|'.join(SECTIONS)}):", line)
        if is_head:
            section = is_head[1]
            found += [] if section in ("Args", "Attributes") else [f"{section}:", ""]
        elif section and line.startswith("    "):
            found.append(_item(section, line[4:]))
        else:
            section = section if not line else ""
            found.append(line)
    return found


def _item(section: str, line: str) -> str:
    """Return a line of a section: the beginning of an item, or what follows."""
    named = re.match(r"(\*{0,2}[\w., *|]+?): (.*)", line)
    if section in ("Returns", "Yields") or line.startswith(" ") or named is None:
        return line.strip()
    return f"- `{named[1]}`: {named[2]}"


def call(name: str, thing: Any) -> str:
    """Return how something is called, without types, which the descriptions have."""
    try:
        parameters = list(inspect.signature(thing).parameters.values())
    except (TypeError, ValueError):
        return name
    said = []
    for one in parameters:
        if one.name in ("self", "cls"):
            continue
        star = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        default = "" if one.default is one.empty else f"={_value(one.default)}"
        if one.kind is one.KEYWORD_ONLY and not any(word.startswith("*") for word in said):
            said.append("*")
        said.append(f"{star}{one.name}{default}")
    return f"{name}({', '.join(said)})"


def _value(value: Any) -> str:
    """Return a default as one writes it; `…` for what has no such form."""
    text = repr(value)
    return "…" if "<" in text or len(text) > 60 else text


def entry(level: str, name: str, thing: Any) -> list[str]:
    """Return the paragraphs of a function or class."""
    short = name.rpartition(".")[2]
    if inspect.isclass(thing) and "__init__" not in vars(thing):
        head = f"`{name}`"
    else:
        head = f"`{call(name, thing)}`"
    lines = [f"{level} {short}", "", head, "", *described(thing.__doc__), ""]
    if inspect.isclass(thing):
        for one, member in sorted(vars(thing).items()):
            if not one.startswith("_") and member.__doc__ and callable(getattr(thing, one)):
                lines += entry(f"{level}#", f"{short}.{one}", getattr(thing, one))
    return lines


def names_of(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield the functions and classes that a module offers, by name."""
    listed = getattr(module, "__all__", None)
    for name in sorted(listed or dir(module), key=str.lower):
        thing = getattr(module, name) if listed else vars(module).get(name, _lazy(module, name))
        if name.startswith("_") or not (inspect.isfunction(thing) or inspect.isclass(thing)):
            continue
        home = thing.__module__
        is_own = home == module.__name__ or home.startswith(f"{module.__name__}.")
        if home != _later.__name__ and thing.__doc__ and (listed or is_own):
            yield name, thing


def _lazy(module: ModuleType, name: str) -> Any:
    """Return what a module gives when it is asked."""
    try:
        return getattr(module, name)
    except (ImportError, AttributeError):
        return None


def page(title: str, made: str, lines: list[str]) -> str:
    """Return a page; paragraphs are apart by one empty line."""
    text = "\n".join([f"# {title}", "", MADE.format(made), "", *lines])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def fluent() -> str:
    """Return the page of the functions of `mlflow` itself."""
    lines = []
    for name in sorted(EXPORTS, key=str.lower):
        thing = getattr(mlflow, name) if EXPORTS[name] != _later.__name__ else None
        if inspect.isfunction(thing) and thing.__doc__:
            lines += entry("##", f"mlflow.{name}", thing)
    return page("Functions of mlflow", "the docstrings", lines)


def client() -> str:
    """Return the page of the client."""
    one = mlflow.MlflowClient
    lines = [f"`mlflow.{call('MlflowClient', one)}`", "", *described(one.__doc__), ""]
    for name in sorted(dir(one)):
        method = getattr(one, name)
        if (
            not name.startswith("_")
            and inspect.isfunction(method)
            and method.__module__ != _later.__name__
            and method.__doc__
        ):
            lines += entry("##", f"MlflowClient.{name}", method)
    return page("MlflowClient", "the docstrings", lines)


def modules(title: str, names: list[str]) -> str:
    """Return the page of some modules."""
    lines = []
    for name in names:
        module = importlib.import_module(name)
        if len(names) > 1:
            lines += [f"## {name}", "", (module.__doc__ or "").partition("\n")[0], ""]
        for short, thing in names_of(module):
            lines += entry("###" if len(names) > 1 else "##", f"{name}.{short}", thing)
    return page(title, "the docstrings", lines)


def commands(command: click.Command, path: str) -> Iterator[str]:
    """Yield the lines of a command and of those below it."""
    arguments = [one.make_metavar(click.Context(command)) for one in command.params
                 if isinstance(one, click.Argument)]  # fmt: skip
    if path != "mlflow":
        yield from [f"## {path}", ""]
    if not isinstance(command, click.Group):
        yield from [f"`{' '.join([path, *arguments])}`", ""]
    yield from [*inspect.cleandoc(command.help or "").splitlines(), ""]
    for one in command.params:
        if isinstance(one, click.Option) and not one.hidden:
            yield _option(one)
    yield ""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from commands(below, f"{path} {name}")


def _option(one: click.Option) -> str:
    """Return the line of an option."""
    names = ", ".join(f"`{name}`" for name in [*one.opts, *one.secondary_opts])
    variable = f" (`{one.envvar}`)" if one.envvar else ""
    has_default = not one.is_flag and isinstance(one.default, (str, int, float)) and one.default
    default = f" By default `{one.default}`." if has_default and not one.show_default else ""
    return f"- {names}{variable}: {(one.help or '').strip()}{default}"


def variables() -> str:
    """Return the page of the environment variables."""
    source = Path(environment_variables.__file__).read_text(encoding="utf-8")
    comments = dict.fromkeys([""], "")
    for block in re.finditer(r"((?:^#: .*\n|^# .*\n)+)^([A-Z]\w+) = ", source, re.MULTILINE):
        comments[block[2]] = re.sub(r"^#:? ", "", block[1], flags=re.MULTILINE).replace("\n", " ")
    chapters: dict[str, list[str]] = {"MLFLOW": [], "MILLSTREAM": []}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in comments:
                one = getattr(environment_variables, name)
                default = "" if one.default is None else f" By default `{one.default}`."
                kept = f"- `{name}` ({one.type.__name__}): {comments[name].strip()}{default}"
                chapters[name.partition("_")[0]].append(kept)
    lines = ["Options of commands that variables set, too, are in [the command line](cli.md)."]
    for chapter, title in (("MLFLOW", "As MLflow has them"), ("MILLSTREAM", "Millstream's own")):
        lines += ["", f"## {title}", "", *sorted(chapters[chapter])]
    return page("Environment variables", "`src/mlflow/environment_variables.py`", lines)


def pages() -> dict[Path, str]:
    """Return all pages by their paths."""
    made = {
        FOLDER / "cli.md": page("The command line", "the commands", list(commands(cli, "mlflow"))),
        FOLDER / "environment.md": variables(),
        FOLDER / "python" / "mlflow.md": fluent(),
        FOLDER / "python" / "client.md": client(),
    }
    for name, (title, names) in MODULES.items():
        made[FOLDER / "python" / f"{name}.md"] = modules(title, names)
    return made


def main() -> int:
    """Write the pages, or with `--check` say whether they are up to date."""
    made = pages()
    there = {*made, *(FOLDER / "python").glob("*.md")}
    stale = [
        path
        for path in sorted(there)
        if not path.exists() or path.read_text(encoding="utf-8") != made.get(path)
    ]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.name} is out of date: run python tools/gen_reference.py", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        if path in made:
            path.write_text(made[path], encoding="utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
